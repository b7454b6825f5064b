"""Reduction of tensors over the processes of a training."""

from typing import Literal

from lightning.fabric import Fabric
from torch import Tensor


def reduce_tensor(fabric: Fabric, tensor: Tensor, operation: Literal["mean", "sum"]) -> Tensor:
    """Return the mean or the sum of a tensor over all processes, on the device of this one."""
    reduced = fabric.all_reduce(tensor.to(fabric.device), reduce_op=operation)
    assert isinstance(reduced, Tensor)  # Fabric also reduces collections
    return reduced
