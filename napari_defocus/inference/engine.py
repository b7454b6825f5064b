"""Run a network over a plane of any size, tile by tile."""

from __future__ import annotations

import copy
import threading
import time
import warnings
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from ..array_types import FloatArray, Mask
from ..errors import DefocusError, DeviceError
from ..options import Options
from .device import (
    NetworkInfo,
    choose_device,
    choose_precision,
    choose_tile_size,
    computing,
    is_out_of_memory,
)
from .executor import TileExecutor, current_executor
from .malloc import keep_freed_memory
from .tiles import OVERLAP, Box, halo, halves, plan_oblong_tiles, plan_tiles, round_up, window

if TYPE_CHECKING:
    import torch
    from torch import nn

#: Planes in the networks' form, (C, Y, X) each, whose channels follow each other.
Parts = tuple[FloatArray, ...]
#: Planes are padded to at least this, in pixels: networks shrink them several times.
_LEAST_SIDE = 64
#: Canceling takes as long as a tile: where tiles of "auto" size take more seconds, they are
#: halved, down to cores of this side in pixels; below, nearly all of the work would be for halos.
_LONGEST_TILE, _LEAST_HALF = 1.0, 128
#: One tile at a time: each uses all cores, and memory for more may not be there.
_TURN = threading.Lock()


@dataclass(frozen=True)
class Progress:
    """How far the work has come.

    Parameters
    ----------
    done, total : int
        Tiles done, and tiles in all as far as is known; `total` may change on the way.
    """

    done: int
    total: int


def infer(
    network: nn.Module,
    planes: FloatArray | Parts,
    options: Options,
    needed: Mask | None = None,
    core: Box | None = None,
) -> Generator[Progress, None, FloatArray]:
    """Run a network over a plane, yielding after every tile.

    Parameters
    ----------
    network : torch.nn.Module
        Takes and gives (N, C, H, W) float32 tensors and has a ``descriptor``; it is left as it is.
        A network that `prepared_copy` made is run itself and must not change meanwhile.
    planes : (C_in, Y, X) float32 array, or a tuple of such
        In the networks' form, finite; the channels of several follow each other.
    options : Options
        Device, precision and tiles.
    needed : (Y, X) bool array, optional
        Where the result matters; tiles whose core holds no such pixel are left out, and are zero.
    core : Box, optional
        The part whose result is wanted, by default all; what lies around it is only seen. Its
        sides lie at the plane's edges or at multiples of what the network asks for.

    Yields
    ------
    Progress

    Returns
    -------
    (C_out, Y, X) float32 array
        Of the plane, or of its `core`.

    Raises
    ------
    DeviceError
        If the device is missing, or out of memory even with the smallest tiles. With
        ``device="auto"`` the CPU takes over first, with a warning.
    DefocusError
        If the network fails otherwise.
    """
    runner = _Runner(network, choose_device(options.device), options.precision)
    parts = planes if isinstance(planes, tuple) else (planes,)
    canvas = _Canvas(parts, runner.facts, needed, core or Box(0, 0, *parts[0].shape[-2:]))
    canvas.cut(_cores(options.tile, runner, canvas))
    crew = current_executor()
    if crew is not None:
        yield from _by_others(crew, network, canvas, options)
        return canvas.result()
    with keep_freed_memory():
        while canvas.todo:
            try:
                with _TURN:
                    started = time.perf_counter()
                    result = runner.run(canvas.seen())
                    slow = time.perf_counter() - started > _LONGEST_TILE
            except (RuntimeError, MemoryError) as error:
                runner = _recover(error, canvas, runner, options)
                continue
            canvas.put(result)
            yield Progress(canvas.done, canvas.done + len(canvas.todo))
            if slow and options.tile == "auto" and canvas.largest() >= 2 * _LEAST_HALF:
                canvas.halve()
    return canvas.result()


