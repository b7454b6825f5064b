"""Dual-pixel views that are not level with each other."""

from __future__ import annotations

import numpy as np

from ..array_types import Array, FloatArray

#: Shifts tried, in pixels, and columns block_mean, so that disparity does not matter much.
_REACH, _BLOCK = 3, 32
#: Views are moved only where that leaves less than this share of their difference.
_MUCH_BETTER = 0.7


def rectify(left: FloatArray, right: FloatArray) -> FloatArray:
    """Move the right view up or down by whole pixels if it is not level with the left one.

    The views of a sensor are level by nature; those that were cropped or resampled may not be.

    Parameters
    ----------
    left, right : (C, Y, X) float32 array
        Views, display-encoded.

    Returns
    -------
    (C, Y, X) float32 array
        The right view, its edge continued; itself if it is level, or if nothing tells.

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
    """Return how many pixels, at most 3, the right view lies below the left one."""
    rows = left.shape[1] - 1 - 2 * _REACH
    if rows < _BLOCK:
        return 0
    one, other = _profiles(left), _profiles(right)
    kept = one[_REACH : _REACH + rows]
    errors = {
        offset: float(np.square(other[_REACH + offset :][:rows] - kept).mean())
        for offset in range(-_REACH, _REACH + 1)
    }
    best = min(errors, key=errors.__getitem__)
    return best if errors[best] < _MUCH_BETTER * errors[0] else 0


def _profiles(view: FloatArray) -> Array:
    """Return differences down (Y - 1, B) of the mean of every block of columns, of like scale."""
    gray = view.mean(0)
    blocks = np.array_split(gray, max(gray.shape[1] // _BLOCK, 1), axis=1)
    profile = np.diff(np.stack([block.mean(1) for block in blocks], 1), axis=0)
    return profile / np.float32(max(profile.std(), 1e-6))
