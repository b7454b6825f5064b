"""Connected regions of flagged pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import FloatArray, Mask

#: Fewest pixels of a region: less is narrower than what the statistic can resolve.
_FEWEST_PIXELS = 16
#: Gap in pixels across which flagged pixels belong together.
_GAP = 2


@dataclass(frozen=True)
class Region:
    """A connected region that the image does not support.

    Parameters
    ----------
    plane : tuple of int
        Index of its plane along the axes before Y and X.
    top, left, bottom, right : int
        Its box in pixels; row `bottom` and column `right` lie just outside.
    area : int
        Number of flagged pixels.
    strength : float
        Largest score in it.
    """

    plane: tuple[int, ...]
    top: int
    left: int
    bottom: int
    right: int
    area: int
    strength: float


def find_regions(unexplained: FloatArray, invented: Mask) -> tuple[Region, ...]:
    """Return the connected regions of flagged pixels, the strongest first.

    Parameters
    ----------
    unexplained : (..., Y, X) float32 array
        Scores.
    invented : (..., Y, X) bool array
        Flagged pixels.

    Examples
    --------
    >>> flagged = np.zeros((64, 64), bool)
    >>> flagged[10:20, 30:50] = True
    >>> [region] = find_regions(np.where(flagged, np.float32(5), 0), flagged)
    >>> region.top, region.right, region.area
    (10, 50, 200)
    """
    regions = [
        region
        for index in np.ndindex(*invented.shape[:-2])
        for region in _plane_regions(index, unexplained[index], invented[index])
    ]
    return tuple(sorted(regions, key=lambda region: -region.strength))


def _plane_regions(index: tuple[int, ...], scores: FloatArray, flagged: Mask) -> list[Region]:
    from scipy import ndimage

    if not flagged.any():
        return []
    square = np.ones((3, 3), bool)
    near = ndimage.binary_dilation(flagged, square, iterations=_GAP) if _GAP else flagged
    labels, count = ndimage.label(near, square)
    labels[~flagged] = 0
    numbers = np.arange(1, count + 1)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    strengths = ndimage.maximum(scores, labels, numbers)
    return [
        Region(
            index,
            rows.start,
            columns.start,
            rows.stop,
            columns.stop,
            int(area),
            float(strength),
        )
        for (rows, columns), area, strength in zip(
            ndimage.find_objects(labels, count), areas, strengths, strict=True
        )
        if area >= _FEWEST_PIXELS
    ]