def _by_others(
    crew: TileExecutor, network: nn.Module, canvas: _Canvas, options: Options
) -> Generator[Progress, None, None]:
    """Do all tiles in a crew's hands, some of them at a time."""
    futures: deque[Future[FloatArray]] = deque()
    try:
        while canvas.todo:
            while len(futures) < min(crew.size, len(canvas.todo)):
                inputs = canvas.seen(len(futures))
                futures.append(crew.executor.submit(run_tile, network, inputs, options))
            canvas.put(futures.popleft().result())
            yield Progress(canvas.done, canvas.done + len(canvas.todo))
    except DefocusError:
        raise
    except Exception as error:  # of the tile, or of whatever connects the workers
        raise DefocusError(f"the workers failed: {type(error).__name__}: {error}") from error
    finally:
        for future in futures:
            future.cancel()


def run_tile(network: nn.Module, parts: Parts, options: Options) -> FloatArray:
    """Return the network's result for a tile: what a worker of a crew does."""
    runner = _Runner(network, choose_device(options.device), options.precision)
    try:
        return runner.run(parts)
    except (RuntimeError, MemoryError) as error:
        raise _failure(error, runner.device) from error


def reach(network: nn.Module) -> int:
    """Return how far, in pixels, a network must see beyond the part whose result is wanted."""
    facts = cast(NetworkInfo, network.descriptor)
    return halo(facts.receptive_radius, facts.multiple)


def run_to_end(steps: Generator[Progress, None, FloatArray]) -> FloatArray:
    """Drain a generator of steps and return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return cast(FloatArray, stop.value)


class _Canvas:
    """A padded plane, the tiles still to do, and what the tiles done have given."""

    def __init__(self, parts: Parts, facts: NetworkInfo, needed: Mask | None, core: Box) -> None:
        height, width = parts[0].shape[-2:]
        self.core = core
        self.multiple = facts.multiple
        self.halo = halo(facts.receptive_radius, facts.multiple)
        self.parts = [_padded(part, facts.multiple) for part in parts]
        self.whole = Box(0, 0, *self.parts[0].shape[-2:])
        bottom = self.whole.bottom if core.bottom == height else core.bottom
        right = self.whole.right if core.right == width else core.right
        self.padded_core = Box(core.top, core.left, bottom, right)
        self.needed = needed
        self.todo: deque[Box] = deque()
        self.done = 0
        self.channels = facts.out_channels
        self.alone: FloatArray | None = None

    def cut(self, cores: list[Box]) -> None:
        """Take up the work of these cores, as far as they are needed."""
        self.todo.extend(filter(self._is_needed, cores))

    def halve(self) -> bool:
        """Halve the tiles still to do; False if they cannot get smaller."""
        smaller = [half for core in self.todo for half in halves(core, self.multiple)]
        downsample = len(smaller) > len(self.todo)
        self.todo = deque(filter(self._is_needed, smaller))
        return downsample

    def largest(self) -> int:
        """Return the longest side of the cores still to do."""
        return max((max(core.height, core.width) for core in self.todo), default=0)

    @cached_property
    def sums(self) -> tuple[FloatArray, FloatArray]:
        """Weighted results of the tiles, and their weights."""
        height, width = self.whole.height, self.whole.width
        total = np.zeros((self.channels, height, width), np.float32)
        return total, np.zeros((height, width), np.float32)

    def seen(self, ahead: int = 0) -> Parts:
        """Return what the next tile must see, or the one so many after it."""
        rows, columns = self._sight(ahead).slices
        return tuple(part[:, rows, columns] for part in self.parts)

    def put(self, result: FloatArray) -> None:
        """Add the next tile's result and strike the tile off."""
        core, sight = self.todo[0], self._sight()
        if core == self.padded_core:
            # its own memory: networks may hold on to what they give, and callers change results
            self.alone = result[:, *self.core.relative_to(sight).slices].copy()
        else:
            kept = core.expand(OVERLAP, self.whole)
            weight, (total, weights) = window(core, kept), self.sums
            total[:, *kept.slices] += weight * result[:, *kept.relative_to(sight).slices]
            weights[kept.slices] += weight
        self.todo.popleft()
        self.done += 1

    def result(self) -> FloatArray:
        """Return what is wanted; zero where no tile was needed."""
        if self.alone is not None:
            return self.alone
        total, weights = (sums[..., *self.core.slices] for sums in self.sums)
        total /= np.where(weights > 0, weights, 1)
        return total

    def _sight(self, ahead: int = 0) -> Box:
        return self.todo[ahead].expand(self.halo, self.whole)

    def _is_needed(self, core: Box) -> bool:
        return self.needed is None or bool(self.needed[core.slices].any())


