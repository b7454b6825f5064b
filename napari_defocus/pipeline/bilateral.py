"""Joint bilateral filter that smooths the map within surfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..array_types import FloatArray
from ..inference.resample import block_mean, level_shape, upsample_window
from ..inference.storage import MemoryStorage, Planes, WritablePlanes
from .confidence import expected_error

if TYPE_CHECKING:
    from ..networks.descriptor import Task


#: What counts as nearly the same radius, as a Gaussian's standard deviation: in pixels, by what an
#: estimator sees, and more for large radii. Two views tell small radii apart that one image cannot.
SIMILAR_RADIUS: dict[Task, float] = {"single": 0.1, "dual": 0.03}


_GROWTH = 0.07


#: What counts as the same color, likewise, in display-encoded values from 0 to 1.
_SAME_COLOR = 0.02


_COLORS = 3


def similarity_variance(radius: FloatArray, alike: float) -> FloatArray:
    """Return the variance in square pixels of what counts as nearly the same as each radius.

    Examples
    --------
    >>> float(similarity_variance(np.float32(10), alike=0.3))
    1.0
    """
    return np.asarray(np.square(alike + _GROWTH * np.abs(radius)))


def cell_colors(views: FloatArray, cell: int) -> FloatArray:
    """Return the mean color (3, y, x) of cells of the image or of both views.

    Parameters
    ----------
    views : (1, 3 or 6, Y, X) float32 array
        Display-encoded; gray is three equal channels.
    cell : int
        Side of a cell in pixels.

    Returns
    -------
    float32 array
        In such units that a squared difference, summed over the channels, is what it takes off the
        logarithm of a weight.

    Examples
    --------
    >>> cell_colors(np.ones((6, 4, 8), np.float32), 2).shape
    (3, 2, 4)
    """
    cells = block_mean(views, cell)
    colors = cells.reshape(-1, min(len(cells), _COLORS), *cells.shape[1:]).mean(0)
    scaled = colors / np.float32(_SAME_COLOR * (2 * _COLORS) ** 0.5)
    return np.broadcast_to(scaled, (_COLORS, *scaled.shape[1:]))


#: Pixels of the image along a side of a cell.
CELL = 8


_LEAST_WEIGHT = 1e-4


def to_cells(estimate: Planes, storage: MemoryStorage) -> tuple[FloatArray, FloatArray]:
    """Return the radius of each cell, the confident pixels weighing more, and its weight.

    Parameters
    ----------
    estimate : (2, Y, X) float32 array
        Radius in pixels and confidence.
    storage : MemoryStorage
        How large a part is taken at a time.

    Returns
    -------
    radius, weight : (y, x) float32 array
        Weighted mean, and the mean weight: the square of the confidence.

    Examples
    --------
    >>> radius, weight = to_cells(np.ones((2, 16, 24), np.float32), MemoryStorage())
    >>> radius.shape, float(radius.max())
    ((2, 3), 1.0)
    """
    cells = np.empty((2, *level_shape(estimate.shape, CELL)), np.float32)
    for block in storage.blocks(estimate.shape, CELL):
        radius, confidence = estimate[:, *block.slices]
        weight = np.square(confidence) + np.float32(_LEAST_WEIGHT)
        part = block_mean(np.stack([radius * weight, weight]), CELL)
        cells[:, *block.downscale(CELL).slices] = part
    return cells[0] / cells[1], cells[1]


#: How far cells matter to each other, in cells: at most, and as a Gaussian's standard deviation.
_REACH, _STEP, _NEAR = 18, 3, 12.0


#: How many of a radius' own expected errors another of the same color may be away.
_ERRORS = 1.5


_PASSES = 2


#: Cells that are filtered at a time, so that steps find their data in the cache.
_STRIP = 2**16


def smooth_surfaces(
    estimate: WritablePlanes, views: Planes, storage: MemoryStorage, alike: float
) -> None:
    """Draw radii toward those of their surroundings that are nearly the same, and confident.

    A bilateral filter of what varies slowly, over some 150 pixels; what varies within a few pixels
    is kept, and edges in depth stay sharp. What is in doubt learns from what has its color, as far
    as its doubt allows.

    Parameters
    ----------
    estimate : (2, Y, X) float32 array
        Signed or unsigned radius in pixels, which is changed, but not to below zero if none was;
        and confidence in [0, 1].
    views : (1, 3 or 6, Y, X) float32 array
        The image or both views, display-encoded.
    storage : MemoryStorage
        How large a part is taken at a time.
    alike : float
        Difference in pixels that small radii may have and still count as nearly the same.

    Notes
    -----
    Cells weigh by the mean square of their confidence. The filter (Tomasi and Manduchi, "Bilateral
    filtering for gray and color images", ICCV 1998) passes twice. Joint with color (Petschnigg et
    al., "Digital photography with flash and no-flash image pairs", SIGGRAPH 2004) it would print
    textures on maps, so color only lets more radii count, none less.

    Examples
    --------
    >>> noisy = 4 + np.random.default_rng(0).normal(0, 0.2, (64, 64)).astype(np.float32)
    >>> estimate = np.stack([noisy, np.ones_like(noisy)])
    >>> smooth_surfaces(estimate, np.ones((1, 64, 64), np.float32), MemoryStorage(), alike=0.2)
    >>> print(f"{estimate[0].mean():.1f}")
    4.0
    """
    blocks = storage.blocks(estimate.shape, CELL)
    least = min(0.0, *(float(estimate[0, *block.slices].min()) for block in blocks))
    radius, weights = to_cells(estimate, storage)
    change = (_evened(radius, weights, _hues(views, storage), alike) - radius)[None]
    for block in blocks:
        changed = estimate[:1, *block.slices] + upsample_window(change, CELL, block)
        estimate[:1, *block.slices] = np.maximum(changed, least)


def _hues(views: Planes, storage: MemoryStorage) -> FloatArray:
    """Mean color (3, y, x) of each cell."""
    cells = np.empty((3, *level_shape(views.shape, CELL)), np.float32)
    for block in storage.blocks(views.shape, CELL):
        cells[:, *block.downscale(CELL).slices] = cell_colors(views[:, *block.slices], CELL)
    return cells


def _evened(
    radius: FloatArray, weights: FloatArray, cell_colors: FloatArray, alike: float
) -> FloatArray:
    """Radius of cells (y, x), filtered strip by strip."""
    error = _ERRORS * expected_error(np.sqrt(weights))
    counts = np.pad(weights, _REACH)
    around = np.stack([np.pad(hue, _REACH, mode="edge") for hue in cell_colors])
    rows = max(_STRIP // radius.shape[1], 1)
    for _ in range(_PASSES):
        radii = np.pad(radius, _REACH, mode="edge")
        strips = []
        for top in range(0, len(radius), rows):
            strip, sight = slice(top, top + rows), slice(top, top + rows + 2 * _REACH)
            near = similarity_variance(radius[strip], alike)
            likeness = np.reciprocal(-2 * np.stack([near, near + np.square(error[strip])]))
            strips.append(_bilateral(radii[sight], around[:, sight], counts[sight], likeness))
        radius = np.concatenate(strips)
    return radius


def _bilateral(
    radii: FloatArray, cell_colors: FloatArray, counts: FloatArray, likeness: FloatArray
) -> FloatArray:
    """Mean radius of the cells around, by nearness, likeness and weight.

    `likeness` is what a squared difference of radii takes off the logarithm of a weight: of any
    cells, and of such of the same hue. All else reaches farther, to either side.
    """
    height, width = likeness.shape[1:]
    here = np.s_[..., _REACH : _REACH + height, _REACH : _REACH + width]
    own, own_hues = radii[here], cell_colors[here]
    total = np.zeros((height, width), np.float32)
    share = np.zeros((height, width), np.float32)
    offsets = range(0, 2 * _REACH + 1, _STEP)
    for down in offsets:
        for right in offsets:
            window = np.s_[..., down : down + height, right : right + width]
            other = radii[window]
            apart = np.square(other - own)
            differing = cell_colors[window] - own_hues
            unlike = np.einsum("cyx,cyx->yx", differing, differing)
            distance = (down - _REACH) ** 2 + (right - _REACH) ** 2
            nearness = np.float32(-0.5 * distance / _NEAR**2)
            like = np.maximum(likeness[0] * apart, likeness[1] * apart - unlike)
            weight = counts[window] * np.exp(like + nearness)
            total += weight * other
            share += weight
    mean: FloatArray = total / share
    return mean
