"""A player while it is trained: optimizer, gradient over all processes, moving average."""

import copy
from collections.abc import Iterable
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from training.engine.task import TrainedNetwork


class ModelState:
    """A player with its optimizer and its moving average.

    Parameters
    ----------
    player : TrainedNetwork
        Its module is moved to the device and trained in place.
    fabric : Fabric
        The processes that share the work.
    average : float
        Decay of the moving average a step; it is quicker during the first steps.
    clip : float
        Largest norm of the gradient.
    """

    def __init__(
        self, player: TrainedNetwork, fabric: Fabric, *, average: float, clip: float
    ) -> None:
        self.player = player
        self.fabric = fabric
        self.decay = average
        self.clip = clip
        self.module = fabric.to_device(player.module).train()
        self.module.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.module).eval().requires_grad_(False)
        self.steps = 0
        self.skipped = 0
        self.optimizer = torch.optim.AdamW(
            self.module.parameters(),
            player.learning_rate,
            betas=player.betas,
            weight_decay=player.weight_decay,
        )

    def step(self, spent: float) -> float:
        """Descend the gradients at hand, averaged over the processes; their norm before clipping.

        A step whose gradient is not finite is left out and counted.
        """
        self._share_gradients()
        norm = nn.utils.clip_grad_norm_(self.module.parameters(), self.clip)
        if not bool(norm.isfinite()):
            self.skipped += 1
            return float(norm)
        for group in self.optimizer.param_groups:
            group["lr"] = self.player.learning_rate * self.player.schedule(spent)
        self.optimizer.step()
        self.steps += 1
        self._follow()
        return float(norm)

    def state(self) -> dict[str, Any]:
        """Everything that training needs to go on."""
        return {
            "module": self.module.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.steps,
            "skipped": self.skipped,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.module.load_state_dict(state["module"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps, self.skipped = state["steps"], state["skipped"]

    @torch.no_grad()
    def _share_gradients(self) -> None:
        if self.fabric.world_size == 1:
            return
        parameters = list(self.module.parameters())
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        shared = self.fabric.all_reduce(flat, reduce_op="mean")
        for parameter, part in zip(parameters, _split_like(shared, parameters), strict=True):
            parameter.grad = part

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(self.decay, self.steps / (self.steps + 20))
        pair = (list(module.parameters()) for module in (self.average, self.module))
        get_ema_multi_avg_fn(decay)(*pair, self.steps)


def _split_like(flat: Tensor, tensors: Iterable[Tensor]) -> list[Tensor]:
    sizes = [tensor.numel() for tensor in tensors]
    parts = zip(flat.split(sizes), tensors, strict=True)
    return [part.view_as(tensor) for part, tensor in parts]