class _Runner:
    """A network on a device, in a precision."""

    def __init__(self, network: nn.Module, device: torch.device, precision: str) -> None:
        from ..networks.preparation import is_prepared

        self.original = network
        self.wanted = precision
        self.device = device
        self.facts = cast(NetworkInfo, network.descriptor)
        self.precision = choose_precision(precision, self.facts)
        ready = is_prepared(network, device)
        self.network = network if ready else prepared_copy(network).to(device)

    def run(self, parts: Parts) -> FloatArray:
        """Return the network's result for (C, H, W) each, C_in in all, as (C_out, H, W)."""
        with computing(self.device, self.precision):
            result = self.network(_batch(parts).to(self.device))[0].float().cpu()
            return cast(FloatArray, result.contiguous().numpy())

    def on_cpu(self) -> _Runner:
        """Return the same network on the CPU."""
        import torch

        return _Runner(self.original, torch.device("cpu"), self.wanted)


def _batch(parts: Parts) -> torch.Tensor:
    """Return the channels of all parts, (1, C, H, W)."""
    import torch

    from ..networks.blocks import join_channels

    # torch takes no arrays that cannot be written to, such as gray shown as three channels
    writable = (np.require(part, requirements="W") for part in parts)
    return join_channels([torch.from_numpy(part)[None] for part in writable])


def prepared_copy(network: nn.Module) -> nn.Module:
    """Return a copy of a network that is prepared to run on the CPU."""
    from ..networks.preparation import prepare_for_inference

    return prepare_for_inference(copy.deepcopy(network))


def _padded(planes: FloatArray, multiple: int) -> FloatArray:
    """Reflect a plane beyond its bottom and right edge, to a size that networks accept."""
    rows, columns = (
        round_up(max(length, _LEAST_SIDE), multiple) - length for length in planes.shape[-2:]
    )
    if rows == columns == 0:
        return planes
    return np.pad(planes, ((0, 0), (0, rows), (0, columns)), mode="reflect")


def _cores(tile: int | str | None, runner: _Runner, canvas: _Canvas) -> list[Box]:
    whole, multiple = canvas.padded_core, canvas.multiple
    if tile is None:
        return [whole]
    if isinstance(tile, int):
        return plan_tiles(whole, tile, multiple)
    try:
        side = choose_tile_size(runner.original, runner.device, runner.precision)
    except (RuntimeError, MemoryError) as error:
        raise _failure(error, runner.device) from error
    return plan_oblong_tiles(whole, side, multiple, canvas.halo)


def _recover(
    error: RuntimeError | MemoryError, canvas: _Canvas, runner: _Runner, options: Options
) -> _Runner:
    """Make the work left smaller, or move it to the CPU, or say why it cannot be done."""
    import torch

    elsewhere = runner.device.type != "cpu"
    if is_out_of_memory(error):
        if elsewhere:
            torch.accelerator.empty_cache()
        if canvas.halve():
            return runner
        reason = "is out of memory"
    elif isinstance(error, NotImplementedError):
        reason = "lacks an operation"
    else:
        raise _failure(error, runner.device) from error
    if not elsewhere or options.device != "auto":
        raise _failure(error, runner.device) from error
    warnings.warn(f"{runner.device} {reason}; going on with the CPU", stacklevel=2)
    return runner.on_cpu()


def _failure(error: RuntimeError | MemoryError, device: torch.device) -> DefocusError:
    """Say in our own words, and no RuntimeError, what went wrong for good."""
    if is_out_of_memory(error):
        return DeviceError(
            f"{device} is out of memory even with the smallest tiles; close other programs, "
            "or give another device"
        )
    return DefocusError(f"the network failed on {device}: {error}")
