"""Inference over a plane of any size, tile by tile."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import FloatArray, Mask
from ..errors import DefocusError, DeviceError
from ..options import Options
from .device import (
    NetworkInfo,
    choose_device,
    choose_tile_size,
    is_out_of_memory,
    network_info,
)
from .executor import TileExecutor, current_executor
from .malloc import keep_freed_memory
from .runner import DeviceMismatch, DeviceNetwork, Parts
from .tiles import (
    OVERLAP,
    Box,
    blending_weights,
    bounding_box,
    cut_to_mask,
    halo,
    halves,
    plan_oblong_tiles,
    plan_tiles,
    round_up,
)

if TYPE_CHECKING:
    import torch
    from torch import nn

#: Planes are padded to at least this side in pixels, because networks shrink them several times.
_LEAST_SIDE = 64
#: Held while a tile is computed: it uses all cores, and there may be no memory for a second one.
_TILE_LOCK = threading.Lock()


def _reset_after_fork() -> None:
    """Forget, in a forked process, the threads that only its parent has.

    One of them may hold the lock; and torch waits for its own forever if it computes with several.
    """
    global _TILE_LOCK
    _TILE_LOCK = threading.Lock()
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)


@dataclass(frozen=True)
class Progress:
    """How far the work has come.

    Parameters
    ----------
    done, total : int
        Work done, and in all: tiles in `infer`, pixels in a job; `total` grows where tiles are
        halved.
    """

    done: int
    total: int


def infer(
    network: nn.Module,
    planes: FloatArray | Parts,
    options: Options,
    mask: Mask | None = None,
    core: Box | None = None,
) -> Generator[Progress, None, FloatArray]:
    """Run a network over a plane, yielding after every tile.

    Parameters
    ----------
    network : torch.nn.Module
        Maps (N, C, H, W) float32 tensors to tensors of that form, and has a ``descriptor``. A
        copy of it is run, unless it is prepared already (see `prepared_copy`): then it must not
        change meanwhile.
    planes : (C_in, Y, X) float32 array, or a tuple of such
        Finite display values. The channels of several arrays follow each other.
    options : Options
        Device, precision and tiles.
    mask : (Y, X) bool array, optional
        Pixels whose result is used. Tiles are trimmed to them, or left out; elsewhere the result
        is zero.
    core : Box, optional
        Part of the plane to return the result of, by default all. The network also reads what lies
        around it. Its sides lie at the plane's edges or at the network's multiples.

    Yields
    ------
    Progress

    Returns
    -------
    (C_out, Y, X) float32 array
        Result for the plane, or for its `core`.

    Raises
    ------
    DeviceError
        If the device is missing, or out of memory even with the smallest tiles. With
        ``device="auto"`` the CPU continues the work instead, with a warning.
    DefocusError
        If the network fails otherwise.
    """
    runner = DeviceNetwork(network, choose_device(options.device), options.precision)
    parts = planes if isinstance(planes, tuple) else (planes,)
    canvas = _Canvas(parts, runner.descriptor, mask, core or Box(0, 0, *parts[0].shape[-2:]))
    canvas.cut(_plan_cores(options.tile, runner, canvas))
    workers = current_executor()
    if workers is not None:
        yield from _compute_on_workers(workers, network, canvas, options)
        return canvas.result()
    with keep_freed_memory():
        while canvas.pending:
            try:
                with _TILE_LOCK:
                    result = runner.run(canvas.tile_input())
            except (RuntimeError, MemoryError) as error:
                runner = _recover(error, canvas, runner, options)
                continue
            canvas.add(result)
            yield Progress(canvas.done, canvas.done + len(canvas.pending))
    return canvas.result()


def _compute_on_workers(
    workers: TileExecutor, network: nn.Module, canvas: _Canvas, options: Options
) -> Generator[Progress, None, None]:
    """Let the workers of an executor compute all tiles, several at a time."""
    futures: deque[Future[FloatArray]] = deque()
    try:
        while canvas.pending:
            while len(futures) < min(workers.size, len(canvas.pending)):
                inputs = canvas.tile_input(len(futures))
                futures.append(workers.executor.submit(run_tile, network, inputs, options))
            canvas.add(futures.popleft().result())
            yield Progress(canvas.done, canvas.done + len(canvas.pending))
    except DefocusError:
        raise
    except Exception as error:  # of the tile, or of whatever connects the workers
        raise DefocusError(f"the workers failed: {type(error).__name__}: {error}") from error
    finally:
        for future in futures:
            future.cancel()


def run_tile(network: nn.Module, parts: Parts, options: Options) -> FloatArray:
    """Return the network's result for a tile, on a worker."""
    runner = DeviceNetwork(network, choose_device(options.device), options.precision)
    try:
        return runner.run(parts)
    except (RuntimeError, MemoryError) as error:
        raise _failure(error, runner.device) from error


def reach(network: nn.Module) -> int:
    """Return how far beyond a part of the plane a network must read for its result, in pixels."""
    descriptor = network_info(network)
    return halo(descriptor.receptive_radius, descriptor.multiple)


