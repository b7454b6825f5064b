"""Tiles of a plane: their cores, their halos, and the weights that join their results.

The *cores* of tiles cover the plane without overlap. A tile's result is used a few pixels beyond
its core, where weights fade it into its neighbors. The network reads a halo around the core, so
that the result there equals that of the whole plane.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..array_types import Mask

#: Width in pixels, on either side of their border, over which neighboring tiles fade.
OVERLAP = 8
#: Largest share of the pixels of a tile that its halves may read to be better than the tile.
_GAIN = 0.9


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels; row `bottom` and column `right` lie just outside."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Slices of the last two axes of an array (..., Y, X)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def expand(self, margin: int, within: "Box") -> "Box":
        """Return the box grown by `margin` on every side, but not beyond another box."""
        return Box(
            max(self.top - margin, within.top),
            max(self.left - margin, within.left),
            min(self.bottom + margin, within.bottom),
            min(self.right + margin, within.right),
        )

    def relative_to(self, origin: "Box") -> "Box":
        """Return the same box in coordinates relative to the corner of another."""
        top, left = origin.top, origin.left
        return Box(self.top - top, self.left - left, self.bottom - top, self.right - left)

    def downscale(self, level: int) -> "Box":
        """Return the box of coarse pixels, each `level` pixels wide, that cover this box."""
        bottom, right = -(-self.bottom // level), -(-self.right // level)
        return Box(self.top // level, self.left // level, bottom, right)


def round_up(length: int, multiple: int) -> int:
    """Return the least multiple of `multiple` that is not less than `length`."""
    return -(-length // multiple) * multiple


def halo(receptive_radius: int, multiple: int) -> int:
    """Return the width in pixels of a tile's halo around its core; a multiple of `multiple`."""
    return round_up(receptive_radius + OVERLAP, multiple)


def plan_tiles(whole: Box, side: int, multiple: int) -> list[Box]:
    """Cut a plane into cores of about equal size.

    Parameters
    ----------
    whole : Box
        Plane to cover; its corner and sides are multiples of `multiple`.
    side : int
        Largest height and width of a core, in pixels; rounded up to a multiple.
    multiple : int
        Number of pixels; every core starts at a multiple of it.

    Returns
    -------
    list of Box
        Row by row; together they cover `whole` without overlap.

    Examples
    --------
    >>> [(core.top, core.bottom) for core in plan_tiles(Box(0, 0, 40, 16), 16, 8)]
    [(0, 16), (16, 32), (32, 40)]
    """
    return _grid(whole, side, side, multiple)


