"""Blur radius that divides a subject from a strongly blurred background."""

from __future__ import annotations

import numpy as np

from ..array_types import FloatArray
from ..map_statistics import UNSURE

#: Fewest sure pixels that are divided.
_FEWEST = 64
#: Smallest mean radius in pixels of a background, and smallest ratio to that of the subject.
_STRONG, _RATIO = 4.0, 2.0
#: Smallest share of the sure pixels that is a subject, or a background.
_SMALLEST_PART = 0.02
#: Share of the variance of the radii' logarithms that two groups explain at least.
_SEPARATION = 0.7
#: Share of each group that may lie on the other's side of its end.
_TAIL = 0.05


def subject_limit(radius: FloatArray, confidence: FloatArray) -> float:
    """Return the radius in pixels that divides subject and background, 0 if there are not two.

    Otsu's threshold [1]_ of the logarithms of the sure radii makes two groups; the limit is the
    middle between them. Radii of 0, such as those of pixels that edits leave alone, belong to none.

    Parameters
    ----------
    radius, confidence : (Y, X) float32 array
        Radii in pixels, >= 0, and confidence, 0 to 1.

    References
    ----------
    .. [1] N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. Systems,
       Man and Cybernetics 9, 62-66 (1979).

    Examples
    --------
    >>> radius = np.repeat(np.float32([1, 12]), 100)
    >>> 1 < subject_limit(radius, np.ones(200, np.float32)) < 12
    True
    >>> subject_limit(radius[:100], np.ones(100, np.float32))
    0.0
    """
    from skimage.filters import threshold_otsu

    logarithms = np.log1p(radius[(confidence >= UNSURE) & (radius > 0)])
    if logarithms.size < _FEWEST or np.ptp(logarithms) == 0:
        return 0.0
    far = logarithms > threshold_otsu(logarithms)
    share = float(far.mean())
    if not _SMALLEST_PART <= share <= 1 - _SMALLEST_PART:
        return 0.0
    means = [float(logarithms[part].mean()) for part in (~far, far)]
    explained = share * (1 - share) * (means[1] - means[0]) ** 2 / float(logarithms.var())
    near_radius, far_radius = np.expm1(means)
    if far_radius < max(_STRONG, _RATIO * near_radius) or explained < _SEPARATION:
        return 0.0
    ends = np.quantile(logarithms[~far], 1 - _TAIL), np.quantile(logarithms[far], _TAIL)
    return float(np.expm1(np.mean(ends)))
