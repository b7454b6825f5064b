"""Extreme values of planes, by which black and white are chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..array_types import Array
from .extremes import Extremes, extremes, join_extremes
from .layout import Layout
from .range_rules import CLIPPED_SHARE, percentiles

#: Approximate number of bytes that are read at a time.
_PART = 1 << 26
#: Number of planes whose extremes are joined at a time, so that memory does not grow with them.
JOINED = 8


@dataclass(frozen=True)
class Measured:
    """Extreme values of some planes; those of other planes can be joined in any order.

    Parameters
    ----------
    groups : mapping of tuple to Extremes
        Of all planes that share black and white, by their index along `Layout.range_shape`, with 0
        along the axes that share them.
    widths : mapping of tuple to float
        Distance of the measured black and white of each plane, by its index.
    """

    groups: Mapping[tuple[int, ...], Extremes] = field(default_factory=dict)
    widths: Mapping[tuple[int, ...], float] = field(default_factory=dict)


def measure_plane(
    read: Callable[[slice], Array], layout: Layout, index: tuple[int, ...]
) -> Measured:
    """Return the extreme values of a plane, which is read in parts.

    Parameters
    ----------
    read : callable
        Returns some rows (C, rows, X) of the plane, with or without alpha.
    layout : Layout
        Layout of the image.
    index : tuple of int
        Index of the plane.
    """
    keep = number_kept(layout)
    height, width = layout.map_shape[-2:]
    rows = max(_PART // (width * layout.channels * layout.dtype.itemsize), 1)
    parts: dict[tuple[int, ...], list[Extremes]] = {}
    for top in range(0, height, rows):
        above = min(top, 1)
        values = read(slice(top - above, top + rows + 1))[:3]
        inner = slice(above, above + rows)
        channels = values[:, None] if layout.channelwise else [values]
        for number, channel in enumerate(channels):
            own = (number,) if layout.channelwise else ()
            measured = extremes(channel, keep, layout.nodata, inner)
            parts.setdefault((*_group(layout, index), *own), []).append(measured)
    groups = {group: join_extremes(each, keep) for group, each in parts.items()}
    return Measured(groups, {index: max(map(_width, groups.values()))})


def _group(layout: Layout, index: tuple[int, ...]) -> tuple[int, ...]:
    """Return the index of the planes that share black and white with a plane."""
    return tuple(i if axis == layout.range_axis else 0 for axis, i in enumerate(index))


def _width(values: Extremes) -> float:
    if values.count == 0:
        return 0.0
    low, high = percentiles(values)
    return high - low


def join_measured(parts: Iterable[Measured], layout: Layout) -> Measured:
    """Return the extreme values of all planes from those of some."""
    groups: dict[tuple[int, ...], list[Extremes]] = {}
    widths: dict[tuple[int, ...], float] = {}
    for part in parts:
        widths |= part.widths
        for group, values in part.groups.items():
            groups.setdefault(group, []).append(values)
    keep = number_kept(layout)
    return Measured({group: join_extremes(each, keep) for group, each in groups.items()}, widths)


def number_kept(layout: Layout) -> int:
    """Return how many of the largest values the range of an image depends on."""
    if layout.display_bounded:
        return 1
    return int(np.prod(layout.shape, dtype=np.int64) * CLIPPED_SHARE) + 2