def plan_oblong_tiles(whole: Box, side: int, multiple: int, margin: int) -> list[Box]:
    """Cut a plane into cores of about equal size so that tiles read the fewest pixels in all.

    Unlike those of :func:`plan_tiles`, cores may be oblong. They have no more pixels than a square
    of `side`; each tile reads `margin` pixels around its core, within `whole`.

    Examples
    --------
    >>> cores = plan_oblong_tiles(Box(0, 0, 1120, 1680), 1024, 8, 72)
    >>> [(core.height, core.width) for core in cores]
    [(1120, 840), (1120, 840)]
    """
    area = round_up(side, multiple) ** 2
    squares = plan_tiles(whole, side, multiple)
    plans = [squares]
    for rows in range(1, len({core.top for core in squares}) + 1):
        height = round_up(-(-whole.height // rows), multiple)
        width = area // height // multiple * multiple
        if width > 0:
            plans.append(_grid(whole, height, width, multiple))

    return min(plans, key=lambda cores: _pixels_read(cores, margin, whole))


def _pixels_read(cores: list[Box], margin: int, whole: Box) -> int:
    boxes = [core.expand(margin, whole) for core in cores]
    return sum(box.height * box.width for box in boxes)


def _grid(whole: Box, height: int, width: int, multiple: int) -> list[Box]:
    """Return cores of at most this height and width, row by row."""
    rows = _cuts(whole.top, whole.bottom, height, multiple)
    columns = _cuts(whole.left, whole.right, width, multiple)
    return [
        Box(top, left, bottom, right)
        for top, bottom in pairwise(rows)
        for left, right in pairwise(columns)
    ]


def _cuts(start: int, stop: int, side: int, multiple: int) -> list[int]:
    pieces = -(-(stop - start) // round_up(side, multiple))
    step = round_up(-(-(stop - start) // pieces), multiple)
    return [*range(start, stop, step), stop]


def _bisect(core: Box, multiple: int) -> list[Box]:
    """Cut a core across its longer side."""
    if core.height >= core.width:
        return _grid(core, round_up(-(-core.height // 2), multiple), core.width, multiple)
    return _grid(core, core.height, round_up(-(-core.width // 2), multiple), multiple)


def halves(core: Box, multiple: int) -> list[Box]:
    """Cut a core into cores of half its side; return it unchanged if it is too small for that."""
    side = round_up(-(-max(core.height, core.width) // 2), multiple)
    return plan_tiles(core, side, multiple)


def cut_to_mask(mask: Mask, core: Box, multiple: int, margin: int) -> list[Box]:
    """Return boxes within a core that hold all its pixels of a mask; none without any.

    A box is halved where its halves, each with `margin` pixels around it, are at least a tenth
    smaller together.
    """
    box = bounding_box(mask, core, multiple)
    if box is None:
        return []
    if max(box.height, box.width) <= 2 * margin:
        return [box]
    parts = [
        part
        for half in _bisect(box, multiple)
        for part in cut_to_mask(mask, half, multiple, margin)
    ]
    whole = Box(0, 0, box.bottom + margin, box.right + margin)
    smaller = _pixels_read(parts, margin, whole) < _GAIN * _pixels_read([box], margin, whole)
    return parts if smaller else [box]


def bounding_box(mask: Mask, core: Box, multiple: int) -> Box | None:
    """Return the least box within a core that holds all its pixels of a mask; None without any.

    Its sides lie at multiples of `multiple`, or at the core's. The mask (Y, X) may end before it.

    Examples
    --------
    >>> mask = np.zeros((40, 40), bool)
    >>> mask[10:12, 30] = True
    >>> bounding_box(mask, Box(0, 0, 40, 40), 8)
    Box(top=8, left=24, bottom=16, right=32)
    """
    part = mask[core.slices]
    if not part.any():
        return None
    sides = []
    for axis, start, stop in ((1, core.top, core.bottom), (0, core.left, core.right)):
        places = np.flatnonzero(part.any(axis)) + start
        first, last = int(places[0]), int(places[-1]) + 1
        sides.append((first // multiple * multiple, min(round_up(last, multiple), stop)))
    (top, bottom), (left, right) = sides
    return Box(max(top, core.top), max(left, core.left), bottom, right)


def blending_weights(core: Box, area: Box) -> npt.NDArray[np.float32]:
    """Return the weights of a tile's result in the box where it is used.

    Weights are 1 inside and fall linearly across the border of the core toward the edge of `area`,
    where they are still above 0. They do not fall where `core` and `area` share an edge, which is
    an edge of the image.

    Parameters
    ----------
    core, area : Box
        Core of the tile, and box that contains it, where its result is used.

    Returns
    -------
    (height, width) float32 array
        Weights of the pixels of `area`, above 0. Those of neighbors need not sum to 1.
    """
    rows = _ramp(core.top - area.top, core.height, area.bottom - core.bottom)
    columns = _ramp(core.left - area.left, core.width, area.right - core.right)
    return np.minimum(rows[:, None], columns)


def _ramp(before: int, length: int, after: int) -> npt.NDArray[np.float32]:
    weights = np.ones(before + length + after, np.float32)
    for margin, side in ((before, weights), (after, weights[::-1])):
        if margin:
            rise = (np.arange(2 * margin, dtype=np.float32) + 0.5) / (2 * margin)
            part = side[: 2 * margin]
            np.minimum(part, rise[: len(part)], out=part)
    return weights
