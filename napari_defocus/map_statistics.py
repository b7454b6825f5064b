"""Statistics of a defocus map over the pixels whose radius is sure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

#: Confidence below which a radius is not known, in statistics and pictures of maps.
UNSURE = 0.25
#: Quantile of the sure radii that stands for the sharpest pixels.
_SHARPEST = 0.05
#: Largest blur in pixels that counts as the softness of camera or objective, as colors that were
#: interpolated from a sensor's mosaic have 1.1 px in focus.
_MOST_SOFTNESS = 1.5
#: Pixels of a map of which statistics are made; of more, an evenly spread sample is taken.
_SAMPLE = 64_000_000
#: Pixels of blur beyond that softness up to which a pixel counts as in focus.
_MARGIN = 0.5


@dataclass(frozen=True)
class MapStatistics:
    """Statistics of a defocus map over the pixels whose confidence is at least 0.25.

    Parameters
    ----------
    median_radius : float
        Median of the radii in pixels, signs dropped; NaN if no pixel is sure.
    focus_radius : float
        Radius in pixels up to which a pixel counts as in focus; NaN if no pixel is sure.
    in_focus : float
        Share, 0 to 1, of the sure pixels that are in focus; NaN if no pixel is sure.
    sure : float
        Share, 0 to 1, of the pixels that are sure.
    """

    median_radius: float
    focus_radius: float
    in_focus: float
    sure: float


def map_statistics(radius: Any, confidence: Any) -> MapStatistics:
    """Return statistics of a defocus map over its sure pixels.

    Of a map of more than 64 million pixels, an evenly spread sample counts.

    A pixel is in focus if its blur exceeds that of the sharpest pixels by at most half a pixel.
    The blur of the sharpest, the 5th percentile of the sure radii, is the softness of camera or
    objective if it is at most 1.5 pixels; where even the sharpest are softer, none is in focus.

    Parameters
    ----------
    radius : (...) array
        Radii in pixels, signed or not; in memory, or sliced like a NumPy array.
    confidence : (...) array
        Confidence, 0 to 1, in each radius.

    Returns
    -------
    MapStatistics

    Examples
    --------
    >>> radius = np.array([1.0, 1.2, 6.0, 0.0])
    >>> map_statistics(radius, np.array([0.9, 0.9, 0.9, 0.0])).in_focus
    0.6666666666666666
    """
    step = math.ceil((math.prod(radius.shape) / _SAMPLE) ** 0.5)
    if step > 1:
        radius, confidence = (part[..., ::step, ::step] for part in (radius, confidence))
    radius, sure = np.asarray(radius), np.asarray(confidence) >= UNSURE
    sizes = np.abs(radius.astype(np.float32, copy=False)[sure])
    if not sizes.size:
        return MapStatistics(np.nan, np.nan, np.nan, 0.0)
    limit = min(float(np.quantile(sizes, _SHARPEST)), _MOST_SOFTNESS) + _MARGIN
    return MapStatistics(
        float(np.median(sizes)), limit, float(np.mean(sizes <= limit)), float(np.mean(sure))
    )


def sure_radii(radius: Any, confidence: Any) -> npt.NDArray[np.float32]:
    """Return the radii of a map, NaN where they are not sure.

    Parameters
    ----------
    radius, confidence : (...) array
        As for :func:`map_statistics`, in memory.

    Examples
    --------
    >>> sure_radii(np.array([1.0, 6.0]), np.array([0.9, 0.2]))
    array([ 1., nan], dtype=float32)
    """
    return np.where(confidence >= UNSURE, radius, np.nan).astype(np.float32, copy=False)
