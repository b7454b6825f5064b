"""Gradient step of one network, in as many parts of the batch as memory requires."""

import logging
from collections.abc import Mapping

import torch
from lightning.fabric import Fabric

from napari_defocus.inference.device import is_out_of_memory
from training.data.rng import SampleRNG
from training.engine.model_state import ModelState
from training.engine.processes import reduce_tensor
from training.engine.training import Training, TrainingProgress
from training.errors import TrainingError

_log = logging.getLogger(__name__)


class GradientStepper:
    """Makes gradient steps, and remembers how many samples fit into memory at once.

    Parameters
    ----------
    fabric : Fabric
        The processes that share the work.
    training : Training
        Computes the losses.
    states : mapping of str to ModelState
        The networks of the training.
    rng : type of SampleRNG
        Class that draws the random numbers.
    seed : int
        Seed of all random numbers.
    batch : int
        Samples of a step over all processes.

    Attributes
    ----------
    at_once : int
        Samples that one process takes at once. It is halved when memory runs out; the gradients
        of the parts are then accumulated.
    """

    def __init__(
        self,
        fabric: Fabric,
        training: Training,
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
        self.fabric, self.training, self.states = fabric, training, states
        self.rng, self.seed = rng, seed
        self.share = batch // fabric.world_size
        self.at_once = self.share

    def step(self, name: str, order: int, progress: TrainingProgress) -> dict[str, float]:
        """Step one network, and return its losses averaged over the batch of all processes.

        `order` numbers the networks that step at this progress, so that each sees other samples.
        """
        state = self.states[name]
        for other in self.states.values():
            other.module.requires_grad_(other is state)
        losses = self._accumulate(state, name, order, progress)
        while losses is None:
            losses = self._accumulate(state, name, order, progress)
        state.step(progress.spent)
        return self._average(losses)

    def _accumulate(
        self, state: ModelState, name: str, order: int, progress: TrainingProgress
    ) -> dict[str, float] | None:
        """Accumulate the gradients of this process's samples, and return their losses.

        If memory runs out in any process, make the parts smaller in all, and return None.
        """
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
        if self._in_any_process(not sums):
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
            losses = self.training.losses(name, rng, progress)
        weight = len(samples) / self.share
        (losses["total"] * weight).backward()
        return {key: float(value.detach()) * weight for key, value in losses.items()}

    def _halve(self) -> None:
        if self.at_once == 1:
            raise TrainingError("out of memory with a single sample; choose smaller crops")
        self.at_once = -(-self.at_once // 2)
        if self.fabric.device.type == "cuda":
            torch.cuda.empty_cache()
        _log.warning("out of memory: going on with %d samples at once", self.at_once)

    def _in_any_process(self, condition: bool) -> bool:
        if self.fabric.world_size == 1:
            return condition
        flag = torch.tensor(float(condition))
        return bool(reduce_tensor(self.fabric, flag, "sum") > 0)

    def _average(self, losses: dict[str, float]) -> dict[str, float]:
        if self.fabric.world_size == 1:
            return losses
        means = reduce_tensor(self.fabric, torch.tensor(list(losses.values())), "mean").tolist()
        return dict(zip(losses, means, strict=True))
