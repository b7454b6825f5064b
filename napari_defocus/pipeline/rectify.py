"""Vertical alignment of dual-pixel views."""

from __future__ import annotations

import numpy as np

from ..array_types import Array, FloatArray

#: Largest offset that is tried, in pixels.
_MAX_OFFSET = 3
#: Columns that are averaged before rows are compared: disparity, which shifts columns, then hardly
#: matters. Views that are 2 px apart no longer change the map, which they did by up to 1 px.
_COLUMNS = 32
#: The right view is moved only if that leaves less than this share of the mean squared difference.
_MAX_REMAINING = 0.7


def rectify(left: FloatArray, right: FloatArray) -> FloatArray:
    """Move the right view up or down by whole pixels if it is not level with the left one.

    The views of a sensor are level; views that were cropped or resampled may not be.

    Parameters
    ----------
    left, right : (C, Y, X) float32 array
        Views, display-encoded.

    Returns
    -------
    (C, Y, X) float32 array
        The right view moved, its edge continued; the view itself if it is level, or if no offset
        is clearly better than none.

    Examples
    --------
    >>> view = np.random.default_rng(0).random((3, 64, 64), np.float32)
    >>> moved = rectify(view, np.roll(view, 2, axis=1))
    >>> bool((moved[:, :-2] == view[:, :-2]).all())
    True
    """
    offset = vertical_offset(left, right)
    if offset == 0:
        return right
    height = right.shape[1]
    rows = np.clip(np.arange(height) + offset, 0, height - 1)
    return right[:, rows]


def vertical_offset(left: FloatArray, right: FloatArray) -> int:
    """Return how many pixels, at most 3 of either sign, the right view lies below the left one."""
    rows = left.shape[1] - 1 - 2 * _MAX_OFFSET
    if rows < _COLUMNS:
        return 0
    one, other = _profiles(left), _profiles(right)
    reference = one[_MAX_OFFSET : _MAX_OFFSET + rows]
    errors = {
        offset: float(np.square(other[_MAX_OFFSET + offset :][:rows] - reference).mean())
        for offset in range(-_MAX_OFFSET, _MAX_OFFSET + 1)
    }
    best = min(errors, key=errors.__getitem__)
    return best if errors[best] < _MAX_REMAINING * errors[0] else 0


def _profiles(view: FloatArray) -> Array:
    """Return the normalized difference of each row from the next, (Y - 1, B).

    Rows are averaged over each of B blocks of columns.
    """
    gray = view.mean(0)
    blocks = np.array_split(gray, max(gray.shape[1] // _COLUMNS, 1), axis=1)
    profile = np.diff(np.stack([block.mean(1) for block in blocks], 1), axis=0)
    return profile / np.float32(max(profile.std(), 1e-6))
