"""Filter that removes the network's grid from even surfaces of the map."""

from __future__ import annotations

import numpy as np

from ..array_types import FloatArray
from ..inference.storage import MemoryStorage, WritablePlanes
from ..inference.tiles import Box

#: Period of the coarsest grid in pixels. The network's decoder doubles its size by giving each of
#: four pixels its own weights, from an eighth of the size: a grid of 8 pixels, and of 16 pixels at
#: the level of half size. Periods of 2 and 4 pixels are overtones of it.
_PERIOD = 16
#: Standard deviation in pixels, within a window, below which differences from the mean are taken
#: for grid: at radius 0, its growth with the square of the radius, and the most. Waves measure
#: 0.002 to 0.01 px in radii up to 5 px; larger ones stem from coarser levels, with larger grids.
_GRID, _GRID_PER_SQUARE, _GRID_LIMIT = 0.008, 0.0013, 0.3
#: Ratio of variances from which on the share of the change is 0.
_NEGLIGIBLE = 9.0
#: Rows that are filtered at a time, so that intermediate values stay in the processor's cache.
_STRIP = 128


def remove_grid(estimate: WritablePlanes, storage: MemoryStorage) -> None:
    """Replace radii by their mean over 16 pixels where they hardly differ from it.

    Parameters
    ----------
    estimate : (2, Y, X) float32 array
        Radius >= 0 in pixels, which is changed, and confidence.
    storage : MemoryStorage
        Holds the change before it is made.

    Notes
    -----
    Where the differences d from the mean have the variance v within the window, the share
    exp(-(v / s^2)^2) of d is subtracted; s is 0.008 px and 0.0013 of the squared radius, at most
    0.3 px. The mean over exactly one period removes every wave that repeats with it, and slopes
    stay as they are. Beside edges in depth, and where radii vary, v is large, and nothing changes.

    Examples
    --------
    >>> grid = 0.01 * np.cos(np.pi / 4 * np.arange(64, dtype=np.float32))
    >>> estimate = np.stack([np.tile(3 + grid, (64, 1)), np.ones((64, 64), np.float32)])
    >>> remove_grid(estimate, MemoryStorage())
    >>> bool(np.ptp(estimate[0, 16:-16, 16:-16]) < 1e-3)
    True
    """
    shape = estimate.shape[-2:]
    whole = Box(0, 0, *shape)
    change = storage.array((1, *shape))
    blocks = [strip for block in storage.blocks(shape, 1) for strip in _strips(block)]
    for block in blocks:
        context = block.expand(_PERIOD, whole)
        radius = estimate[:1, *context.slices][0]
        change[:, *block.slices] = _grid(radius)[block.relative_to(context).slices][None]
    for block in blocks:
        estimate[:1, *block.slices] -= change[:, *block.slices]


def _strips(block: Box) -> list[Box]:
    starts = range(block.top, block.bottom, _STRIP)
    return [Box(top, block.left, min(top + _STRIP, block.bottom), block.right) for top in starts]


def _grid(radius: FloatArray) -> FloatArray:
    """Return what is to be subtracted from radii (Y, X)."""
    difference = radius - _mean_over_period(radius)
    variance = _mean_over_period(np.square(difference))
    limit = np.minimum(_GRID + _GRID_PER_SQUARE * np.square(radius), _GRID_LIMIT)
    share = np.exp(-np.square(np.minimum(variance / np.square(limit), _NEGLIGIBLE)))
    return np.asarray(share * difference)


def _mean_over_period(values: FloatArray) -> FloatArray:
    """Return the mean over 16 pixels along both axes, whose first and last are shared by half.

    The edge is repeated.
    """
    half = _PERIOD // 2
    for axis in (0, 1):
        margin = [(half, half) if axis == one else (0, 0) for one in (0, 1)]
        sums = np.moveaxis(np.pad(values, margin, mode="edge"), axis, 0)
        step = 1
        while step < _PERIOD:
            sums = sums[:-step] + sums[step:]
            step *= 2
        values = np.moveaxis((sums[:-1] + sums[1:]) / np.float32(2 * _PERIOD), 0, axis)
    return np.ascontiguousarray(values)
