"""Fill of uncertain radii from confident ones of the same color close by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..array_types import FloatArray
from ..inference.resample import block_mean, level_shape, upsample_window
from ..inference.storage import MemoryStorage, Planes, WritablePlanes
from ..inference.tiles import Box
from .bilateral import guide_colors, range_variance
from .confidence import expected_error

#: Side of a cell in pixels: the estimator compares two views at half size.
_CELL = 2
#: Half-width of the window in cells, 12 pixels.
_WINDOW = 6
#: Distance in cells between those of the window that are taken. These 25 cells take 96 rendered
#: scenes from 0.509 to 0.504 px; 36 cells would take them to 0.503 px, in half as much time again.
_STRIDE = 3
#: Standard deviation of the spatial Gaussian, in cells.
_SPATIAL_SIGMA = 4.0
#: Confidence up to which a radius is replaced, and from which on it is kept; it is blended between.
_REPLACED, _KEPT = 0.7, 0.9
#: Total weight of the window below which it holds nothing similar, and the radius stays.
_MIN_WEIGHT = 1e-9
#: Cells that are filled at a time. Arrays of this size stay in the processor's cache.
_BATCH = 2**15


def fill_uncertain(
    estimate: WritablePlanes, views: Planes, storage: MemoryStorage, radius_sigma: float
) -> None:
    """Draw uncertain radii toward confident ones of the same color within 12 pixels.

    `smooth_surfaces` works on cells of 8 pixels; this removes what is finer: specks on surfaces,
    and teeth beside edges in depth. It is made for two views, which err pixel by pixel. The map of
    one image, which is uncertain in wide areas, gains nothing (0.6016 to 0.6014 px).

    Parameters
    ----------
    estimate, views, storage, radius_sigma
        As for :func:`napari_defocus.pipeline.bilateral.smooth_surfaces`.

    Notes
    -----
    A joint bilateral filter whose range Gaussian is widened by the expected error of the radius.
    Errors taken half as large again cost 0.001 px; taken three times as large, surfaces run into
    each other (0.509 px). Putting the filtered radius in place of the estimated one, instead of
    adding the change, gave softer edges (0.506 px).

    Examples
    --------
    >>> estimate = np.full((2, 32, 32), np.float32([4, 1])[:, None, None])
    >>> estimate[:, 14:18, 14:18] = np.float32([6, 0.1])[:, None, None]
    >>> white = np.ones((1, 32, 32), np.float32)
    >>> fill_uncertain(estimate, white, MemoryStorage(), radius_sigma=0.03)
    >>> print(f"{estimate[0, 16, 16]:.1f}")
    4.0
    """
    whole = Box(0, 0, *estimate.shape[-2:])
    blocks = storage.blocks(estimate.shape, _CELL)
    change = storage.array((1, *level_shape(estimate.shape, _CELL)))
    for block in blocks:
        context, core = block.expand(_WINDOW * _CELL, whole), block.downscale(_CELL)
        cells = block_mean(estimate[:, *context.slices], _CELL)
        colors = guide_colors(views[:, *context.slices], _CELL)
        inner = core.relative_to(context.downscale(_CELL))
        change[:, *core.slices] = _change(cells, colors, inner, radius_sigma)[None]
    for block in blocks:
        estimate[:1, *block.slices] += upsample_window(change, _CELL, block)


def _change(cells: FloatArray, colors: FloatArray, core: Box, radius_sigma: float) -> FloatArray:
    """Return what is added to the radius of the cells of a core (y, x).

    Parameters
    ----------
    cells : (2, Y, X) float32 array
        Radius and confidence of the core's cells and of those within the window around it.
    colors : (3, Y, X) float32 array
        Their colors, as `guide_colors` returns them.
    core : Box
        The core's place among the cells.
    radius_sigma : float
        As for `fill_uncertain`.
    """
    radii, confidence, *guide = (np.pad(plane, _WINDOW, mode="edge") for plane in (*cells, *colors))
    weights = np.pad(np.square(cells[1]), _WINDOW)
    inner = core.relative_to(Box(-_WINDOW, -_WINDOW, 0, 0)).slices
    share, change = np.zeros_like(radii), np.zeros_like(radii)
    share[inner] = np.clip((_KEPT - confidence[inner]) / (_KEPT - _REPLACED), 0, 1)
    uncertain = np.flatnonzero(share)
    for first in range(0, len(uncertain), _BATCH):
        index = uncertain[first : first + _BATCH]
        radius, error = radii.take(index), expected_error(confidence.take(index))
        variance = range_variance(radius, radius_sigma) + np.square(error)
        mean = _filter_at(index, radii, weights, guide, variance)
        change.put(index, share.take(index) * (mean - radius))
    return np.asarray(change[inner])


@np.errstate(under="ignore")  # a weight that small is 0, whatever a user has set
def _filter_at(
    index: NDArray[np.intp],
    radii: FloatArray,
    weights: FloatArray,
    guide: Sequence[FloatArray],
    variance: FloatArray,
) -> FloatArray:
    """Return the filtered radius (N,) of the cells at flat indices.

    Parameters
    ----------
    index : (N,) int array
        Of cells whose whole window lies within the arrays.
    radii, weights : (Y, X) float32 array
        Radius, and weight by confidence, of all cells.
    guide : sequence of (Y, X) float32 array
        Their colors.
    variance : (N,) float32 array
        Of the range Gaussian.
    """
    radius, colors = radii.take(index), [color.take(index) for color in guide]
    exponent = -0.5 / variance
    total, total_weight = np.zeros_like(radius), np.zeros_like(radius)
    offsets = range(-_WINDOW, _WINDOW + 1, _STRIDE)
    for down in offsets:
        for right in offsets:
            place = index + (down * radii.shape[1] + right)
            other = radii.take(place)
            logarithm = exponent * np.square(other - radius)
            for plane, color in zip(guide, colors, strict=True):
                logarithm -= np.square(plane.take(place) - color)
            logarithm -= np.float32((down**2 + right**2) / (2 * _SPATIAL_SIGMA**2))
            weight = weights.take(place) * np.exp(logarithm)
            total += weight * other
            total_weight += weight
    return np.divide(total, total_weight, out=radius.copy(), where=total_weight > _MIN_WEIGHT)