class _Canvas:
    """A padded plane, the tiles that are pending, and the sum of the results so far."""

    def __init__(self, parts: Parts, descriptor: NetworkInfo, mask: Mask | None, core: Box) -> None:
        height, width = parts[0].shape[-2:]
        self.core = core
        self.multiple = descriptor.multiple
        self.halo = halo(descriptor.receptive_radius, descriptor.multiple)
        self.parts = [_pad(part, descriptor.multiple) for part in parts]
        self.whole = Box(0, 0, *self.parts[0].shape[-2:])
        bottom = self.whole.bottom if core.bottom == height else core.bottom
        right = self.whole.right if core.right == width else core.right
        self.padded_core = Box(core.top, core.left, bottom, right)
        self.mask = mask
        self.pending: deque[Box] = deque()
        self.done = 0
        self.channels = descriptor.out_channels
        self._single_tile: FloatArray | None = None

    def cut(self, cores: list[Box]) -> None:
        """Add the tiles of these cores, as far as they are needed."""
        self.pending.extend(self._trim(cores))

    def halve(self) -> bool:
        """Halve the pending tiles; return False if they cannot get smaller."""
        smaller = [half for core in self.pending for half in halves(core, self.multiple)]
        halved = len(smaller) > len(self.pending)
        self.pending = deque(self._trim(smaller))
        return halved

    def largest(self) -> int:
        """Return the longest side of the pending cores, in pixels."""
        return max((max(core.height, core.width) for core in self.pending), default=0)

    @cached_property
    def sums(self) -> tuple[FloatArray, FloatArray]:
        """Sum of the tiles' weighted results, and sum of their weights."""
        height, width = self.whole.height, self.whole.width
        total = np.zeros((self.channels, height, width), np.float32)
        return total, np.zeros((height, width), np.float32)

    def tile_input(self, position: int = 0) -> Parts:
        """Return the input of a pending tile, by default of the next one."""
        rows, columns = self._input_box(position).slices
        return tuple(part[:, rows, columns] for part in self.parts)

    def add(self, result: FloatArray) -> None:
        """Add the result of the next tile, which is then done."""
        core, input_box = self.pending[0], self._input_box()
        if core == self.padded_core:
            # copied, because a network may keep its output and return it again
            self._single_tile = result[:, *self.core.relative_to(input_box).slices].copy()
        else:
            area = core.expand(OVERLAP, self.whole)
            weight, (total, weights) = blending_weights(core, area), self.sums
            total[:, *area.slices] += weight * result[:, *area.relative_to(input_box).slices]
            weights[area.slices] += weight
        self.pending.popleft()
        self.done += 1

    def result(self) -> FloatArray:
        """Return the result for the core; zero where no tile was needed."""
        if self._single_tile is not None:
            return self._single_tile
        total, weights = (sums[..., *self.core.slices] for sums in self.sums)
        total /= np.where(weights > 0, weights, 1)
        return total

    def _input_box(self, position: int = 0) -> Box:
        return self.pending[position].expand(self.halo, self.whole)

    def needed_core(self) -> Box | None:
        """Return the part of the core that holds all pixels of the mask, if there are any."""
        if self.mask is None:
            return self.padded_core
        return bounding_box(self.mask, self.padded_core, self.multiple)

    def _trim(self, cores: Iterable[Box]) -> Iterator[Box]:
        """Yield the parts of cores that hold all pixels of the mask; none where there are none."""
        for core in cores:
            if self.mask is None:
                yield core
            else:
                yield from cut_to_mask(self.mask, core, self.multiple, self.halo)


def _pad(planes: FloatArray, multiple: int) -> FloatArray:
    """Extend a plane by reflection at its bottom and right edge, to a size that networks accept."""
    rows, columns = (
        round_up(max(length, _LEAST_SIDE), multiple) - length for length in planes.shape[-2:]
    )
    if rows == columns == 0:
        return planes
    return np.pad(planes, ((0, 0), (0, rows), (0, columns)), mode="reflect")


def _plan_cores(tile: int | str | None, runner: DeviceNetwork, canvas: _Canvas) -> list[Box]:
    """Return the cores that an option for tiles means."""
    whole, multiple = canvas.needed_core(), canvas.multiple
    if whole is None:
        return []
    if tile is None:
        return [whole]
    if isinstance(tile, int):
        return plan_tiles(whole, tile, multiple)
    try:
        side = choose_tile_size(runner.original, runner.device)
    except (RuntimeError, MemoryError) as error:
        raise _failure(error, runner.device) from error
    return plan_oblong_tiles(whole, side, multiple, canvas.halo)


def _recover(
    error: RuntimeError | MemoryError, canvas: _Canvas, runner: DeviceNetwork, options: Options
) -> DeviceNetwork:
    """Halve the pending tiles or move to the CPU; raise a DefocusError where neither helps."""
    import torch

    on_accelerator = runner.device.type != "cpu"
    if is_out_of_memory(error):
        if on_accelerator:
            torch.accelerator.empty_cache()
        if canvas.halve():
            warnings.warn(
                f"{runner.device} is out of memory; going on with tiles of at most "
                f"{canvas.largest()} pixels",
                stacklevel=2,
            )
            return runner
        reason = "is out of memory"
    elif isinstance(error, NotImplementedError):
        reason = "lacks an operation"
    elif isinstance(error, DeviceMismatch):
        reason = str(error)
    else:
        raise _failure(error, runner.device) from error
    if not on_accelerator or options.device != "auto":
        raise _failure(error, runner.device) from error
    warnings.warn(f"{runner.device} {reason}; going on with the CPU", stacklevel=2)
    return runner.on_cpu()


def _failure(error: RuntimeError | MemoryError, device: torch.device) -> DefocusError:
    """Return the error to raise; no RuntimeError, which napari's workers swallow."""
    if is_out_of_memory(error):
        return DeviceError(
            f"{device} is out of memory even with the smallest tiles; close other programs, "
            "or choose another device"
        )
    if isinstance(error, DeviceMismatch):
        return DeviceError(f"{device} {error}; choose the device 'cpu'")
    return DefocusError(f"the network failed on {device}: {error}")
