"""Significance of a statistic, by the bulk of its values in the same picture."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from ..array_types import FloatArray

#: Shares of the pixels that are taken for honest: their quantiles give place and width of chance.
_MIDDLE, _UPPER = 0.6, 0.85
#: Normal quantile of the upper share.
_UPPER_SCORE = 1.036
#: Scores per distance of the two quantiles above the upper one: how far chance reaches, measured
#: on honest pictures of 30 rendered scenes and 16 photographs that networks were trained on.
_SLOPE = 0.72
#: Least and largest width of chance, and largest upper quantile. They are those of the worst
#: honest pictures: beyond them all of a picture is wrong, which its own bulk must not hide.
_LEAST_WIDTH, _LARGEST_WIDTH, _LARGEST_UPPER = 0.2, 1.2, 4.4
#: Number of values that quantiles are taken of.
_SAMPLE = 1 << 22


def scores(statistic: FloatArray) -> FloatArray:
    """Turn a statistic into standard scores, which are normal for honest pixels.

    Parameters
    ----------
    statistic : (Y, X) float32 array
        Logarithm of unexplained over expected energy; NaN where nothing can be said.

    Returns
    -------
    (Y, X) float32 array

    Notes
    -----
    An empirical null (Efron, "Large-scale simultaneous hypothesis testing", 2004): models of noise
    and blur are never exact, so the bulk of the picture tells what chance does, within limits.

    Examples
    --------
    >>> bulk = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    >>> bulk[:8, :8] = 9
    >>> bool((scores(bulk)[:8, :8] > 5).all())
    True
    """
    values = statistic[np.isfinite(statistic)]
    if not values.size:
        return np.full_like(statistic, np.nan)
    values = values[:: -(-values.size // _SAMPLE)]
    middle, upper = np.quantile(values, [_MIDDLE, _UPPER])
    width = np.clip(upper - middle, _LEAST_WIDTH, _LARGEST_WIDTH)
    place = min(upper, _LARGEST_UPPER)
    result: FloatArray = (statistic - place) * np.float32(_SLOPE / width) + np.float32(_UPPER_SCORE)
    return result


def threshold(false_alarms: float) -> float:
    """Return the score that a share of honest pixels exceeds.

    Examples
    --------
    >>> round(threshold(0.05), 3)
    1.645
    """
    return NormalDist().inv_cdf(1 - false_alarms)
