"""Joint bilateral filter that smooths the map within surfaces.

The filter runs on cells of 8 x 8 pixels and only adds what it changes to the map, enlarged to full
size: detail finer than a cell is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ..array_types import FloatArray
from ..inference.resample import block_mean, level_shape, upsample_window
from ..inference.storage import ComputedPlanes, MemoryStorage, Planes, WritablePlanes
from ..inference.tiles import Box
from .confidence import expected_error

if TYPE_CHECKING:
    from ..networks.descriptor import Task

# Measurements are mean errors on rendered scenes in pixels, and AIWE(1) / AIWE(2) / 1 - rank
# correlation on the Pixel 4 scenes, where 0 is perfect; all of two views, if nothing else is said.

#: Side of a cell in pixels.
_CELL = 8
#: Half-width of the window in cells, 144 pixels. From 12 cells, with all lengths in proportion, to
#: 18: Pixel 4 0.0391 / 0.0608 / 0.1183 to 0.0372 / 0.0589 / 0.1157.
_WINDOW = 18
#: Distance in cells between those of the window that are taken.
_STRIDE = 3
#: Standard deviation of the spatial Gaussian, in cells.
_SPATIAL_SIGMA = 12.0
#: Standard deviation of the range Gaussian at radius 0, in pixels. Wider ones draw surfaces near
#: focus together: from 0.2 to 0.05 px, rendered scenes 0.396 to 0.388 px. Since color guides the
#: filter, 0.03 px and, for one image, 0.1 px in place of 0.2 are as good or better.
RADIUS_SIGMA: dict[Task, float] = {"single": 0.1, "dual": 0.03}
#: Growth of that standard deviation with the radius. It and the number of passes are those of the
#: strongest of a dozen filters that do not harm rendered scenes (0.493 to 0.491 px; Pixel 4
#: 0.059 / 0.085 / 0.168 to 0.049 / 0.077 / 0.144).
_SIGMA_PER_RADIUS = 0.07
_PASSES = 2
#: Standard deviation of the color Gaussian, in display values from 0 to 1.
_COLOR_SIGMA = 0.02
#: Standard deviation of the range Gaussian between cells of one color, in expected errors of the
#: radius, added to the one above: rendered scenes 0.418 to 0.416 px, Pixel 4 0.0402 / 0.0641 /
#: 0.1222 to 0.0391 / 0.0608 / 0.1183. For cells of any color, it would blur edges (0.445 px).
_ERROR_SIGMA = 1.5
#: Weight of a pixel whose confidence is 0, so that no cell has the weight 0.
_MIN_WEIGHT = 1e-4
#: Cells that are filtered at a time. Arrays of this size stay in the processor's cache.
_STRIP = 2**16
_RGB = 3


def smooth_surfaces(
    estimate: WritablePlanes, views: Planes, storage: MemoryStorage, radius_sigma: float
) -> None:
    """Draw each radius toward confident radii within 150 pixels that are nearly the same.

    A radius in doubt is also drawn toward radii that differ more, within its own expected error, if
    they have the same color. Edges in depth stay sharp.

    Parameters
    ----------
    estimate : (2, Y, X) float32 array
        Signed or unsigned radius in pixels, which is changed, but not to below zero if none was;
        and confidence in [0, 1].
    views : (1, 3 or 6, Y, X) float32 array
        The image or both views, display-encoded.
    storage : MemoryStorage
        Budget of memory, which limits the size of the strips.
    radius_sigma : float
        Standard deviation of the range Gaussian at radius 0, in pixels.

    Notes
    -----
    A cell's radius becomes the mean of the radii around it, each weighted by

    - its confidence, squared;
    - a Gaussian of the distance;
    - a Gaussian of the difference between the radii; or, where it is larger, the product of a wider
      one and a Gaussian of the difference between the colors.

    The first two kernels make the bilateral filter (Tomasi and Manduchi, "Bilateral filtering for
    gray and color images", ICCV 1998). The color makes it a joint one (Petschnigg et al., "Digital
    photography with flash and no-flash image pairs", SIGGRAPH 2004). It only ever raises weights:
    a color kernel that lowers them would print letters and the grain of walls on the map.

    Examples
    --------
    >>> noisy = 4 + np.random.default_rng(0).normal(0, 0.2, (64, 64)).astype(np.float32)
    >>> estimate = np.stack([noisy, np.ones_like(noisy)])
    >>> white = np.ones((1, 64, 64), np.float32)
    >>> smooth_surfaces(estimate, white, MemoryStorage(), radius_sigma=0.2)
    >>> print(f"{estimate[0].mean():.1f}")
    4.0
    """
    blocks = storage.blocks(estimate.shape, _CELL)
    lowest = min(0.0, *(float(estimate[0, *block.slices].min()) for block in blocks))
    cells = _average_cells(estimate, storage)
    smooth = _filter_cells(cells, _cell_colors(views, storage), storage, radius_sigma)

    def difference(rows: slice, columns: slice) -> FloatArray:
        return np.asarray(smooth[:, rows, columns] - cells[:1, rows, columns])

    change = ComputedPlanes(smooth.shape, difference)
    for block in blocks:
        radii = estimate[:1, *block.slices] + upsample_window(change, _CELL, block)
        estimate[:1, *block.slices] = np.maximum(radii, lowest)


def _average_cells(estimate: Planes, storage: MemoryStorage) -> Planes:
    """Return the weighted mean radius and the mean weight (2, y, x) of the pixels of each cell.

    The weight of a pixel is its confidence, squared.
    """
    cells = storage.array((2, *level_shape(estimate.shape, _CELL)))
    for block in storage.blocks(estimate.shape, _CELL):
        radius, confidence = estimate[:, *block.slices]
        weight = np.square(confidence) + np.float32(_MIN_WEIGHT)
        part = block_mean(np.stack([radius * weight, weight]), _CELL)
        part[0] /= part[1]
        cells[:, *block.downscale(_CELL).slices] = part
    return cells


def _cell_colors(views: Planes, storage: MemoryStorage) -> Planes:
    """Return the color (3, y, x) of each cell, as `guide_colors` does."""
    cells = storage.array((_RGB, *level_shape(views.shape, _CELL)))
    for block in storage.blocks(views.shape, _CELL):
        part = guide_colors(views[:, *block.slices], _CELL)
        cells[:, *block.downscale(_CELL).slices] = part
    return cells


def _filter_cells(
    cells: Planes, colors: Planes, storage: MemoryStorage, radius_sigma: float
) -> Planes:
    """Return the radius of cells (1, y, x), filtered strip by strip."""
    height, width = cells.shape[-2:]
    rows = max(_STRIP // width, 1)
    before = cells
    for _ in range(_PASSES):
        after = storage.array((1, height, width))
        for top in range(0, height, rows):
            strip = Box(top, 0, min(top + rows, height), width)
            radius, weight = before[0, *strip.slices], cells[1, *strip.slices]
            variance = range_variance(radius, radius_sigma)
            error = _ERROR_SIGMA * expected_error(np.sqrt(weight))
            variances = np.stack([variance, variance + np.square(error)])
            radii, guide = _band(before, strip)[0], _band(colors, strip)
            weights = _band(cells, strip, mode="constant")[1]
            after[:, *strip.slices] = _filter_strip(radii, weights, guide, variances)[None]
        before = after
    return before


def _band(cells: Planes, strip: Box, mode: Literal["edge", "constant"] = "edge") -> FloatArray:
    """Return the cells of a strip and of the window around it, beyond the edge as `numpy.pad`."""
    context = strip.expand(_WINDOW, Box(0, 0, *cells.shape[-2:]))
    inner = context.relative_to(strip)
    above, left = _WINDOW + inner.top, _WINDOW + inner.left
    below = _WINDOW - (inner.bottom - strip.height)
    right = _WINDOW - (inner.right - strip.width)
    return np.pad(cells[:, *context.slices], ((0, 0), (above, below), (left, right)), mode=mode)


@np.errstate(under="ignore")  # a weight that small is 0, whatever a user has set
def _filter_strip(
    radii: FloatArray, weights: FloatArray, guide: FloatArray, variances: FloatArray
) -> FloatArray:
    """Return the filtered radius of a strip of cells (y, x).

    Parameters
    ----------
    radii, weights : (y + 36, x + 36) float32 array
        Radius and weight of the strip's cells and of those within the window on all sides.
    guide : (3, y + 36, x + 36) float32 array
        Their colors.
    variances : (2, y, x) float32 array
        Variances of both range Gaussians: for any color, and for the same color.
    """
    height, width = variances.shape[1:]
    center = np.s_[..., _WINDOW : _WINDOW + height, _WINDOW : _WINDOW + width]
    radius, color = radii[center], guide[center]
    any_color, same_color = np.reciprocal(-2 * variances)
    total = np.zeros((height, width), np.float32)
    total_weight = np.zeros((height, width), np.float32)
    offsets = range(0, 2 * _WINDOW + 1, _STRIDE)
    for down in offsets:
        for right in offsets:
            window = np.s_[..., down : down + height, right : right + width]
            other = radii[window]
            difference = np.square(other - radius)
            color_step = guide[window] - color
            color_difference = np.einsum("cyx,cyx->yx", color_step, color_step)
            distance = (down - _WINDOW) ** 2 + (right - _WINDOW) ** 2
            spatial = np.float32(-0.5 * distance / _SPATIAL_SIGMA**2)
            similar = np.maximum(any_color * difference, same_color * difference - color_difference)
            weight = weights[window] * np.exp(similar + spatial)
            total += weight * other
            total_weight += weight
    mean: FloatArray = total / total_weight
    return mean


def range_variance(radius: FloatArray, radius_sigma: float) -> FloatArray:
    """Return the variance of the range Gaussian in square pixels, which grows with the radius.

    Examples
    --------
    >>> float(range_variance(np.float32(10), radius_sigma=0.3))
    1.0
    """
    return np.asarray(np.square(radius_sigma + _SIGMA_PER_RADIUS * np.abs(radius)))


def guide_colors(views: FloatArray, cell: int) -> FloatArray:
    """Return the mean color (3, y, x) of the cells of an image, or of both views.

    Parameters
    ----------
    views : (1, 3 or 6, Y, X) float32 array
        Display-encoded; gray is three equal channels.
    cell : int
        Side of a cell in pixels.

    Returns
    -------
    float32 array
        In such units that the color Gaussian is exp(-d), d being the squared difference of two
        colors, summed over the channels.

    Examples
    --------
    >>> guide_colors(np.ones((6, 4, 8), np.float32), 2).shape
    (3, 2, 4)
    """
    cells = block_mean(views, cell)
    colors = cells.reshape(-1, min(len(cells), _RGB), *cells.shape[1:]).mean(0)
    # d is the mean squared difference of the channels, divided by twice the variance
    guide = colors / np.float32(_COLOR_SIGMA * (2 * _RGB) ** 0.5)
    return np.broadcast_to(guide, (_RGB, *guide.shape[1:]))
