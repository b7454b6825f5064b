"""Relation of confidence and error: errors are modeled as falling off exponentially."""

from __future__ import annotations

import numpy as np

from ..array_types import FloatArray

#: Distance from 0 and 1 to which confidences are clipped, so that the expected error stays finite.
_MARGIN = 1e-3


def confidence_within(confidence: FloatArray, ratio: float | FloatArray) -> FloatArray:
    """Return the confidence for another tolerance: that the error is below `ratio` pixels.

    If the share p of errors exceeds 1 pixel, the share p^ratio exceeds `ratio` pixels.

    Parameters
    ----------
    confidence : float32 array
        Probability, in [0, 1], that the error is below 1 pixel.
    ratio : float or float32 array
        The other tolerance, divided by the first; above 0.

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
    """Return the mean error in pixels that a confidence stands for.

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
    Exponentially distributed errors of mean m exceed 1 pixel with probability exp(-1 / m), which is
    1 - confidence.

    Examples
    --------
    >>> float(expected_error(1 - np.exp(np.float32(-0.5))).round(3))
    2.0
    """
    error: FloatArray = -np.reciprocal(np.log1p(-np.clip(confidence, _MARGIN, 1 - _MARGIN)))
    return error
