"""Pixels in doubt, beside edges in depth: what sure pixels close by say that have their color."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..array_types import FloatArray
from ..inference.resample import block_mean, level_shape, upsample_window
from ..inference.storage import MemoryStorage, Planes, WritablePlanes
from ..inference.tiles import Box
from .bilateral import cell_colors, similarity_variance
from .confidence import expected_error

#: Pixels of the image along a side of a cell: views are compared at half size.
_CELL = 2
#: How far cells matter to each other, in cells: at most, and as a Gaussian's standard deviation.
_REACH, _STEP, _NEAR = 6, 3, 4.0
#: Confidence up to which a radius is what its surroundings say, and from which on it stays.
_DOUBTED = (0.7, 0.9)
#: Weight of all surroundings together below which they say nothing.
_LEAST = 1e-9
#: Cells that are filled at a time, so that steps find their data in the cache.
_MANY = 2**15


def fill_uncertain(
    estimate: WritablePlanes, views: Planes, storage: MemoryStorage, alike: float
) -> None:
    """Draw radii in doubt toward those close by that are confident and have the same color.

    As `smooth_surfaces` does for surfaces, within 12 pixels instead of 150, for single pixels and
    where in doubt alone: teeth beside edges in depth and specks on surfaces fade. It is made for
    two views, which are wrong pixel by pixel; one image is in doubt of whole surroundings.

    Parameters
    ----------
    estimate, views, storage, alike
        As for `smooth_surfaces`.

    Examples
    --------
    >>> estimate = np.full((2, 32, 32), np.float32([4, 1])[:, None, None])
    >>> estimate[:, 14:18, 14:18] = np.float32([6, 0.1])[:, None, None]
    >>> fill_uncertain(estimate, np.ones((1, 32, 32), np.float32), MemoryStorage(), alike=0.03)
    >>> print(f"{estimate[0, 16, 16]:.1f}")
    4.0
    """
    whole = Box(0, 0, *estimate.shape[-2:])
    blocks = storage.blocks(estimate.shape, _CELL)
    change = storage.array((1, *level_shape(estimate.shape, _CELL)))
    for block in blocks:
        sight, core = block.expand(_REACH * _CELL, whole), block.downscale(_CELL)
        cells = block_mean(estimate[:, *sight.slices], _CELL)
        colors = cell_colors(views[:, *sight.slices], _CELL)
        inner = core.relative_to(sight.downscale(_CELL))
        change[:, *core.slices] = _change(cells, colors, inner, alike)[None]
    for block in blocks:
        changed = estimate[:1, *block.slices] + upsample_window(change, _CELL, block)
        estimate[:1, *block.slices] = changed


def _change(cells: FloatArray, colors: FloatArray, core: Box, alike: float) -> FloatArray:
    """What is to be added to the radius of the cells of a core."""
    radii, confidence, *around = (np.pad(plane, _REACH, mode="edge") for plane in (*cells, *colors))
    counts = np.pad(np.square(cells[1]), _REACH)
    inner = core.relative_to(Box(-_REACH, -_REACH, 0, 0)).slices
    filled, kept = _DOUBTED
    share, change = np.zeros_like(radii), np.zeros_like(radii)
    share[inner] = np.clip((kept - confidence[inner]) / (kept - filled), 0, 1)
    doubted = np.flatnonzero(share)
    for first in range(0, len(doubted), _MANY):
        at = doubted[first : first + _MANY]
        own, error = radii.take(at), expected_error(confidence.take(at))
        spread = similarity_variance(own, alike) + np.square(error)
        mean = _mean_around(at, radii, counts, around, spread)
        change.put(at, share.take(at) * (mean - own))
    return np.asarray(change[inner])


def _mean_around(
    at: NDArray[np.intp],
    radii: FloatArray,
    counts: FloatArray,
    cell_colors: Sequence[FloatArray],
    spread: FloatArray,
) -> FloatArray:
    """Mean radius around each place, by nearness, likeness of radius and color, and weight."""
    own, own_hues = radii.take(at), [hue.take(at) for hue in cell_colors]
    likeness = -0.5 / spread
    total, weights = np.zeros_like(own), np.zeros_like(own)
    offsets = range(-_REACH, _REACH + 1, _STEP)
    for down in offsets:
        for right in offsets:
            there = at + (down * radii.shape[1] + right)
            other = radii.take(there)
            like = likeness * np.square(other - own)
            for hue, own_hue in zip(cell_colors, own_hues, strict=True):
                like -= np.square(hue.take(there) - own_hue)
            like -= np.float32((down**2 + right**2) / (2 * _NEAR**2))
            weight = counts.take(there) * np.exp(like)
            total += weight * other
            weights += weight
    return np.divide(total, weights, out=own.copy(), where=weights > _LEAST)
