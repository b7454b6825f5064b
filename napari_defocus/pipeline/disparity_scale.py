"""Scale of the radii estimated from two views, matched to the blur that one image shows.

Disparity between dual-pixel views is proportional to the blur radius, by a factor that depends on
the lens and on how well the photodiodes separate its halves. The views alone hardly determine the
factor; the single-image estimator gives it, once for the whole plane.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import Array, FloatArray
from ..inference.resample import block_mean, downsample
from ..inference.storage import MemoryStorage, Planes, WritablePlanes
from ..inference.tiles import Box
from .coarse_to_fine import estimate_coarse_to_fine
from .confidence import confidence_within
from .levels import ImageLevels, sample_map, weighted_quantile
from .plane import PlaneRun, Steps

if TYPE_CHECKING:
    from ..networks.network import Network

#: Side of the part that is compared, in pixels of its level.
_SIDE = 448
#: Smallest radius in pixels that counts: below it, neither blur nor disparity is measured well.
_MIN_RADIUS = 0.5
#: Smallest median radius, in pixels of the level, of the part that is compared. The level is the
#: coarsest at which it is reached.
_MIN_MEDIAN_RADIUS = 3.0
#: Weight, in squared pixels of radius summed over pixels, at which the measured factor counts as
#: much as 1, the factor of the lenses that the estimator was trained with.
_PRIOR_WEIGHT = 16_000.0
#: Smallest and largest ratio; others are clipped.
_RATIOS = (0.5, 2.0)


def match_disparity_scale(
    estimate: WritablePlanes, views: Planes, single: Network, run: PlaneRun
) -> Steps[None]:
    """Scale radii estimated from two views to those that one image shows.

    The farther the factor is from 1, the more the confidence is lowered.

    Parameters
    ----------
    estimate : (2, Y, X) float32 array
        Signed radius in pixels and confidence; changed in place.
    views : (6, Y, X) float32 array
        Both views in the networks' form.
    single : Network
        An estimator from one image.
    run : PlaneRun
        Options, progress (with `max_pixels` planned) and storage.

    Yields
    ------
    Progress
    """
    informative = _most_informative(estimate)
    if informative is None:
        run.meter.skip(max_pixels(estimate.shape))
        return
    level, part = informative
    picture = _mean_view(views[:, *part.slices], level)
    run.meter.skip(max_pixels(estimate.shape) - picture[0].size)
    memory = MemoryStorage()
    part_run = replace(run, options=replace(run.options, downscale="auto"), storage=memory)
    reference = yield from estimate_coarse_to_fine(single, ImageLevels(picture, memory), part_run)
    radii = block_mean(estimate[:, *part.slices], level)
    radii[0] /= level
    factor = radius_ratio(radii, reference[:, :, :])
    # errors scale with the radii, and grow with the distance from the usual factor
    error_ratio = factor * (1 + abs(math.log(factor)))
    for block in run.storage.blocks(estimate.shape, 1):
        radius, confidence = estimate[:, *block.slices]
        confidence = confidence_within(confidence, 1 / error_ratio)
        estimate[:, *block.slices] = np.stack([np.float32(factor) * radius, confidence])


def max_pixels(shape: Sequence[int]) -> int:
    """Return the largest number of pixels of a plane (..., Y, X) that are compared."""
    height, width = shape[-2:]
    return min(height, _SIDE) * min(width, _SIDE)


def radius_ratio(estimate: FloatArray, reference: FloatArray) -> float:
    """Return the factor by which the radii of a reference are larger.

    Parameters
    ----------
    estimate, reference : (2, Y, X) float32 array
        Radius in pixels, of either sign, and confidence.

    Returns
    -------
    float
        Geometric mean of the ratios, weighted by radius and confidence, and drawn toward 1 where
        the total weight is small.

    Examples
    --------
    >>> radius, sure = np.full((200, 200), 4, np.float32), np.ones((200, 200), np.float32)
    >>> round(radius_ratio(np.stack([radius, sure]), np.stack([1.5 * radius, sure])), 2)
    1.49
    """
    one, other = np.abs(estimate[0]), np.abs(reference[0])
    measurable = (one > _MIN_RADIUS) & (other > _MIN_RADIUS)
    if not measurable.any():
        return 1.0
    one, other = one[measurable], other[measurable]
    confidence = (estimate[1] * reference[1])[measurable]
    weights = np.square(confidence * np.minimum(one, other), dtype=np.float64)
    ratios = np.log(np.clip(other / one, *_RATIOS))
    return float(np.exp((weights * ratios).sum() / (weights.sum() + _PRIOR_WEIGHT)))


def _most_informative(estimate: Planes) -> tuple[int, Box] | None:
    """Return the level to compare at, and the part at full size with the most telling radii.

    None if no radius counts.
    """
    (radius, confidence), step = sample_map(estimate)
    size = np.abs(radius)
    weights: Array = np.square(size * confidence * (size > _MIN_RADIUS), dtype=np.float64)
    if not weights.any():
        return None
    median = weighted_quantile(size, weights, 0.5)
    level = 1
    while median / (2 * level) >= _MIN_MEDIAN_RADIUS:
        level *= 2
    rows, columns = (_spans(length, _SIDE * level) for length in estimate.shape[-2:])
    parts = [Box(top, left, bottom, right) for top, bottom in rows for left, right in columns]
    return level, max(parts, key=lambda part: _weight_in(weights, part, step))


def _spans(length: int, side: int) -> list[tuple[int, int]]:
    """Return spans of at most `side` that cover a length, evenly spread, half a side apart."""
    rest = max(length - side, 0)
    count = -(-2 * rest // side) + 1
    starts = np.linspace(0, rest, count).astype(int)
    return [(int(start), min(int(start) + side, length)) for start in starts]


def _weight_in(weights: Array, part: Box, step: int) -> float:
    """Return the total weight in a part; `weights` holds every `step`-th row and column."""
    rows, columns = (slice(-(-s.start // step), -(-s.stop // step)) for s in part.slices)
    return float(weights[rows, columns].sum())


def _mean_view(views: FloatArray, level: int) -> FloatArray:
    """Return the mean of both views (3, y, x), shrunk by `level`."""
    left, right = (downsample(view, [level])[0] for view in np.split(views, 2))
    return (left + right) * np.float32(0.5)
