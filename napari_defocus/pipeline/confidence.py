"""Relation of confidence and error: errors are modeled as falling off exponentially."""

from __future__ import annotations

import numpy as np

from ..array_types import FloatArray

#: Confidences are clipped by this much at both ends, so that the expected error stays finite.
_LEAST = 1e-3


def confidence_within(confidence: FloatArray, ratio: float | FloatArray) -> FloatArray:
    """Return the probability of an error below `ratio` times as many pixels.

    Of errors beyond t pixels, the share p, beyond 2 t pixels there are p^2.

    Parameters
    ----------
    confidence : float32 array
        In [0, 1].
    ratio : float or float32 array
        Above 0.

    Returns
    -------
    float32 array
        In [0, 1].

    Examples
    --------
    >>> float(confidence_within(np.float32(0.75), 0.5))
    0.5
    """
    return (1 - (1 - confidence) ** ratio).astype(np.float32, copy=False)


def expected_error(confidence: FloatArray) -> FloatArray:
    """Return the mean error in pixels, of which the share ``1 - confidence`` lies beyond 1 pixel.

    Parameters
    ----------
    confidence : float32 array
        In [0, 1].

    Returns
    -------
    float32 array
        From 0.14 to 1000 px.

    Notes
    -----
    Errors of mean m that fall off exponentially lie beyond 1 pixel with probability exp(-1 / m).

    Examples
    --------
    >>> float(expected_error(1 - np.exp(np.float32(-0.5))).round(3))
    2.0
    """
    error: FloatArray = -np.reciprocal(np.log1p(-np.clip(confidence, _LEAST, 1 - _LEAST)))
    return error
