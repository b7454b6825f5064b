"""Processing of all planes of an image, one after another or as lazy tasks."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..array_types import Array
from ..image.dask_planes import lazy_map, lazy_planes, lazy_range
from ..image.layout import Layout, plane_indices, read_window
from ..image.value_range import Ranges, range_of_plane
from ..inference.engine import Progress
from ..inference.resample import level_shape
from ..inference.storage import (
    MemoryStorage,
    Planes,
    WritablePlanes,
    memory_storage,
    storage_for,
)
from ..options import Options
from ..steps import run_to_end
from .plane import PlaneRun, Steps, translate_errors
from .progress import ProgressMeter

#: Takes the index of a plane, rows and columns, and the window (C, y, x) of its result.
WriteWindow = Callable[[tuple[int, ...], tuple[slice, slice], Array], None]


class PlaneWork(Protocol):
    """The extent of the work on one plane."""

    @property
    def layout(self) -> Layout:
        """Layout of the image."""

    @property
    def stages(self) -> int:
        """Number of passes over a plane."""

    @property
    def extra_pixels(self) -> int:
        """Pixels of each plane that are processed in addition to the passes over it."""


class PlaneProcess(PlaneWork, Protocol):
    """The work on one plane."""

    def steps(self, *planes: Planes, value_range: Any, run: PlaneRun) -> Steps[WritablePlanes]:
        """Return the result (C, Y, X) for one plane of every input.

        `value_range` is (low, high), or an array of such for each channel.
        """


@dataclass(frozen=True)
class Inputs:
    """Arrays that are processed plane by plane.

    Parameters
    ----------
    images : sequence of arrays
        The image, or both views, in the layout of the process.
    maps : sequence of (..., Y, X) arrays
        Radius and confidence of a map, of the image's shape without channels.
    """

    images: Sequence[Any]
    maps: Sequence[Any] = ()

    def planes(
        self, layout: Layout, index: tuple[int, ...], storage: MemoryStorage
    ) -> list[Planes]:
        """Return one plane (C, Y, X) of each array, read now or when its windows are."""
        layouts = [
            *((image, layout) for image in self.images),
            *((part, Layout(part.shape, part.dtype, None, "linear")) for part in self.maps),
        ]
        return [
            storage.view(
                (part_layout.channels, *layout.map_shape[-2:]),
                functools.partial(_window, array, part_layout, index),
            )
            for array, part_layout in layouts
        ]

    def lazy_planes(self, layout: Layout) -> list[Any]:
        """Return each array as dask planes (..., C, Y, X), one block a plane."""
        return [
            *(lazy_planes(image, layout) for image in self.images),
            *(lazy_map(part, layout) for part in self.maps),
        ]


def _window(
    array: Any, layout: Layout, index: tuple[int, ...], rows: slice, columns: slice
) -> Array:
    return read_window(array, layout, index, (rows, columns))


def process_planes(
    process: PlaneProcess,
    inputs: Inputs,
    value_range: Ranges,
    options: Options,
    write: WriteWindow,
    out: Any = None,
) -> Steps[None]:
    """Process every plane and write its result.

    Parameters
    ----------
    process : PlaneProcess
        The work on one plane.
    inputs : Inputs
        Arrays sliced like NumPy's.
    value_range : (float, float) or array
        Black and white of all planes or of each.
    options : Options
        Device, precision, tiles and storage.
    write : callable
        Writes a window of the result.
    out : array, optional
        The array that `write` writes to. Large planes are then processed block by block, with
        intermediate results in files beside it; without it, in memory.

    Yields
    ------
    Progress
    """
    layout = process.layout
    meter = plane_meter(process, options)
    for index in plane_indices(layout):
        with plane_storage(layout, options, out) as storage:
            planes = inputs.planes(layout, index, storage)
            result = yield from process.steps(
                *planes,
                value_range=range_of_plane(value_range, index),
                run=PlaneRun(options, meter, storage),
            )
            for block in storage.blocks(layout.map_shape, 1):
                write(index, block.slices, result[:, *block.slices])
    yield Progress(meter.total, meter.total)


def map_planes(
    process: PlaneProcess, inputs: Inputs, options: Options, *, channels: int, dtype: Any
) -> Any:
    """Return the results for all planes as a lazy dask array, a task a plane.

    Parameters
    ----------
    process : PlaneProcess
        The work on one plane.
    inputs : Inputs
        dask arrays; maps may be NumPy arrays.
    options : Options
        How values are read and how to compute.
    channels : int
        Channels of the result.
    dtype : data type
        Data type of the result.

    Returns
    -------
    (..., `channels`, Y, X) dask array
    """
    planes = inputs.lazy_planes(process.layout)
    return map_blocks(
        _process_block, planes, process, inputs, options, channels=channels, dtype=dtype
    )


def map_blocks(
    function: Callable[..., Array],
    planes: Sequence[Any],
    process: PlaneWork,
    inputs: Inputs,
    options: Options,
    *,
    channels: int,
    dtype: Any,
    **more: Any,
) -> Any:
    """Return what a function makes of the blocks of dask planes, as `map_planes` does.

    The function takes the blocks; as keywords the process, the options, the value range of the
    image, the block's index, and `more`.
    """
    import dask.array

    first, layout = planes[0], process.layout
    return dask.array.map_blocks(
        function,
        *planes,
        value_range=lazy_range(inputs.images[0], layout, options.value_range),
        process=process,  # dask computes delayed values in it
        options=options,
        dtype=dtype,
        chunks=(*first.chunks[:-3], (channels,), *first.chunks[-2:]),
        meta=np.empty((0,) * first.ndim, dtype),
        **more,
    )


def _process_block(
    *blocks: Array,
    value_range: Ranges,
    process: PlaneProcess,
    options: Options,
    block_id: tuple[int, ...],
) -> Array:
    """Process one plane, which is a block of each dask array; no progress is reported."""
    pair = range_of_plane(value_range, block_id[:-3])
    steps = process.steps(*map(as_plane, blocks), value_range=pair, run=block_run(options))
    return finish_block(steps, blocks[0])


def as_plane(block: Array) -> Array:
    """View a block (..., C, Y, X) of dask planes as its plane (C, Y, X)."""
    return block.reshape(block.shape[-3:])


def block_run(options: Options) -> PlaneRun:
    """Return a run in memory, whose progress nobody sees."""
    return PlaneRun(options, ProgressMeter(0), MemoryStorage())


def finish_block(steps: Steps[WritablePlanes], like: Array) -> Array:
    """Run steps to their end, and view their result (C, Y, X) as a block of as many axes."""
    result = run_to_end(translate_errors(steps))[:, :, :]
    return result.reshape(*like.shape[:-3], *result.shape)


def plane_meter(process: PlaneWork, options: Options) -> ProgressMeter:
    """Return a meter for the passes over all planes, in pixels that are computed."""
    factor = options.downscale if isinstance(options.downscale, int) else 1
    pixels = math.prod(level_shape(process.layout.map_shape, factor))
    planes = math.prod(process.layout.leading)
    return ProgressMeter(planes * (process.stages * pixels + process.extra_pixels))


def plane_storage(
    layout: Layout, options: Options, out: Any
) -> AbstractContextManager[MemoryStorage]:
    """Provide storage for one plane, in memory unless results are written to `out`."""
    if out is None:
        return memory_storage()
    return storage_for(layout.map_shape, options.tile, out)
