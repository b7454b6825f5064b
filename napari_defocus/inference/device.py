"""Choice of device, precision and size of tiles for a network."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal, Protocol, cast
from weakref import WeakKeyDictionary

from ..errors import DeviceError, OptionError, quote
from .float32 import exact_float32
from .tiles import halo, round_up

if TYPE_CHECKING:
    import torch
    from torch import nn

Precision = Literal["float32", "bfloat16"]

#: Sides of the cores of "auto" tiles, in pixels: a larger one needs more memory than is safe.
_SMALLEST_SIDE, _LARGEST_SIDE = 64, 1024
#: Multiply-adds of a tile with its halo, by kind of device; tiles of others have the largest side.
#: One core with AVX2 computes some 17e9 a second: two need 1.3 s for a tile.
_TILE_OPERATIONS = {"cpu": 44e9}
#: Processors' instructions for bfloat16, by torch's names.
_BFLOAT16_INSTRUCTIONS = ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16")
#: Least side in pixels of the square on which a network's operations are counted.
_PROBE = 64
#: Operations per pixel of networks that are in use.
_OPERATIONS: WeakKeyDictionary[nn.Module, float] = WeakKeyDictionary()


class NetworkInfo(Protocol):
    """Properties of a network that the engine needs; every descriptor has them."""

    @property
    def receptive_radius(self) -> int:
        """Distance in pixels beyond which an input pixel has no effect."""

    @property
    def multiple(self) -> int:
        """Number that height and width must be multiples of."""

    @property
    def in_channels(self) -> int:
        """Number of input channels."""

    @property
    def out_channels(self) -> int:
        """Number of output channels."""

    @property
    def bfloat16(self) -> bool:
        """Whether results stay accurate under bfloat16 autocast."""


def network_info(network: nn.Module) -> NetworkInfo:
    """Return the descriptor of a network."""
    return cast(NetworkInfo, network.descriptor)


def choose_device(name: str) -> torch.device:
    """Return the device of a name.

    Parameters
    ----------
    name : str
        "auto" (the accelerator if there is one, otherwise the CPU) or a name of torch's.

    Raises
    ------
    OptionError
        If torch has no device of this name.
    DeviceError
        If this machine does not have the device.
    """
    import torch

    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if name == "auto":
        return accelerator or torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise OptionError(
            f"device is {quote(name)}; 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps' are accepted"
        ) from None
    if device.type == "cpu":
        return torch.device("cpu")
    count = torch.accelerator.device_count() if accelerator else 0
    if accelerator is None or device.type != accelerator.type or (device.index or 0) >= count:
        available = ["cpu", *(f"{accelerator.type}:{i}" for i in range(count) if accelerator)]
        raise DeviceError(f"there is no device {quote(name)}; there are: {', '.join(available)}")
    return device


def choose_precision(precision: str, device: torch.device, descriptor: NetworkInfo) -> Precision:
    """Return the precision to compute in.

    "auto" is float32. bfloat16 changes results by more than tiles may differ from the whole, and is
    used only where it is asked for, the network stays accurate in it, and the device has
    instructions for it; without them a warning says so.
    """
    if precision != "bfloat16" or not descriptor.bfloat16:
        return "float32"
    if not has_bfloat16(device):
        warnings.warn(
            f"{device} has no instructions for bfloat16; float32 is used instead", stacklevel=2
        )
        return "float32"
    return "bfloat16"


def has_bfloat16(device: torch.device) -> bool:
    """Return whether a device has instructions for bfloat16."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        # torch before 2.12 cannot tell
        capabilities: Mapping[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
        return any(capabilities.get(name, False) for name in _BFLOAT16_INSTRUCTIONS)
    return True


def computing(device: torch.device, precision: Precision) -> ExitStack:
    """Return a context without gradients, with a device and a precision, to run a network in.

    It must be left before a generator yields: other code then runs in the same thread.
    """
    import torch

    stack = ExitStack()
    stack.enter_context(torch.inference_mode())
    half = precision == "bfloat16"
    stack.enter_context(torch.autocast(device.type, dtype=torch.bfloat16, enabled=half))
    stack.enter_context(exact_float32(device.type))
    if torch.get_default_device() != device:  # checked, because the context slows all calls down
        stack.enter_context(device)
    return stack


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out, on any device."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)


def choose_tile_size(network: nn.Module, device: torch.device) -> int:
    """Return the side of a tile's core for ``tile="auto"``, in pixels, without the halo.

    It follows from the network and the kind of device alone, so that every machine cuts the same
    tiles. Smaller ones cost more in halos, larger ones delay canceling and need more memory.
    """
    if device.type not in _TILE_OPERATIONS:
        return _LARGEST_SIDE
    pixels = _TILE_OPERATIONS[device.type] / operations_per_pixel(network)
    descriptor = network_info(network)
    side = int(pixels**0.5) - 2 * halo(descriptor.receptive_radius, descriptor.multiple)
    return min(max(side // 64 * 64, _SMALLEST_SIDE), _LARGEST_SIDE)


def operations_per_pixel(network: nn.Module) -> float:
    """Return the number of multiply-adds of a network per pixel of its input.

    Parameters
    ----------
    network : torch.nn.Module
        On the CPU, with a ``descriptor``. A network without an attribute of this name is run once
        on a small square, and the operations of its convolutions are counted.
    """
    count = getattr(network, "operations_per_pixel", None)
    if count is not None:
        return float(count)
    if network not in _OPERATIONS:
        _OPERATIONS[network] = _count(network)
    return _OPERATIONS[network]


def _count(network: nn.Module) -> float:
    import torch
    from torch import nn

    counts = [0.0]

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        if isinstance(layer, nn.Conv2d):
            counts.append(output.numel() * layer.weight[0].numel())

    descriptor = network_info(network)
    side = round_up(_PROBE, descriptor.multiple)
    hooks = [layer.register_forward_hook(count) for layer in network.modules()]
    try:
        with computing(torch.device("cpu"), "float32"):
            network(torch.zeros(1, descriptor.in_channels, side, side, dtype=torch.float32))
    finally:
        for hook in hooks:
            hook.remove()
    return max(sum(counts) / side**2, 1.0)
