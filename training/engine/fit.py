"""Training loop that ends with its budget and continues after an interruption."""

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
from training.engine.processes import reduce_tensor
from training.engine.run_logger import RunLogger
from training.engine.training import Training, TrainingProgress
from training.errors import TrainingError

_log = logging.getLogger(__name__)
_WRITE_ERRORS = (OSError, DefocusError)
#: Key of the networks' states in a checkpoint; files on disk depend on it.
_STATES = "players"


@dataclass(frozen=True)
class FitOptions:
    """Budget and step sizes of a training."""

    minutes: float = 30
    """Time budget in minutes; the training stops then, even before --steps."""
    steps: int | None = None
    """Steps to train; the learning rate then follows the steps instead of the time."""
    clock: Literal["wall", "processor"] = "wall"
    """Time that counts: wall time, or processor time, which is fair where processors are shared."""
    batch: int = 8
    """Samples of a step, over all processes."""
    seed: int = 0
    """Seed of all random numbers."""
    average: float = 0.999
    """Decay of the moving average of the weights, per step."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    draws: Literal["sample", "batch"] = "sample"
    """Random numbers from one stream a sample, so that they do not depend on the processes; or from
    one stream a batch on its device, which is several times faster for large batches."""
    precision: Precision = "bf16-mixed"
    """Precision of the forward passes."""
    threads: int | None = None
    """Threads of each process on the CPU."""
    report_seconds: float = 120
    """Seconds between validations."""
    checkpoint_seconds: float = 60
    """Seconds between checkpoints; 0 writes one after every step."""

    def __post_init__(self) -> None:
        for name in ("minutes", "steps", "batch", "clip", "threads"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise TrainingError(f"{name} is {value}; more than 0 is expected")


def fit(
    fabric: Fabric, training: Training, folder: Path, options: FitOptions, about: Mapping[str, Any]
) -> bool:
    """Train until the budget is spent, starting from the checkpoint of the folder if there is one.

    Parameters
    ----------
    fabric : Fabric
        From `launch`.
    training : Training
        Its networks are trained in place.
    folder : Path
        Folder of the run: ``checkpoint.pt``, ``log.jsonl``, ``tensorboard/`` and the trained
        networks, each a ``NAME.safetensors`` that the plugin opens, with its card.
    options : FitOptions
        The budget and the step sizes.
    about : mapping
        The recipe of the run, for the cards.

    Returns
    -------
    bool
        Whether the budget is spent. If not, a signal stopped the run, or `minutes` ended it before
        `steps`.

    Raises
    ------
    TrainingError
        If the processes cannot share the batch, if a single sample does not fit into memory, if
        the checkpoint is damaged or of another training, or if the end of the run cannot be
        written.
    """
    run = _Run(fabric, training, folder, options, about)
    with keep_freed_memory(), _stop_signals() as signals:
        return run.to_end(signals)


class _Run:
    """A run: its networks, clock, log and checkpoints."""

    def __init__(
        self,
        fabric: Fabric,
        training: Training,
        folder: Path,
        options: FitOptions,
        about: Mapping[str, Any],
    ) -> None:
        self.fabric, self.training, self.folder = fabric, training, folder
        self.options, self.about = options, about
        folder.mkdir(parents=True, exist_ok=True)
        self.states = {
            name: ModelState(network, fabric, decay=options.average, clip=options.clip)
            for name, network in training.networks.items()
        }
        rng = SampleRNG if options.draws == "sample" else BatchRNG
        self.stepper = GradientStepper(
            fabric, training, self.states, rng, seed=options.seed, batch=options.batch
        )
        self.step = 0
        self.seconds_before = 0.0
        self.checkpoint_step: int | None = None
        running = self._resume()
        self.logger = RunLogger(folder, self.step) if fabric.is_global_zero else None
        if self.logger is not None:
            self.logger.running.update(running)
        self.now = time.monotonic if options.clock == "wall" else time.process_time
        self.start_time = self.now()
        self.checkpoint_time = self.report_time = self.seconds_before

    def to_end(self, signals: list[int]) -> bool:
        seconds, stop = self._clock(signals)
        while not stop and self._spent(seconds) < 1 and seconds < 60 * self.options.minutes:
            progress = TrainingProgress(self.step, self._spent(seconds))
            losses: dict[str, float] = {}
            for order, name in enumerate(self.training.schedule(progress)):
                losses |= {
                    f"{name}/{key}": value
                    for key, value in self.stepper.step(name, order, progress).items()
                }
            self.step += 1
            seconds, stop = self._clock(signals)
            if self.logger is not None:
                self.logger.follow(self._spent(seconds), losses)
            self._write_if_due(seconds)
        self._finish(seconds)
        return self._spent(seconds) >= 1

    def _spent(self, seconds: float) -> float:
        if self.options.steps is not None:
            return self.step / self.options.steps
        return seconds / (60 * self.options.minutes)

    def _clock(self, signals: list[int]) -> tuple[float, bool]:
        """Return the seconds of training so far and whether to stop, the same in all processes."""
        seconds = self.seconds_before + self.now() - self.start_time
        if self.fabric.world_size == 1:
            return seconds, bool(signals)
        clock = torch.tensor([seconds, float(bool(signals))], dtype=torch.float64)
        mean = reduce_tensor(self.fabric, clock, "mean")
        return float(mean[0]), bool(mean[1] > 0)

    def _write_if_due(self, seconds: float) -> None:
        """Report and checkpoint when due, in this order: no checkpoint is ahead of the log."""
        if seconds - self.report_time >= self.options.report_seconds:
            self.report_time = seconds
            self._attempt(self._report, seconds)
        if seconds - self.checkpoint_time >= self.options.checkpoint_seconds:
            self.checkpoint_time = seconds
            self._attempt(self._checkpoint, seconds)

    def _attempt(self, write: Callable[[float], None], seconds: float) -> None:
        """Write, or log why not: a full disk does not end the training."""
        try:
            write(seconds)
        except _WRITE_ERRORS as error:
            _log.warning("nothing written at step %d: %s", self.step, error)

    def _finish(self, seconds: float) -> None:
        """Write the checkpoint and the report of the last step, unless they are written already."""
        try:
            if self.checkpoint_step != self.step:
                self._checkpoint(seconds)
            if self.logger is not None and self.logger.last != self.step:
                self._report(seconds)
        except _WRITE_ERRORS as error:
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
            _STATES: {name: state.state() for name, state in self.states.items()},
        }
        save_checkpoint(self.folder, state)
        self.checkpoint_step = self.step

    def _resume(self) -> dict[str, float]:
        state = load_checkpoint(self.folder, self.fabric.device)
        if state is None:
            return {}
        try:
            for name, network in self.states.items():
                network.load(state[_STATES][name])
            self.step, self.seconds_before = state["step"], state["seconds"]
            at_once, running = state["at_once"], dict(state["running"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise TrainingError(
                f"the checkpoint in {self.folder} is of another training; choose another folder"
            ) from error
        self.checkpoint_step = self.step
        self.stepper.at_once = min(at_once, self.stepper.share)
        _log.info("going on from step %d of %s", self.step, self.folder)
        return running

    def _report(self, seconds: float) -> None:
        if self.logger is None:
            return
        averages = {name: state.average for name, state in self.states.items()}
        with torch.inference_mode(), self.fabric.autocast():
            figures = self.training.validate(averages)
            pictures = self.training.images(averages)
        recipe = {**self.about, "steps done": self.step, "seconds": round(seconds)}
        self.training.export(self.folder, averages, recipe, figures)
        skipped: dict[str, float] = {
            f"{name}/skipped": state.skipped for name, state in self.states.items() if state.skipped
        }
        self.logger.report(self.step, seconds, figures | skipped, pictures)


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Collect the signals that ask to stop in a list, so that the current step can be finished."""
    signals: list[int] = []
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, lambda number, _: signals.append(number)) for kind in kinds]
    try:
        yield signals
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
