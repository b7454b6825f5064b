"""Train a task until its budget is spent, and go on after any interruption."""

import logging
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.fabric import Fabric

from napari_defocus.errors import DefocusError
from napari_defocus.inference.malloc import keep_freed_memory
from training.data.rng import BatchRNG, SampleRNG
from training.engine.checkpoint import load_checkpoint, save_checkpoint
from training.engine.gradient_step import GradientStepper
from training.engine.launch import Precision
from training.engine.model_state import ModelState
from training.engine.run_logger import RunLogger
from training.engine.task import Task, TrainingProgress
from training.errors import TrainingError

_log = logging.getLogger(__name__)
_UNWRITTEN = (OSError, DefocusError)


@dataclass(frozen=True)
class FitOptions:
    """How long and how a task is trained."""

    minutes: float = 30
    """Time budget; training stops then, whatever else is asked for."""
    steps: int | None = None
    """Steps to train; the learning rate then follows them instead of the time."""
    clock: Literal["wall", "processor"] = "wall"
    """Time that counts: the wall's, or the processors' own, fair where they are shared."""
    batch: int = 8
    """Samples a step, over all processes."""
    seed: int = 0
    """Seed of everything random."""
    average: float = 0.999
    """Decay of the moving average of the weights, per step."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    draws: Literal["sample", "batch"] = "sample"
    """Random numbers of each sample's own stream, alike however a batch is shared; or of one stream
    for a batch on its device, several times faster for large ones."""
    precision: Precision = "bf16-mixed"
    """Of the forward passes."""
    threads: int | None = None
    """Threads of a process on the CPU."""
    report_seconds: float = 120
    """Time between validations."""
    checkpoint_seconds: float = 60
    """Time between checkpoints; 0: after every step."""

    def __post_init__(self) -> None:
        for name in ("minutes", "steps", "batch", "clip", "threads"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise TrainingError(f"{name} is {value}; more than 0 is expected")


def fit(
    fabric: Fabric, task: Task, folder: Path, options: FitOptions, about: Mapping[str, Any]
) -> bool:
    """Train until the budget is spent, from the last checkpoint of the folder if there is one.

    Parameters
    ----------
    fabric : Fabric
        From `launch`.
    task : Task
        Its networks are trained in place.
    folder : Path
        Of the run: ``checkpoint.pt``, ``log.jsonl``, ``tensorboard/`` and the products, each a
        ``NAME.safetensors`` that the plugin opens, beside its card.
    options : FitOptions
        The budget and the step sizes.
    about : mapping
        The run's whole recipe, for the cards.

    Returns
    -------
    bool
        Whether the budget is spent; if not, the run was asked to stop, or `minutes` ended it
        before `steps`.

    Raises
    ------
    TrainingError
        If the batch cannot be shared, a single sample does not fit into memory, the checkpoint is
        damaged or another training's, or the end of the run cannot be written.
    """
    run = _Run(fabric, task, folder, options, about)
    with keep_freed_memory(), _stop_signals() as stopped:
        return run.to_end(stopped)


class _Run:
    def __init__(
        self,
        fabric: Fabric,
        task: Task,
        folder: Path,
        options: FitOptions,
        about: Mapping[str, Any],
    ) -> None:
        self.fabric, self.task, self.folder = fabric, task, folder
        self.options, self.about = options, about
        folder.mkdir(parents=True, exist_ok=True)
        self.states = {
            name: ModelState(player, fabric, average=options.average, clip=options.clip)
            for name, player in task.networks.items()
        }
        rng = SampleRNG if options.draws == "sample" else BatchRNG
        self.stepper = GradientStepper(
            fabric, task, self.states, rng, seed=options.seed, batch=options.batch
        )
        self.step = 0
        self.before = 0.0
        self.kept: int | None = None
        running = self._resume()
        self.logger = RunLogger(folder, self.step) if fabric.is_global_zero else None
        if self.logger is not None:
            self.logger.running.update(running)
        self.now = time.monotonic if options.clock == "wall" else time.process_time
        self.started = self.now()
        self.checkpointed = self.reported = self.before

    def to_end(self, stopped: "list[int]") -> bool:
        seconds, asked = self._clock(stopped)
        while not asked and self._spent(seconds) < 1 and seconds < 60 * self.options.minutes:
            progress = TrainingProgress(self.step, self._spent(seconds))
            terms: dict[str, float] = {}
            for order, name in enumerate(self.task.schedule(progress)):
                terms |= {
                    f"{name}/{key}": value
                    for key, value in self.stepper.step(name, order, progress).items()
                }
            self.step += 1
            seconds, asked = self._clock(stopped)
            if self.logger is not None:
                self.logger.follow(self._spent(seconds), terms)
            self._keep(seconds)
        self._finish(seconds)
        return self._spent(seconds) >= 1

    def _spent(self, seconds: float) -> float:
        if self.options.steps is not None:
            return self.step / self.options.steps
        return seconds / (60 * self.options.minutes)

    def _clock(self, stopped: "list[int]") -> tuple[float, bool]:
        """Seconds of training so far and whether to stop, the same in all processes."""
        seconds = self.before + self.now() - self.started
        if self.fabric.world_size == 1:
            return seconds, bool(stopped)
        clock = torch.tensor([seconds, float(bool(stopped))], dtype=torch.float64)
        mean = self.fabric.all_reduce(clock.to(self.fabric.device), reduce_op="mean")
        return float(mean[0]), bool(mean[1] > 0)

    def _keep(self, seconds: float) -> None:
        """ScoreReport and checkpoint where it is time: no checkpoint is ahead of the records."""
        if seconds - self.reported >= self.options.report_seconds:
            self.reported = seconds
            self._attempt(self._report, seconds)
        if seconds - self.checkpointed >= self.options.checkpoint_seconds:
            self.checkpointed = seconds
            self._attempt(self._checkpoint, seconds)

    def _attempt(self, write: Callable[[float], None], seconds: float) -> None:
        """Write; a full disk costs what was to be written, not the training."""
        try:
            write(seconds)
        except _UNWRITTEN as error:
            _log.warning("nothing written at step %d: %s", self.step, error)

    def _finish(self, seconds: float) -> None:
        """Write what is not yet written of the last step."""
        try:
            if self.kept != self.step:
                self._checkpoint(seconds)
            if self.logger is not None and self.logger.last != self.step:
                self._report(seconds)
        except _UNWRITTEN as error:
            raise TrainingError(
                f"the end of the run cannot be written to {self.folder}: {error}; "
                "its last checkpoint is still there"
            ) from error
        finally:
            if self.logger is not None:
                self.logger.close()
        self.fabric.barrier()

    def _checkpoint(self, seconds: float) -> None:
        if self.logger is None:
            return
        state = {
            "step": self.step,
            "seconds": seconds,
            "at_once": self.stepper.at_once,
            "running": self.logger.running,
            "players": {name: each.state() for name, each in self.states.items()},
        }
        save_checkpoint(self.folder, state)
        self.kept = self.step

    def _resume(self) -> dict[str, float]:
        state = load_checkpoint(self.folder, self.fabric.device)
        if state is None:
            return {}
        try:
            for name, each in self.states.items():
                each.load(state["players"][name])
            self.step, self.before = state["step"], state["seconds"]
            at_once, running = state["at_once"], dict(state["running"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise TrainingError(
                f"the checkpoint in {self.folder} is of another training; choose another folder"
            ) from error
        self.kept = self.step
        self.stepper.at_once = min(at_once, self.stepper.share)
        _log.info("going on from step %d of %s", self.step, self.folder)
        return running

    def _report(self, seconds: float) -> None:
        if self.logger is None:
            return
        averages = {name: state.average for name, state in self.states.items()}
        with torch.inference_mode(), self.fabric.autocast():
            figures = self.task.validate(averages)
            pictures = self.task.images(averages)
        recipe = {**self.about, "steps done": self.step, "seconds": round(seconds)}
        self.task.export(self.folder, averages, recipe, figures)
        skipped = {f"{name}/skipped": t.skipped for name, t in self.states.items() if t.skipped}
        self.logger.report(self.step, seconds, figures | skipped, pictures)


@contextmanager
def _stop_signals() -> Iterator["list[int]"]:
    """A list that holds the signals asking to stop: the step is then finished and kept."""
    seen: list[int] = []
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, lambda number, _: seen.append(number)) for kind in kinds]
    try:
        yield seen
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
