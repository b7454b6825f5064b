"""State of a network during training: weights, optimizer, moving average."""

import copy
from collections.abc import Iterable
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from training.engine.processes import reduce_tensor
from training.engine.training import TrainedNetwork


class ModelState:
    """A network in training, with its optimizer and its moving average.

    Parameters
    ----------
    network : TrainedNetwork
        Its module is moved to the device and trained in place.
    fabric : Fabric
        The processes that share the work.
    decay : float
        Decay of the moving average a step; smaller during the first steps.
    clip : float
        Largest norm of the gradient.
    """

    def __init__(
        self, network: TrainedNetwork, fabric: Fabric, *, decay: float, clip: float
    ) -> None:
        self.network = network
        self.fabric = fabric
        self.decay = decay
        self.clip = clip
        self.module = fabric.to_device(network.module).train()
        # Module.to takes a memory format, which its annotations lack.
        self.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.module).eval().requires_grad_(False)
        self.steps = 0
        self.skipped = 0
        self.optimizer = torch.optim.AdamW(
            self.module.parameters(),
            network.learning_rate,
            betas=network.betas,
            weight_decay=network.weight_decay,
        )

    def step(self, spent: float) -> float:
        """Descend the accumulated gradients, averaged over the processes.

        A step whose gradient is not finite is skipped and counted.

        Returns
        -------
        float
            Norm of the gradient before clipping.
        """
        self._average_gradients()
        norm = nn.utils.clip_grad_norm_(self.module.parameters(), self.clip)
        if not bool(norm.isfinite()):
            self.skipped += 1
            return float(norm)
        for group in self.optimizer.param_groups:
            group["lr"] = self.network.learning_rate * self.network.schedule(spent)
        self.optimizer.step()
        self.steps += 1
        self._update_average()
        return float(norm)

    def state(self) -> dict[str, Any]:
        """Return everything that training needs to continue."""
        return {
            "module": self.module.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.steps,
            "skipped": self.skipped,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.module.load_state_dict(state["module"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps, self.skipped = state["steps"], state["skipped"]

    @torch.no_grad()
    def _average_gradients(self) -> None:
        if self.fabric.world_size == 1:
            return
        parameters = list(self.module.parameters())
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        mean = reduce_tensor(self.fabric, flat, "mean")
        for parameter, part in zip(parameters, _split_like(mean, parameters), strict=True):
            parameter.grad = part

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.decay, self.steps / (self.steps + 20))
        pair = (list(module.parameters()) for module in (self.average, self.module))
        get_ema_multi_avg_fn(decay)(*pair, self.steps)


def _split_like(flat: Tensor, tensors: Iterable[Tensor]) -> list[Tensor]:
    sizes = [tensor.numel() for tensor in tensors]
    parts = zip(torch.split(flat, sizes), tensors, strict=True)
    return [part.view_as(tensor) for part, tensor in parts]
