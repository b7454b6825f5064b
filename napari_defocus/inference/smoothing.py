"""Surfaces are mostly even: what a map's surroundings say, where they say nearly the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..arrays import FloatArray
from .cells import CELL, in_cells
from .room import Room, Store
from .scaling import enlarged_part

if TYPE_CHECKING:
    from ..networks.descriptor import Task

#: How far cells matter to each other, in cells: at most, and as a Gaussian's standard deviation.
_REACH, _STEP, _NEAR = 12, 2, 8.0
#: What counts as nearly the same radius, as a Gaussian's standard deviation: in pixels, by what an
#: estimator sees, and more for large radii. Two views tell small radii apart that one image cannot.
ALIKE: dict[Task, float] = {"single": 0.2, "dual": 0.05}
_GROWTH = 0.07
_PASSES = 2


def even_out(found: Store, room: Room, alike: float) -> None:
    """Draw radii towards those of their surroundings that are nearly the same, and confident.

    A bilateral filter of what varies slowly, over some 100 pixels; what varies within a few pixels
    is kept, and edges in depth stay sharp.

    Parameters
    ----------
    found : (2, Y, X) float32 array
        Signed or unsigned radius in pixels, which is changed, but not to below zero if none was;
        and confidence in [0, 1].
    room : Room
        How large a part is taken at a time.
    alike : float
        Difference in pixels that small radii may have and still count as nearly the same.

    Notes
    -----
    Cells weigh by the square of their mean confidence. The filter (Tomasi and Manduchi, "Bilateral
    filtering for gray and color images", ICCV 1998) passes twice.

    Examples
    --------
    >>> noisy = 4 + np.random.default_rng(0).normal(0, 0.2, (64, 64)).astype(np.float32)
    >>> found = np.stack([noisy, np.ones_like(noisy)])
    >>> even_out(found, Room(), alike=0.2)
    >>> print(f"{found[0].mean():.1f}")
    4.0
    """
    blocks = room.blocks(found.shape, CELL)
    least = min(0.0, *(float(found[0, *block.slices].min()) for block in blocks))
    change = _change(*in_cells(found, room), alike)[None]
    for block in blocks:
        radius = found[:1, *block.slices] + enlarged_part(change, CELL, block)
        found[:1, *block.slices] = np.maximum(radius, least)


def _change(cells: FloatArray, weights: FloatArray, alike: float) -> FloatArray:
    after = cells
    for _ in range(_PASSES):
        after = _bilateral(after, weights, alike)
    return after - cells


def _bilateral(cells: FloatArray, weights: FloatArray, alike: float) -> FloatArray:
    """Mean of the cells around, by nearness, likeness and weight."""
    height, width = cells.shape
    values = np.pad(cells, _REACH, mode="edge")
    counts = np.pad(weights, _REACH)
    likeness = -0.5 / np.square(alike + _GROWTH * np.abs(cells))
    total = np.zeros_like(cells)
    share = np.zeros_like(cells)
    offsets = range(0, 2 * _REACH + 1, _STEP)
    for down in offsets:
        for right in offsets:
            window = np.s_[down : down + height, right : right + width]
            apart = values[window] - cells
            distance = (down - _REACH) ** 2 + (right - _REACH) ** 2
            nearness = np.float32(-0.5 * distance / _NEAR**2)
            weight = counts[window] * np.exp(likeness * apart * apart + nearness)
            total += weight * values[window]
            share += weight
    mean: FloatArray = total / share
    return mean
