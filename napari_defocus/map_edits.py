"""Edits of a defocus map: labels painted over an estimate, and the map that results."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .defocus_map import DefocusMap
from .errors import MapError

#: Label of pixels that are to stay as they are, and of pixels to deblur by their estimated radius.
LEAVE_ALONE, SHARPEN = 998, 999
#: Label of the radius 0; each further one stands for a tenth of a pixel more.
_ZERO = 1000
_STEPS = 10
#: Largest label that stands for a radius in whole pixels, as painted by hand.
_MOST_WHOLE = 500
#: Least radius in pixels by which a pixel that is to be sharpened is deblurred.
_LEAST = 1.5


def radius_label(radius: float) -> int:
    """Return the label that sets a radius, in steps of a tenth of a pixel.

    Examples
    --------
    >>> radius_label(2.5)
    1025
    """
    return _ZERO + round(radius * _STEPS)


def describe_label(label: int) -> str:
    """Return what a label means, in words.

    Examples
    --------
    >>> [describe_label(each) for each in (0, 3, LEAVE_ALONE, radius_label(2.5))]
    ['as estimated', 'radius 3 px', 'leave alone', 'radius 2.5 px']
    """
    words = {0: "as estimated", LEAVE_ALONE: "leave alone", SHARPEN: "sharpen"}
    if label in words:
        return words[label]
    radius = label if label <= _MOST_WHOLE else (label - _ZERO) / _STEPS
    return f"radius {radius:g} px"


def apply_edits(
    defocus: DefocusMap, labels: npt.NDArray[np.integer[Any]], softness: float = 0.0
) -> DefocusMap:
    """Return a map with edits painted over it.

    Parameters
    ----------
    defocus : DefocusMap
        The estimate, of NumPy arrays (..., Y, X).
    labels : (..., Y, X) int array
        0: the estimate. 1 to 500: a radius in whole pixels. From 1000 on: tenths of a pixel above
        0. `LEAVE_ALONE`: radius 0. `SHARPEN`: the estimated radius, at least 1.5 pixels, for sure.
        Axes that the map has before those of the labels share them.
    softness : float
        Standard deviation in pixels of the transition between edits and estimate; 0: none.

    Returns
    -------
    DefocusMap
        With confidence 1 where it was painted.

    Raises
    ------
    MapError
        If the shapes do not fit, or a label has no meaning.

    Examples
    --------
    >>> estimate = DefocusMap(np.full((1, 3), 4.0), np.full((1, 3), 0.5))
    >>> apply_edits(estimate, np.array([[0, 2, LEAVE_ALONE]])).radius.tolist()
    [[4.0, 2.0, 0.0]]
    """
    shape = defocus.radius.shape
    if labels.shape != shape[max(0, len(shape) - labels.ndim) :]:
        raise MapError(
            f"the edits have shape {labels.shape}, and the map {shape}; they must be the same"
        )
    size = np.abs(defocus.radius)
    painted = np.broadcast_to(labels > 0, shape)
    edited = np.where(labels == SHARPEN, np.maximum(size, _LEAST), _painted_sizes(labels))
    weight = painted.astype(np.float32)
    if softness > 0:
        edited, weight = _feather(edited, weight, softness)
    radius = size + weight * (edited.astype(np.float32) - size)
    if defocus.signed:
        radius = np.copysign(radius, defocus.radius)
    confidence = defocus.confidence + weight * (1 - defocus.confidence)
    return replace(
        defocus, radius=radius.astype(np.float32), confidence=confidence.astype(np.float32)
    )


def _painted_sizes(labels: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float32]:
    """Return the radii in pixels that labels stand for, 0 where they stand for none."""
    fine, whole = labels >= _ZERO, labels <= _MOST_WHOLE
    unknown = ~fine & ~whole & (labels != LEAVE_ALONE) & (labels != SHARPEN)
    if unknown.any() or (labels < 0).any():
        label = int(labels[unknown | (labels < 0)][0])
        raise MapError(
            f"the edits hold the label {label}; accepted are radii in pixels from 1 to "
            f"{_MOST_WHOLE}, and what the step Edit paints"
        )
    radii = np.where(fine, (labels - _ZERO) / _STEPS, np.where(whole, labels, 0))
    return radii.astype(np.float32)


def _feather(
    edited: npt.NDArray[np.floating], weight: npt.NDArray[np.float32], softness: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return radii carried beyond what was painted, and weights with a soft border."""
    from scipy.ndimage import gaussian_filter

    sigma = (*(0,) * (weight.ndim - 2), softness, softness)
    soft = gaussian_filter(weight, sigma)
    carried = gaussian_filter(edited * weight, sigma) / np.maximum(soft, 1e-6)
    return np.where(weight > 0, edited, carried).astype(np.float32), soft
