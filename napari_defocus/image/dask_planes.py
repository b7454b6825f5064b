"""Planes and value range of dask images, computed when first needed."""

from __future__ import annotations

from typing import Any, cast

from .layout import Layout, as_planes, is_dask
from .value_range import (
    Ranges,
    choose_range,
    extremes,
    extremes_to_keep,
    join_extremes,
    range_needs_no_values,
    scan_range,
)

#: Number of parts that are joined at a time when the range of a large image is measured.
_JOINED = 8


def lazy_planes(image: Any, layout: Layout) -> Any:
    """View a dask image as (..., C, Y, X), one block a plane."""
    planes = as_planes(image, layout)
    return planes.rechunk((1,) * len(layout.leading) + (-1, -1, -1))


def lazy_map(image: Any, layout: Layout) -> Any:
    """View a map (..., Y, X), NumPy or dask, as dask (..., 1, Y, X), one block a plane."""
    import dask.array

    planes = dask.array.asarray(image)[..., None, :, :]
    return planes.rechunk((1,) * len(layout.leading) + (-1, -1, -1))


def lazy_range(image: Any, layout: Layout, value_range: Any) -> Any:
    """Return black and white of a whole dask image, measured once, when first needed.

    Returns
    -------
    (float, float), an array of such, or a delayed pair of dask
        A delayed pair unless :func:`napari_defocus.image.value_range.range_needs_no_values`.
    """
    if range_needs_no_values(layout, value_range):
        return choose_range(layout, value_range)
    import dask

    keep = extremes_to_keep(layout)
    find, join = dask.delayed(extremes), dask.delayed(join_extremes)
    blocks = as_planes(image, layout)[..., :3, :, :].to_delayed().ravel()
    parts = [find(block, keep) for block in blocks]
    while len(parts) > 1:
        parts = [join(parts[i : i + _JOINED], keep) for i in range(0, len(parts), _JOINED)]
    return dask.delayed(choose_range)(layout, None, parts[0])


def range_of(image: Any, layout: Layout, value_range: Any) -> Ranges:
    """Return black and white of a whole image, or of each of its planes.

    Raises
    ------
    ImageError, OptionError
        As :func:`napari_defocus.image.value_range.choose_range`.
    """
    if not is_dask(image):
        return scan_range(image, layout, value_range)
    pair = lazy_range(image, layout, value_range)
    return cast(Ranges, pair.compute() if is_dask(pair) else pair)
