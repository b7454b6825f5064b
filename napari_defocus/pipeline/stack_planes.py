"""Processing of the planes of a stack, each with the help of its neighbors."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from ..array_types import Array
from ..image.dask_planes import lazy_neighbors
from ..image.value_range import Ranges, range_of_plane
from ..inference.engine import Progress
from ..inference.storage import Planes, WritablePlanes
from ..options import Options
from .neighbors import Neighbors
from .plane import PlaneRun, Steps
from .planes import (
    Inputs,
    PlaneWork,
    WriteWindow,
    as_plane,
    block_run,
    finish_block,
    map_blocks,
    plane_meter,
    plane_storage,
)
from .progress import ProgressMeter

P = TypeVar("P")


class StackProcess(PlaneWork, Protocol[P]):
    """The work on one plane, of which other planes of its stack take part."""

    def guided(self, planes: Sequence[Planes], value_range: Any, run: PlaneRun) -> P:
        """Return a plane of every input, with what is made of it when first needed, and kept."""

    def deblur(self, own: P, neighbors: Sequence[P], run: PlaneRun) -> Steps[WritablePlanes]:
        """Return the result (C, Y, X) for a plane."""


def process_stack(
    process: StackProcess[P],
    inputs: Inputs,
    neighbors: Neighbors,
    value_range: Ranges,
    options: Options,
    write: WriteWindow,
    out: Any = None,
) -> Steps[None]:
    """Process every plane with the help of its neighbors, and write its result.

    Each plane is read once, and what is made of it is kept until its last neighbor is done.

    Parameters
    ----------
    process : StackProcess
        The work on one plane.
    neighbors : Neighbors
        Which planes belong together.
    inputs, value_range, options, write, out
        As for :func:`napari_defocus.pipeline.planes.process_planes`.

    Yields
    ------
    Progress
    """
    layout, meter = process.layout, plane_meter(process, options)
    with closing(_KeptPlanes(process, inputs, options, meter, out)) as kept:
        for index in neighbors.order():
            around = neighbors.around(index)
            kept.keep(around)
            pair = range_of_plane(value_range, index)
            own, *others = (kept.plane(each, pair) for each in around)
            with plane_storage(layout, options, out) as storage:
                result = yield from process.deblur(own, others, PlaneRun(options, meter, storage))
                for block in storage.blocks(layout.map_shape, 1):
                    write(index, block.slices, result[:, *block.slices])
    yield Progress(meter.total, meter.total)


def map_stack(
    process: StackProcess[P],
    inputs: Inputs,
    neighbors: Neighbors,
    options: Options,
    *,
    channels: int,
    dtype: Any,
) -> Any:
    """Return the results for all planes as a lazy dask array, a task a plane.

    Parameters and result are those of `process_stack` and
    :func:`napari_defocus.pipeline.planes.map_planes`.
    """
    own = inputs.lazy_planes(process.layout)
    planes = [
        lazy_neighbors(each, neighbors.place, step) for step in neighbors.steps for each in own
    ]
    return map_blocks(
        _process_block,
        planes,
        process,
        inputs,
        options,
        channels=channels,
        dtype=dtype,
        neighbors=neighbors,
    )


def _process_block(
    *blocks: Array,
    value_range: Ranges,
    process: StackProcess[P],
    options: Options,
    neighbors: Neighbors,
    block_id: tuple[int, ...],
) -> Array:
    """Process one plane; blocks of neighbors that do not exist repeat it, and are left out."""
    index, count, run = block_id[:-3], len(blocks) // len(neighbors.steps), block_run(options)
    pair = range_of_plane(value_range, index)
    planes = [as_plane(block) for block in blocks]
    own, *others = (
        process.guided(planes[number * count : (number + 1) * count], pair, run)
        for number, step in enumerate(neighbors.steps)
        if step in neighbors.existing(index)
    )
    return finish_block(process.deblur(own, others, run), blocks[0])


@dataclass
class _Kept(Generic[P]):
    """One plane of every input, and what is made of it by value range."""

    planes: list[Planes]
    run: PlaneRun
    opened: ExitStack
    guided: dict[bytes, P] = field(default_factory=dict)


class _KeptPlanes(Generic[P]):
    """Planes of a stack that are read once and kept while they are needed.

    Parameters
    ----------
    process, inputs, options, out
        As for `process_stack`.
    meter : ProgressMeter
        Counts the progress of all planes.
    """

    def __init__(
        self,
        process: StackProcess[P],
        inputs: Inputs,
        options: Options,
        meter: ProgressMeter,
        out: Any,
    ) -> None:
        self._process, self._inputs = process, inputs
        self._options, self._meter, self._out = options, meter, out
        self._kept: dict[tuple[int, ...], _Kept[P]] = {}

    def plane(self, index: tuple[int, ...], value_range: Any) -> P:
        """Return a plane with what is made of it, as a value range has it."""
        if index not in self._kept:
            self._kept[index] = self._read(index)
        kept, key = self._kept[index], np.asarray(value_range, float).tobytes()
        if key not in kept.guided:
            kept.guided[key] = self._process.guided(kept.planes, value_range, kept.run)
        return kept.guided[key]

    def keep(self, indices: Sequence[tuple[int, ...]]) -> None:
        """Forget all other planes."""
        for index in self._kept.keys() - set(indices):
            self._kept.pop(index).opened.close()

    def close(self) -> None:
        """Forget all planes."""
        self.keep(())

    def _read(self, index: tuple[int, ...]) -> _Kept[P]:
        layout = self._process.layout
        with ExitStack() as stack:
            storage = stack.enter_context(plane_storage(layout, self._options, self._out))
            planes = self._inputs.planes(layout, index, storage)
            run = PlaneRun(self._options, self._meter, storage)
            return _Kept(planes, run, stack.pop_all())
