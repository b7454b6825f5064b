"""Conversion of planes to the networks' form, and of changes back to the image's own values.

The networks' form of one plane is a float32 array (3, Y, X): display-encoded, black at 0, white at
1, gray repeated in three channels. The way back adds only the *change* that a network made, so that
a pixel it left alone comes back bit for bit, in any data type and range.

Display encoding is the sRGB curve (IEC 61966-2-1), extended: odd-symmetric below black, its power
law continued above white.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array_types import Array, FloatArray, Mask
from .layout import Encoding
from .missing import valid_mask
from .range_rules import Range

#: Distance beyond black and white, in units of the range, at which values are clipped, so that no
#: computation overflows.
_CLIP_DISTANCE = 1e4


def encode(linear: FloatArray) -> FloatArray:
    """Turn linear light into display values by the extended sRGB curve.

    Parameters
    ----------
    linear : (...) float32 array
        Light; black is 0 and white is 1, values outside are continued.

    Returns
    -------
    (...) float32 array

    Examples
    --------
    >>> encode(np.array([-1.0, 0.0, 0.2140411, 1.0], np.float32)).round(4).tolist()
    [-1.0, 0.0, 0.5, 1.0]
    """
    size = np.abs(linear)
    steep = 1.055 * size ** np.float32(1 / 2.4) - 0.055
    curve = np.where(size <= 0.0031308, 12.92 * size, steep)
    return np.copysign(curve, linear).astype(np.float32, copy=False)


def decode(display: FloatArray) -> FloatArray:
    """Turn display values into linear light: the inverse of :func:`encode`.

    Examples
    --------
    >>> decode(np.array([-1.0, 0.0, 0.5, 1.0], np.float32)).round(4).tolist()
    [-1.0, 0.0, 0.214, 1.0]
    """
    size = np.abs(display)
    steep = ((size + 0.055) / 1.055) ** np.float32(2.4)
    curve = np.where(size <= 0.04045, size / 12.92, steep)
    return np.copysign(curve, display).astype(np.float32, copy=False)


def _clip_far(values: Array, low: float, high: float) -> None:
    """Clip values far beyond black and white, in place, so that nothing overflows."""
    limit, reach = float(np.finfo(values.dtype).max), _CLIP_DISTANCE * (high - low)
    np.clip(values, max(low - reach, -limit), min(high + reach, limit), out=values)


def to_display(
    plane: Array, encoding: Encoding, value_range: Range, nodata: float | str = "none"
) -> FloatArray | None:
    """Return one plane in the networks' form, with gray as a single channel.

    Parameters
    ----------
    plane : (C, Y, X) array
        1, 3 or 4 channels; the fourth, alpha, is left out. Pixels without data are filled from
        their neighbors, so that they cannot spread.
    encoding : {"srgb", "linear"}
        Whether the values are display values or proportional to light.
    value_range : (float, float)
        Black and white.
    nodata : float, "none" or "auto"
        Which pixels hold no data; see :func:`napari_defocus.image.missing.valid_mask`.

    Returns
    -------
    (C, Y, X) float32 array of 1 or 3 channels, or None if no pixel of the plane holds data
    """
    low, high = value_range
    colors = plane[:3]
    exact = _exact(plane.dtype)
    display = colors.astype(exact)
    _clip_far(display, low, high)
    display -= low
    display /= high - low
    display = display.astype(np.float32, copy=False)
    valid = valid_mask(colors, nodata, value_range)
    if valid is not None:
        if not valid.any():
            return None
        display = np.stack([fill_missing(*pair) for pair in zip(display, valid, strict=True)])
    if encoding == "linear":
        display = encode(display)
    return np.ascontiguousarray(display)


def add_change(
    plane: Array,
    before: FloatArray,
    change: FloatArray,
    *,
    encoding: Encoding,
    value_range: Range,
    bounded: bool,
    nodata: float | str = "none",
) -> Array:
    """Return a plane with the change of its networks' form added, in the plane's own values.

    Parameters
    ----------
    plane : (C, Y, X) array
        The original, of 1, 3 or 4 channels.
    before : (C, Y, X) float32 array
        The plane as :func:`to_display` returns it.
    change : (3, Y, X) float32 array
        Change of `before`. A gray plane gets the mean of the three channels.
    encoding, value_range, nodata
        As given to :func:`to_display`.
    bounded : bool
        Keep values below white, as photographs need it; all stay above black. Values that were
        outside already may stay where they are. Integers always stay inside their data type.

    Returns
    -------
    (C, Y, X) array
        Of the plane's data type; bit for bit the plane's own value wherever `change` is zero, in
        the alpha channel, and where it holds no data.
    """
    if len(plane) == 1:
        change = change.mean(axis=0, keepdims=True, dtype=np.float32)
    result = plane.copy()
    for channel, display, step in zip(result[:3], before, change, strict=True):
        mask = step != 0
        valid = valid_mask(channel, nodata, value_range)
        if valid is not None:
            mask &= valid
        if encoding == "linear":
            step = decode(display + step) - decode(display)
        new = _add_step(channel, step, value_range, bounded=bounded)
        np.copyto(channel, new, where=mask)
    return result


def blend(before: Array, after: Array, amount: float) -> Array:
    """Return a blend of an image and its changed copy, in their own values.

    Parameters
    ----------
    before, after : (...) arrays of one data type
        The image and its copy.
    amount : float
        Share of the copy, 0 to 1.

    Returns
    -------
    (...) array
        Of the same data type; integers are rounded. Where both are equal, or one is not finite, it
        is the copy, bit for bit.

    Examples
    --------
    >>> blend(np.array([10, 250], np.uint8), np.array([20, 250], np.uint8), 0.75).tolist()
    [18, 250]
    """
    if amount == 1:
        return after
    exact = _exact(before.dtype)
    mixed = before.astype(exact)
    with np.errstate(invalid="ignore", over="ignore"):
        mixed += exact.type(amount) * (after.astype(exact) - mixed)
    if before.dtype.kind != "f":
        differs = before != after
        blended = _round_to(mixed, before.dtype)
    else:
        differs = (before != after) & np.isfinite(mixed)
        blended = mixed.astype(before.dtype)
    return np.where(differs, blended, after)


def _add_step(channel: Array, step: FloatArray, value_range: Range, *, bounded: bool) -> Array:
    """Return one channel with a step, 1 being white, added."""
    low, high = value_range
    kind = channel.dtype
    was = channel.astype(_exact(kind))
    new: Array = np.maximum(was + (high - low) * step.astype(_exact(kind)), np.minimum(was, low))
    if bounded:
        new = np.minimum(new, np.maximum(was, high))
    if kind.kind != "f":
        return _round_to(new, kind)
    limit = np.finfo(kind).max
    return np.clip(new, -limit, limit).astype(kind)


def _round_to(values: Array, dtype: np.dtype[Any]) -> Array:
    """Return values rounded to integers and clipped to the data type."""
    info = np.iinfo(dtype)
    top = float(info.max)
    if int(top) > info.max:  # 64 bits: the nearest float lies beyond the largest integer
        top = float(np.nextafter(top, 0))
    return np.clip(np.rint(values), info.min, top).astype(dtype)


def _exact(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the float type that holds every value of `dtype` up to 32 bits exactly."""
    return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)


