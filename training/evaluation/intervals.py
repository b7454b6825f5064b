"""Confidence intervals of means over few scenes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t

_LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % confidence interval; the ends are NaN for fewer than two values."""

    mean: float
    low: float
    high: float


def mean_interval(values: ArrayLike) -> Interval:
    """Return the mean of independent values, NaN left out, with Student's interval.

    Parameters
    ----------
    values : array
        One a scene; for a comparison, the differences of the two methods scene by scene.

    Examples
    --------
    >>> mean_interval([1.0, 2.0, 3.0])
    Interval(mean=2.0, low=-0.484..., high=4.484...)
    """
    finite = np.asarray(values, float)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return Interval(np.nan, np.nan, np.nan)
    mean = float(finite.mean())
    if finite.size == 1:
        return Interval(mean, np.nan, np.nan)
    half = float(
        t.ppf((1 + _LEVEL) / 2, finite.size - 1) * finite.std(ddof=1) / np.sqrt(finite.size)
    )
    return Interval(mean, mean - half, mean + half)
