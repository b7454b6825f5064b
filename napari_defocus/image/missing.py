"""Pixels without data: not finite, of a no-data value, or far beyond black and white."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array_types import Array, Mask
from ..errors import OptionError

#: Distance from black and white, in units of the range, beyond which a value holds no data. Fill
#: values (-9999, -3.4e38, 65535) and stuck pixels lie there, and no light that a network can use.
FARTHEST = 100.0
#: Values that programs write where there is no data. They are recognized if they lie outside the
#: range of all others by more than its width.
_USUAL = (-999.0, -9999.0, -99999.0, -32767.0, -32768.0, -2147483648.0)
#: Range of integers, such as counts of photons, within which all but one value may lie.
_FEWEST_LEVELS = 8


def valid_mask(
    values: Array, nodata: float | str = "auto", value_range: tuple[float, float] | None = None
) -> Mask | None:
    """Return which values hold data, or None if all do.

    Parameters
    ----------
    values : array
        Integers or floats.
    nodata : float, "none" or "auto"
        Value of pixels without data. If it is "none", only values that are not finite hold none.
    value_range : (float, float), optional
        Black and white. Values farther than 100 times their distance from both hold no data.

    Examples
    --------
    >>> valid_mask(np.array([0.5, -9999, np.nan, 7]), 7, (0, 1)).tolist()
    [True, False, False, False]
    >>> valid_mask(np.zeros(3, np.uint8), "auto", (0, 255)) is None
    True
    """
    checks = []
    if values.dtype.kind == "f":
        checks.append(np.isfinite(values))
    if not isinstance(nodata, str) and (same := _as_stored(nodata, values.dtype)) is not None:
        checks.append(values != same)
    if value_range is not None and nodata != "none":
        low, high = far_limits(value_range)
        least, most = _limits(values.dtype)
        with np.errstate(over="ignore"):  # float16 has no such values
            if least < low or high < most:
                checks.append((values >= low) & (values <= high))
            if least < 0:
                checks.extend(values != fill for fill in _usual_fills(value_range) if fill >= least)
    mask: Mask | None = np.logical_and.reduce(checks) if checks else None
    return None if mask is None or mask.all() else mask


def far_limits(value_range: tuple[float, float]) -> tuple[float, float]:
    """Return the least and the largest value that can hold data, by black and white."""
    low, high = value_range
    reach = FARTHEST * (high - low)
    return low - reach, high + reach


def is_far(value: float, value_range: tuple[float, float]) -> bool:
    """Return whether a value is too far from black and white to hold data."""
    low, high = far_limits(value_range)
    return not low <= value <= high or value in _usual_fills(value_range)


def _usual_fills(value_range: tuple[float, float]) -> list[float]:
    """Return the usual fill values that lie far from black and white."""
    low, high = value_range
    return [fill for fill in _USUAL if fill < low - (high - low)]


def fill_values(
    least: float, second: float, second_most: float, most: float, dtype: Any = np.float64
) -> set[float]:
    """Return which of the ends of an image's values are fill values, far from all others.

    Parameters
    ----------
    least, second : float
        The smallest value, and the next larger one.
    second_most, most : float
        The largest value, and the next smaller one.
    dtype : data type
        Of the image: integers that differ by a few levels are too coarse to compare gaps with.

    Returns
    -------
    set of float
        `least`, `most` or both, if the gap to the rest is more than 100 times the rest's range; a
        usual fill value, if it is wider than that range.

    Examples
    --------
    >>> fill_values(-9999, 0.1, 0.8, 0.9), fill_values(0, 1, 200, 255)
    ({-9999}, set())
    """
    below, above = second - least, most - second_most
    narrowest = _FEWEST_LEVELS if np.dtype(dtype).kind in "iu" else 0
    for fills, low, high in (
        ({least}, second, most),
        ({most}, least, second_most),
        ({least, most}, second, second_most),
    ):
        reach = FARTHEST * (high - low)
        is_below = below > (high - low if least in _USUAL else reach)
        is_meant = (least not in fills or is_below) and (most not in fills or above > reach)
        if high - low > narrowest and is_meant:
            return fills
    return set()


def check_nodata(nodata: float | str, dtype: np.dtype[Any]) -> None:
    """Raise an OptionError for a value that no pixel of a data type has.

    Examples
    --------
    >>> check_nodata(300.0, np.dtype(np.uint8))
    Traceback (most recent call last):
    ...
    napari_defocus.errors.OptionError: nodata is 300; uint8 holds whole numbers from 0 to 255
    """
    if not holds_value(nodata, dtype):
        info = np.iinfo(dtype)
        raise OptionError(
            f"nodata is {nodata:g}; {dtype} holds whole numbers from {info.min} to {info.max}"
        )


def holds_value(value: float | str, dtype: np.dtype[Any]) -> bool:
    """Return whether a pixel of a data type can have a value; any word counts as one."""
    return isinstance(value, str) or _as_stored(value, dtype) is not None


def _as_stored(value: float, dtype: np.dtype[Any]) -> Any:
    """Return a value in a data type, or None if the type does not hold it."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.float64(value).astype(dtype)
    info = np.iinfo(dtype)
    return dtype.type(int(value)) if info.min <= value <= info.max and value % 1 == 0 else None


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "f":
        return -np.inf, np.inf
    info = np.iinfo(dtype)
    return float(info.min), float(info.max)
