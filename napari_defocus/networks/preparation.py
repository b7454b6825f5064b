"""Preparation of networks for inference."""

from typing import TypeVar

import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)


def prepare_for_inference(network: N) -> N:
    """Set evaluation mode, no gradients and channels last, in place; return the network."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval().requires_grad_(False)


def is_prepared(network: nn.Module, device: torch.device) -> bool:
    """Return whether a network is prepared on a device: a copy takes as long as some tiles."""
    tensors = [*network.parameters(), *network.buffers()]
    return not any(module.training for module in network.modules()) and all(
        tensor.device == device
        and not tensor.requires_grad
        and (tensor.ndim != 4 or tensor.is_contiguous(memory_format=torch.channels_last))
        for tensor in tensors
    )
