"""One player's turn: the loss of its samples, in as many parts as memory asks for."""

import logging
from collections.abc import Mapping

import torch
from lightning.fabric import Fabric
from torch import Tensor

from napari_defocus.inference.device import is_out_of_memory
from training.data.rng import SampleRNG
from training.engine.model_state import ModelState
from training.engine.task import Task, TrainingProgress
from training.errors import TrainingError

_log = logging.getLogger(__name__)


class GradientStepper:
    """Takes turns, and remembers how many samples fit into memory at once.

    Parameters
    ----------
    fabric : Fabric
        The processes that share the work.
    task : Task
        What is trained.
    states : mapping of str to ModelState
        Its networks.
    rng : type of SampleRNG
        How random numbers are drawn.
    seed : int
        Of all that is drawn.
    batch : int
        Samples of a turn over all processes.

    Attributes
    ----------
    at_once : int
        Samples that one process takes at once; halved where memory does not suffice, the gradients
        then being accumulated.
    """

    def __init__(
        self,
        fabric: Fabric,
        task: Task,
        states: Mapping[str, ModelState],
        rng: type[SampleRNG] = SampleRNG,
        *,
        seed: int,
        batch: int,
    ) -> None:
        if batch < 1 or batch % fabric.world_size:
            raise TrainingError(
                f"batch is {batch}; a multiple of the {fabric.world_size} processes is expected"
            )
        self.fabric, self.task, self.states = fabric, task, states
        self.rng, self.seed = rng, seed
        self.share = batch // fabric.world_size
        self.at_once = self.share

    def step(self, name: str, order: int, progress: TrainingProgress) -> dict[str, float]:
        """Let a player step; the means of its loss terms over the batch of all processes."""
        state = self.states[name]
        for other in self.states.values():
            other.module.requires_grad_(other is state)
        terms = self._accumulated(state, name, order, progress)
        while terms is None:
            terms = self._accumulated(state, name, order, progress)
        state.step(progress.spent)
        return self._shared(terms)

    def _accumulated(
        self, state: ModelState, name: str, order: int, progress: TrainingProgress
    ) -> dict[str, float] | None:
        """Gradients of this process's samples; None, and smaller parts, if memory ran out."""
        state.optimizer.zero_grad(set_to_none=True)
        first = self.fabric.global_rank * self.share
        samples = range(first, first + self.share)
        try:
            sums: dict[str, float] = {}
            for start in range(0, self.share, self.at_once):
                part = samples[start : start + self.at_once]
                for key, value in self._backward(name, order, part, progress).items():
                    sums[key] = sums.get(key, 0.0) + value
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            sums = {}
        if self._any(not sums):
            self._halve()
            return None
        return sums

    def _backward(
        self, name: str, order: int, samples: range, progress: TrainingProgress
    ) -> dict[str, float]:
        rng = self.rng.from_key(
            self.seed, progress.step, order, samples=samples, device=self.fabric.device
        )
        with self.fabric.autocast():
            terms = self.task.losses(name, rng, progress)
        weight = len(samples) / self.share
        (terms["total"] * weight).backward()
        return {key: float(value.detach()) * weight for key, value in terms.items()}

    def _halve(self) -> None:
        if self.at_once == 1:
            raise TrainingError("out of memory with a single sample; choose smaller crops")
        self.at_once = -(-self.at_once // 2)
        if self.fabric.device.type == "cuda":
            torch.cuda.empty_cache()
        _log.warning("out of memory: going on with %d samples at once", self.at_once)

    def _any(self, here: bool) -> bool:
        if self.fabric.world_size == 1:
            return here
        flag = torch.tensor(float(here), device=self.fabric.device)
        return bool(self.fabric.all_reduce(flag, reduce_op="sum") > 0)

    def _shared(self, terms: dict[str, float]) -> dict[str, float]:
        if self.fabric.world_size == 1:
            return terms
        values: Tensor = torch.tensor(list(terms.values()), device=self.fabric.device)
        means = self.fabric.all_reduce(values, reduce_op="mean").tolist()
        return dict(zip(terms, means, strict=True))
