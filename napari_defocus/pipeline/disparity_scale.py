"""How large blur is for a given disparity: told from how blurred a part of the picture looks.

Disparity between dual-pixel views is proportional to the blur radius, by a factor that depends on
the lens and on how well the photodiodes tell its halves apart. From the views alone it can hardly
be told; what the single-image estimator sees in the same place says it, once for the whole plane.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import Array, FloatArray
from ..inference.device import Compute
from ..inference.engine import Progress
from ..inference.resample import block_mean, downsample
from ..inference.storage import MemoryStorage, Planes, WritablePlanes
from ..inference.tiles import Box
from .coarse_to_fine import estimate_coarse_to_fine
from .confidence import confidence_within
from .levels import sample, weighted_quantile
from .progress import ProgressMeter

if TYPE_CHECKING:
    from torch import nn

#: Side, in pixels of the level that is looked at, of the part that is.
_SIDE = 448
#: Radii below this say nothing: neither blur nor disparity is measured well enough.
_LEAST = 0.5
#: What most of the radii that count should at least be, in pixels of the level.
_TYPICAL = 3.0
#: Weight, in pixels times squared radii, at which what was found counts as much as what was
#: expected: the factor of the lenses that the estimator was trained with.
_EXPECTED = 16_000.0
#: Factors that are possible.
_BETWEEN = (0.5, 2.0)


def match_disparity_scale(
    found: WritablePlanes,
    views: Planes,
    single: nn.Module,
    compute: Compute,
    meter: ProgressMeter,
    storage: MemoryStorage,
) -> Generator[Progress, None, None]:
    """Scale radii found from two views to those that one image shows.

    The confidence falls as much as the scale is far from the usual one.

    Parameters
    ----------
    found : (2, Y, X) float32 array
        Signed radius in pixels and confidence, which are changed.
    views : (6, Y, X) float32 array
        Both views in the networks' form.
    single : torch.nn.Module
        An estimator from one image.
    compute : Compute
        Device, precision and tiles.
    meter : ProgressMeter
        Counts the progress, `max_pixels` being planned.
    storage : MemoryStorage
        How large a part is worked on at a time.

    Yields
    ------
    Progress
    """
    telling = _telling(found)
    if telling is None:
        meter.skip(max_pixels(found.shape))
        return
    level, part = telling
    picture = _mean_view(views[:, *part.slices], level)
    meter.skip(max_pixels(found.shape) - picture[0].size)
    seen = yield from estimate_coarse_to_fine(
        single, picture, compute, "auto", meter, MemoryStorage()
    )
    told = block_mean(found[:, *part.slices], level)
    told[0] /= level
    factor = radius_ratio(told, seen[:, :, :])
    times = factor * _doubt(factor)
    for block in storage.blocks(found.shape, 1):
        radius, confidence = found[:, *block.slices]
        sure = confidence_within(confidence, 1 / times)
        found[:, *block.slices] = np.stack([np.float32(factor) * radius, sure])


def max_pixels(shape: Sequence[int]) -> int:
    """Return how many pixels of a plane (..., Y, X) are looked at, at most."""
    height, width = shape[-2:]
    return min(height, _SIDE) * min(width, _SIDE)


def radius_ratio(found: FloatArray, reference: FloatArray) -> float:
    """Return how many times larger the radii of a reference are.

    Parameters
    ----------
    found, reference : (2, Y, X) float32 array
        Radius in pixels, of either sign, and confidence.

    Returns
    -------
    float
        Geometric mean of the ratios, the larger and surer radii weighing more, drawn toward 1
        where little is known.

    Examples
    --------
    >>> radius, sure = np.full((200, 200), 4, np.float32), np.ones((200, 200), np.float32)
    >>> round(radius_ratio(np.stack([radius, sure]), np.stack([1.5 * radius, sure])), 2)
    1.49
    """
    one, other = np.abs(found[0]), np.abs(reference[0])
    known = (one > _LEAST) & (other > _LEAST)
    if not known.any():
        return 1.0
    one, other, sure = one[known], other[known], (found[1] * reference[1])[known]
    weights = np.square(sure * np.minimum(one, other), dtype=np.float64)
    ratios = np.log(np.clip(other / one, *_BETWEEN))
    return float(np.exp((weights * ratios).sum() / (weights.sum() + _EXPECTED)))


def _doubt(factor: float) -> float:
    """How many times larger errors are than where the factor is the usual one."""
    return 1 + abs(math.log(factor))


def _telling(found: Planes) -> tuple[int, Box] | None:
    """The level to look at, and the part, at full size, that tells most; None if nothing does."""
    (radius, confidence), step = sample(found)
    size = np.abs(radius)
    weights: Array = np.square(size * confidence * (size > _LEAST), dtype=np.float64)
    if not weights.any():
        return None
    typical = weighted_quantile(size, weights, 0.5)
    level = 1
    while typical / (2 * level) >= _TYPICAL:
        level *= 2
    rows, columns = (_spans(length, _SIDE * level) for length in found.shape[-2:])
    parts = [Box(top, left, bottom, right) for top, bottom in rows for left, right in columns]
    return level, max(parts, key=lambda part: _sum(weights, part, step))


def _spans(length: int, side: int) -> list[tuple[int, int]]:
    """Spans of at most a side that cover a length, evenly spread, at most half of one apart."""
    rest = max(length - side, 0)
    count = -(-2 * rest // side) + 1
    starts = np.linspace(0, rest, count).astype(int)
    return [(int(start), min(int(start) + side, length)) for start in starts]


def _sum(weights: Array, part: Box, step: int) -> float:
    """Sum of the weights, sampled at every so many pixels, of a part of the whole."""
    rows, columns = (slice(-(-s.start // step), -(-s.stop // step)) for s in part.slices)
    return float(weights[rows, columns].sum())


def _mean_view(views: FloatArray, level: int) -> FloatArray:
    """Mean of both views (3, y, x), downsample by `level`."""
    left, right = (downsample(view, [level])[0] for view in np.split(views, 2))
    return (left + right) * np.float32(0.5)
