"""Choice of device, precision and size of tiles for a network."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal, Protocol, cast
from weakref import WeakKeyDictionary

from ..errors import DeviceError, OptionError
from .tiles import halo, round_up

if TYPE_CHECKING:
    import torch
    from torch import nn

Precision = Literal["float32", "bfloat16"]

_SMALLEST_SIDE, _LARGEST_SIDE = 64, 1024
_TILE_SECONDS = 0.5
#: Multiply-adds a second that one core reaches at least, by the CPU's vector instructions.
_CPU_SPEED = {"AVX512": 20e9, "AVX2": 10e9}
_SLOWEST = 5e9
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


def choose_device(name: str) -> torch.device:
    """Return the device of a name.

    Parameters
    ----------
    name : str
        "auto" (the accelerator if there is one, otherwise the CPU) or a name of torch's.

    Raises
    ------
    OptionError
        If it is no name of torch's.
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
            f"device is {name!r}; 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps' are accepted"
        ) from None
    if device.type == "cpu":
        return torch.device("cpu")
    count = torch.accelerator.device_count() if accelerator else 0
    if accelerator is None or device.type != accelerator.type or (device.index or 0) >= count:
        available = ["cpu", *(f"{accelerator.type}:{i}" for i in range(count) if accelerator)]
        raise DeviceError(f"there is no device {name!r}; there are: {', '.join(available)}")
    return device


def choose_precision(precision: str, descriptor: NetworkInfo) -> Precision:
    """Return the precision to compute in.

    "auto" is float32. bfloat16 changes results by more than tiles may differ from the whole, and is
    used only where it is asked for and the network stays accurate in it.
    """
    return "bfloat16" if precision == "bfloat16" and descriptor.bfloat16 else "float32"


def computing(device: torch.device, precision: Precision) -> ExitStack:
    """Return a context without gradients and with a precision, to run a network in.

    It must be left before a generator yields: other code then runs in the same thread.
    """
    import torch

    stack = ExitStack()
    stack.enter_context(torch.inference_mode())
    half = precision == "bfloat16"
    stack.enter_context(torch.autocast(device.type, dtype=torch.bfloat16, enabled=half))
    if device.type == "cuda":
        # float32 proper, not TF32 with its mantissas of 10 bits
        stack.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=half))
    return stack


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out, on any device."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)


def choose_tile_size(network: nn.Module, device: torch.device, precision: Precision) -> int:
    """Return the side of a tile's core for ``tile="auto"``, in pixels, without the halo.

    It follows from the network, the device and the precision. A tile takes about half a second:
    smaller ones cost more in halos, larger ones more memory.
    """
    import torch

    if device.type != "cpu":
        return _LARGEST_SIDE
    per_core = _CPU_SPEED.get(torch.backends.cpu.get_cpu_capability(), _SLOWEST)
    speed = per_core * torch.get_num_threads() * (2 if precision == "bfloat16" else 1)
    pixels = _TILE_SECONDS * speed / operations_per_pixel(network)
    descriptor = cast(NetworkInfo, network.descriptor)
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

    descriptor = cast(NetworkInfo, network.descriptor)
    side = round_up(_PROBE, descriptor.multiple)
    hooks = [layer.register_forward_hook(count) for layer in network.modules()]
    try:
        with torch.inference_mode():
            network(torch.zeros(1, descriptor.in_channels, side, side))
    finally:
        for hook in hooks:
            hook.remove()
    return max(sum(counts) / side**2, 1.0)