def fill_missing(values: FloatArray, valid: Mask) -> FloatArray:
    """Fill missing values from their neighbors, near ones first.

    Valid values are averaged over 2 x 2 pixels, again and again, until every coarse pixel is
    valid; missing values then take that of the finest coarse pixel that covers them.

    Parameters
    ----------
    values : (Y, X) float32 array
        May be NaN or infinite where missing.
    valid : (Y, X) bool array
        Mask of valid values.

    Returns
    -------
    (Y, X) float32 array
        Finite; zeros if none is valid.

    Examples
    --------
    >>> fill_missing(np.array([[1.0, np.nan]], np.float32), np.array([[True, False]])).tolist()
    [[1.0, 1.0]]
    """
    if valid.all():
        return values
    with_zeros = np.where(valid, values, np.float32(0))
    if values.size == 1 or not valid.any():
        return with_zeros
    height, width = values.shape
    pad = ((0, height % 2), (0, width % 2))
    blocks = ((height + 1) // 2, 2, (width + 1) // 2, 2)
    count = np.pad(valid.astype(np.float32), pad).reshape(blocks).sum(axis=(1, 3))
    total = np.pad(with_zeros, pad).reshape(blocks).sum(axis=(1, 3))
    coarse = fill_missing((total / np.maximum(count, 1)).astype(np.float32), count > 0)
    spread = coarse.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    return np.where(valid, values, spread)
