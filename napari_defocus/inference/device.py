"""On which device, in which precision and with which tiles a network is run."""

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
#: Multiply-adds a second that one core can be trusted to reach, by the CPU's vector instructions.
_CPU_SPEED = {"AVX512": 20e9, "AVX2": 10e9}
_SLOWEST = 5e9
#: Least side in pixels of the square on which a network's work is counted.
_PROBE = 64
#: What has been counted before, of networks that are still in use.
_COUNTED: WeakKeyDictionary[nn.Module, float] = WeakKeyDictionary()


class NetworkInfo(Protocol):
    """What the engine must know of a network; every descriptor tells it."""

    @property
    def receptive_radius(self) -> int:
        """Distance in pixels beyond which an input pixel cannot matter."""

    @property
    def multiple(self) -> int:
        """Height and width must be multiples of this."""

    @property
    def in_channels(self) -> int:
        """Number of input channels."""

    @property
    def out_channels(self) -> int:
        """Number of output channels."""

    @property
    def bfloat16(self) -> bool:
        """Whether half precision is good enough inside."""


def choose_device(name: str) -> torch.device:
    """Return the device that a name means on this machine.

    Parameters
    ----------
    name : str
        "auto" or one of torch's names.

    Raises
    ------
    OptionError
        If torch knows no such name.
    DeviceError
        If this machine does not have the device; names those it has.
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
        there = ["cpu", *(f"{accelerator.type}:{i}" for i in range(count) if accelerator)]
        raise DeviceError(f"there is no device {name!r} here; there are: {', '.join(there)}")
    return device


def choose_precision(precision: str, facts: NetworkInfo) -> Precision:
    """Return the precision to compute in.

    "auto" is float32: half precision changes a result by more than tiles may differ from the whole.
    bfloat16 is for networks that keep their quality in it; others stay with float32.
    """
    return "bfloat16" if precision == "bfloat16" and facts.bfloat16 else "float32"


def computing(device: torch.device, precision: Precision) -> ExitStack:
    """Return the context to run a network in: no gradients, and the precision asked for.

    It holds for the running thread only, and must be left before control goes elsewhere.
    """
    import torch

    stack = ExitStack()
    stack.enter_context(torch.inference_mode())
    half = precision == "bfloat16"
    stack.enter_context(torch.autocast(device.type, dtype=torch.bfloat16, enabled=half))
    if device.type == "cuda":
        # float32 means it: no 10-bit mantissas in convolutions
        stack.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=half))
    return stack


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on any device."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)


def choose_tile_size(network: nn.Module, device: torch.device, precision: Precision) -> int:
    """Return the side of a tile's core, in pixels and halo not counted, for ``tile="auto"``.

    It follows from the network, the device and the precision alone, so that the same work is always
    cut into the same tiles: as large as is done in about half a second, since what halos cost grows
    as tiles shrink, and no larger than memory easily holds.
    """
    import torch

    if device.type != "cpu":
        return _LARGEST_SIDE
    per_core = _CPU_SPEED.get(torch.backends.cpu.get_cpu_capability(), _SLOWEST)
    speed = per_core * torch.get_num_threads() * (2 if precision == "bfloat16" else 1)
    pixels = _TILE_SECONDS * speed / operations_per_pixel(network)
    facts = cast(NetworkInfo, network.descriptor)
    side = int(pixels**0.5) - 2 * halo(facts.receptive_radius, facts.multiple)
    return min(max(side // 64 * 64, _SMALLEST_SIDE), _LARGEST_SIDE)


def operations_per_pixel(network: nn.Module) -> float:
    """Return how many multiply-adds a network takes per pixel of its input.

    Parameters
    ----------
    network : torch.nn.Module
        On the CPU, with a ``descriptor``. If it does not say so itself, as an attribute of this
        name, it is run once on a small square, and its convolutions are counted.
    """
    count = getattr(network, "operations_per_pixel", None)
    if count is not None:
        return float(count)
    if network not in _COUNTED:
        _COUNTED[network] = _count(network)
    return _COUNTED[network]


def _count(network: nn.Module) -> float:
    import torch
    from torch import nn

    counts = [0.0]

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        if isinstance(layer, nn.Conv2d):
            counts.append(output.numel() * layer.weight[0].numel())

    facts = cast(NetworkInfo, network.descriptor)
    side = round_up(_PROBE, facts.multiple)
    hooks = [layer.register_forward_hook(count) for layer in network.modules()]
    try:
        with torch.inference_mode():
            network(torch.zeros(1, facts.in_channels, side, side))
    finally:
        for hook in hooks:
            hook.remove()
    return max(sum(counts) / side**2, 1.0)
