"""Surfaces are mostly even: what a map's surroundings say, where they say nearly the same."""

from __future__ import annotations

import numpy as np

from ..arrays import FloatArray
from .scaling import averaged, enlarged

#: Pixels of the image along a side of a cell, in which radii are compared.
_CELL = 8
#: How far cells matter to each other, in cells: at most, and as a Gaussian's standard deviation.
_REACH, _STEP, _NEAR = 12, 2, 8.0
#: What counts as nearly the same radius, as a Gaussian's standard deviation: in pixels, and more
#: for large radii.
_ALIKE, _GROWTH = 0.2, 0.07
_PASSES = 2
_LEAST_WEIGHT = 1e-4


def evened(radius: FloatArray, confidence: FloatArray) -> FloatArray:
    """Draw radii towards those of their surroundings that are nearly the same, and confident.

    A bilateral filter of what varies slowly, over some 100 pixels; what varies within a few pixels
    is kept, and edges in depth stay sharp.

    Parameters
    ----------
    radius, confidence : (Y, X) float32 array
        Signed or unsigned radius in pixels, and confidence in [0, 1].

    Returns
    -------
    (Y, X) float32 array
        Radius in pixels, not below zero if none was.

    Notes
    -----
    Cells weigh by the square of their mean confidence. The filter (Tomasi and Manduchi, "Bilateral
    filtering for gray and color images", ICCV 1998) passes twice.

    Examples
    --------
    >>> noisy = 4 + np.random.default_rng(0).normal(0, 0.2, (64, 64)).astype(np.float32)
    >>> bool(evened(noisy, np.ones_like(noisy)).mean().round() == 4)
    True
    """
    weight = np.square(confidence) + np.float32(_LEAST_WEIGHT)
    sums, weights = averaged(np.stack([radius * weight, weight]), _CELL)
    before = after = sums / weights
    for _ in range(_PASSES):
        after = _bilateral(after, weights)
    change = enlarged((after - before)[None], _CELL, radius.shape)[0]
    even: FloatArray = np.maximum(radius + change, min(float(radius.min()), 0))
    return even


def _bilateral(cells: FloatArray, weights: FloatArray) -> FloatArray:
    """Mean of the cells around, by nearness, likeness and weight."""
    height, width = cells.shape
    values = np.pad(cells, _REACH, mode="edge")
    counts = np.pad(weights, _REACH)
    alike = -0.5 / np.square(_ALIKE + _GROWTH * np.abs(cells))
    total = np.zeros_like(cells)
    share = np.zeros_like(cells)
    offsets = range(0, 2 * _REACH + 1, _STEP)
    for down in offsets:
        for right in offsets:
            window = np.s_[down : down + height, right : right + width]
            apart = values[window] - cells
            distance = (down - _REACH) ** 2 + (right - _REACH) ** 2
            nearness = np.float32(-0.5 * distance / _NEAR**2)
            weight = counts[window] * np.exp(alike * apart * apart + nearness)
            total += weight * values[window]
            share += weight
    mean: FloatArray = total / share
    return mean
