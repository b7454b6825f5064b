"""Planes and value range of dask images, computed when first needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array_types import Array
from .layout import Layout, as_planes, plane_indices
from .measured import JOINED, Measured, join_measured, measure_plane
from .value_range import choose_range, range_needs_no_values


def lazy_planes(image: Any, layout: Layout) -> Any:
    """View a dask image as (..., C, Y, X), one block a plane."""
    planes = as_planes(image, layout)
    return planes.rechunk((1,) * len(layout.leading) + (-1, -1, -1))


def lazy_map(image: Any, layout: Layout) -> Any:
    """View a map (..., Y, X), NumPy or dask, as dask (..., 1, Y, X), one block a plane."""
    import dask.array

    planes = dask.array.asarray(image)[..., None, :, :]
    return planes.rechunk((1,) * len(layout.leading) + (-1, -1, -1))


def lazy_neighbors(planes: Any, place: int, step: int) -> Any:
    """Return, for each plane (..., C, Y, X), the one that follows it by -1, 0 or 1 along an axis.

    At the ends it is the plane itself.
    """
    import dask.array

    if not step:
        return planes
    order = np.clip(np.arange(planes.shape[place]) + step, 0, planes.shape[place] - 1)
    return dask.array.take(planes, order, axis=place).rechunk(planes.chunks)


def lazy_range(image: Any, layout: Layout, value_range: Any) -> Any:
    """Return black and white of a whole dask image, measured once, when first needed.

    Returns
    -------
    (float, float), an array of such, or a delayed one of dask
        Delayed unless :func:`napari_defocus.image.value_range.range_needs_no_values`.
    """
    if range_needs_no_values(layout, value_range):
        return choose_range(layout, value_range)
    import dask

    # pure: the jobs of a map and of a picture share the measurement in one graph
    measure, join = (dask.delayed(each, pure=True) for each in (_measure_block, join_measured))
    blocks = lazy_planes(image, layout).to_delayed().ravel()
    parts = [
        measure(block, layout, index)
        for block, index in zip(blocks, plane_indices(layout), strict=True)
    ]
    while len(parts) > 1:
        parts = [join(parts[i : i + JOINED], layout) for i in range(0, len(parts), JOINED)]
    return dask.delayed(choose_range, pure=True)(layout, None, parts[0])


def _measure_block(block: Array, layout: Layout, index: tuple[int, ...]) -> Measured:
    plane = block.reshape(block.shape[-3:])
    return measure_plane(lambda rows: plane[:, rows], layout, index)
