"""Network that runs on a device in a precision, and checks of what the device computes."""

from __future__ import annotations

import copy
import time
import warnings
from collections import defaultdict
from typing import TYPE_CHECKING, cast
from weakref import WeakSet

import numpy as np

from ..array_types import FloatArray
from .device import Precision, choose_precision, computing, network_info
from .tiles import round_up

if TYPE_CHECKING:
    import torch
    from torch import nn

#: Planes (C, Y, X) whose channels follow each other.
Parts = tuple[FloatArray, ...]
#: Kinds of devices that networks are tested on; what others compute is compared with the CPU.
_TESTED_DEVICES = {"cpu", "cuda"}
#: Side in pixels of the tile that is compared, and largest difference, relative to the values.
_SAMPLE_SIDE, _TOLERANCE = 128, 1e-3
#: Networks that agreed with the CPU, by kind of device, and those whose bfloat16 was timed.
_AGREEING: defaultdict[str, WeakSet[nn.Module]] = defaultdict(WeakSet)
_TIMED: WeakSet[nn.Module] = WeakSet()


class DeviceMismatch(RuntimeError):
    """A device computes other results than the CPU."""


class DeviceNetwork:
    """A network that runs on a device in a precision.

    Parameters
    ----------
    network : torch.nn.Module
        On the CPU, with a ``descriptor``; it is not changed.
    device : torch.device
        Device to run on.
    precision : {"auto", "float32", "bfloat16"}
        The option; see `choose_precision`.
    """

    def __init__(self, network: nn.Module, device: torch.device, precision: str) -> None:
        from ..networks.preparation import is_prepared

        self.original = network
        self._precision_option = precision
        self.device = device
        self.descriptor = network_info(network)
        self.precision = choose_precision(precision, device, self.descriptor)
        prepared = is_prepared(network, device)
        self.network = network if prepared else prepared_copy(network).to(device)

    def run(self, parts: Parts) -> FloatArray:
        """Return the network's result (C_out, H, W) for arrays (C, H, W) that are joined.

        Raises
        ------
        DeviceMismatch
            If the device computes other results than the CPU.
        RuntimeError, MemoryError
            If the network fails.
        """
        if self.device.type not in _TESTED_DEVICES:
            self._compare_with_cpu()
        if self.precision == "bfloat16" and self.device.type == "cpu":
            self._time_bfloat16()
        return self._compute(parts, self.precision)

    def on_cpu(self) -> DeviceNetwork:
        """Return the same network on the CPU."""
        import torch

        return DeviceNetwork(self.original, torch.device("cpu"), self._precision_option)

    def _compute(self, parts: Parts, precision: Precision) -> FloatArray:
        with computing(self.device, precision):
            result = self.network(_batch(parts).to(self.device))[0].float().cpu()
            return cast(FloatArray, result.contiguous().numpy())

    def _compare_with_cpu(self) -> None:
        """Compare a small tile with the CPU's, once for each network."""
        import torch

        agreeing = _AGREEING[self.device.type]
        if self.original in agreeing:
            return
        sample = self._sample()
        result = self._compute(sample, "float32")
        expected = DeviceNetwork(self.original, torch.device("cpu"), "float32")._compute(
            sample, "float32"
        )
        difference = float(np.abs(result - expected).max())
        if not difference <= _TOLERANCE * max(1.0, float(np.abs(expected).max())):
            raise DeviceMismatch(f"computes other results than the CPU (difference {difference:g})")
        agreeing.add(self.original)

    def _time_bfloat16(self) -> None:
        """Warn if float32 is faster on this processor, once for each network."""
        if self.original in _TIMED:
            return
        _TIMED.add(self.original)
        if self._seconds("bfloat16") > self._seconds("float32"):
            warnings.warn("float32 would be faster here than bfloat16", stacklevel=2)

    def _seconds(self, precision: Precision) -> float:
        sample, seconds = self._sample(), []
        for _ in range(3):  # the first prepares memory and kernels
            start = time.perf_counter()
            self._compute(sample, precision)
            seconds.append(time.perf_counter() - start)
        return min(seconds)

    def _sample(self) -> Parts:
        side = round_up(_SAMPLE_SIDE, self.descriptor.multiple)
        shape = (self.descriptor.in_channels, side, side)
        return (np.random.default_rng(0).random(shape, np.float32),)


def prepared_copy(network: nn.Module) -> nn.Module:
    """Return a copy of a network that is prepared to run on the CPU."""
    from ..networks.preparation import prepare_for_inference

    return prepare_for_inference(copy.deepcopy(network))


def _batch(parts: Parts) -> torch.Tensor:
    """Return the channels of all parts as one tensor (1, C, H, W)."""
    import torch

    from ..networks.blocks import join_channels

    # torch takes no read-only arrays, and gray that is repeated as three channels is read-only
    writable = (np.require(part, requirements="W") for part in parts)
    return join_channels([torch.from_numpy(part)[None] for part in writable])
