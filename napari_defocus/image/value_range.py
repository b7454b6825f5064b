"""Black and white of an image: by data type, measured, or chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..array_types import Array
from ..errors import ImageError, OptionError, quote
from .layout import Layout, plane_indices, read_window

Range = tuple[float, float]
#: Black and white of all planes, or (..., 2) of each, broadcast over the axes before Y and X.
Ranges = Range | npt.NDArray[np.float64]

#: Share of the values above a measured white, so that single hot pixels do not set it.
_CLIPPED_SHARE = 1e-4
#: Largest value that is accepted in a color image of floats, in which white is 1.
_BRIGHTEST = 2.0
#: Approximate number of pixels that are read at a time.
_PART = 1 << 24


#: Largest distance of black and white: of floats, and in spans of an integer type. Float32, in
#: which networks compute, has no values between for wider ones.
_WIDEST_OF_FLOATS, _WIDEST_OF_INTEGERS = 1e30, 1000.0


@dataclass(frozen=True)
class Extremes:
    """Extreme values of a part of an image; parts can be joined in any order.

    Parameters
    ----------
    count : int
        Number of finite values.
    low : float
        Smallest finite value; infinite if there is none.
    top : (K,) float64 array
        Largest finite values, ascending.
    """

    count: int
    low: float
    top: npt.NDArray[np.float64]


def extremes(values: Array, keep: int) -> Extremes:
    """Return the smallest and the `keep` largest finite values."""
    finite = values.reshape(-1) if values.dtype.kind in "iu" else values[np.isfinite(values)]
    if finite.size == 0:
        return Extremes(0, np.inf, np.empty(0))
    low = float(finite.min())
    top = finite if finite.size <= keep else np.partition(finite, finite.size - keep)[-keep:]
    return Extremes(finite.size, low, np.sort(top.astype(np.float64)))


def join_extremes(parts: list[Extremes], keep: int) -> Extremes:
    """Return the extremes of the whole from those of its parts."""
    top = np.sort(np.concatenate([part.top for part in parts]))[-keep:]
    return Extremes(sum(part.count for part in parts), min(part.low for part in parts), top)


def extremes_to_keep(layout: Layout) -> int:
    """Return how many of the largest values the range of an image depends on."""
    if layout.display_bounded:
        return 1
    return int(np.prod(layout.shape, dtype=np.int64) * _CLIPPED_SHARE) + 2


def range_needs_no_values(layout: Layout, value_range: Any) -> bool:
    """Return whether an image's range follows without reading its values."""
    return value_range is not None or (layout.display_bounded and layout.dtype.kind != "f")


def check_range(
    value_range: Any, leading: tuple[int, ...] = (), dtype: Any = np.float64
) -> Ranges | None:
    """Return black and white as floats, of all planes or of each, or None.

    Raises
    ------
    OptionError
        If it is neither, does not fit the axes before Y and X, or is so wide that all values of the
        image's data type are equal in it.
    """
    if value_range is None:
        return None
    try:
        pairs = np.asarray(value_range, float)
        each = np.broadcast_to(pairs, (*leading, 2)) if pairs.ndim > 1 else pairs
    except (TypeError, ValueError, OverflowError):
        each = np.empty(0)
    if each.shape[-1:] != (2,) or not (np.isfinite(each).all() and (np.diff(each) > 0).all()):
        raise OptionError(
            f"value_range is {quote(value_range)}; the finite values of black and white are "
            f"expected, such as (0, 4095), or an array that broadcasts to {(*leading, 2)}"
        )
    widest, most = float(np.ptp(each, axis=-1).max()), _widest_range(np.dtype(dtype))
    if widest > most:
        raise OptionError(
            f"value_range is {quote(value_range)}, {widest:g} wide; for an image of "
            f"{np.dtype(dtype)} black and white lie at most {most:g} apart"
        )
    return each if each.ndim > 1 else (float(each[0]), float(each[1]))


def _widest_range(dtype: np.dtype[Any]) -> float:
    if dtype.kind not in "iu":
        return _WIDEST_OF_FLOATS
    info = np.iinfo(dtype)
    return _WIDEST_OF_INTEGERS * (float(info.max) - float(info.min))


def range_of_plane(ranges: Ranges, index: tuple[int, ...]) -> Range:
    """Return black and white of the plane at an index of the axes before Y and X."""
    low, high = ranges[index] if isinstance(ranges, np.ndarray) else ranges
    return float(low), float(high)


def choose_range(layout: Layout, value_range: Any, values: Extremes | None = None) -> Ranges:
    """Return the values of black and white.

    Parameters
    ----------
    layout : Layout
        Layout of the image.
    value_range : (float, float) or array, optional
        The user's choice, for all planes or for each; it wins.
    values : Extremes, optional
        Extreme values of the image, needed unless :func:`range_needs_no_values`.

    Returns
    -------
    (float, float), or (..., 2) array if `value_range` is one
        For color and uint8, the data type's black and white (0 and 1 for floats); for
        anything else the smallest value and the 99.99th percentile, which clips single hot pixels.

    Raises
    ------
    ImageError
        If no value is finite, or color floats are far from 0 to 1.
    OptionError
        If `value_range` is not two finite, rising numbers, or such for each plane.
    """
    choice = check_range(value_range, layout.leading, layout.dtype)
    if choice is not None and (values is None or values.count):
        return choice
    return range_by_type(layout, values)


def range_by_type(layout: Layout, values: Extremes | None = None) -> Range:
    """Return black and white by data type and values; see `choose_range`."""
    if values is not None and values.count == 0:
        raise ImageError("the image has no finite value; every pixel is NaN or infinite")
    if layout.display_bounded and layout.dtype.kind in "iu":
        return 0.0, float(np.iinfo(layout.dtype).max)
    if values is None:
        raise TypeError("the extremes are needed where the data type does not tell the range")
    if layout.display_bounded:
        return _unit_range(layout, values)
    return _measured_range(values)


def _unit_range(layout: Layout, values: Extremes) -> Range:
    brightest = float(values.top[-1])
    if layout.encoding == "srgb" and brightest > _BRIGHTEST:
        raise ImageError(
            f"color images of floats lie between 0 and 1, and this one reaches {brightest:g}; "
            "give value_range=(black, white), such as (0, 255)"
        )
    return 0.0, 1.0


def _measured_range(values: Extremes) -> Range:
    low = values.low
    below = min((values.count - 1) * _CLIPPED_SHARE, values.top.size - 1)  # places from the top
    high = float(np.interp(values.top.size - 1 - below, np.arange(values.top.size), values.top))
    if high <= low:
        high = float(values.top[-1])
    if high <= low:  # a constant image
        high = low + (abs(low) or 1.0)
    return low, high


def scan_range(image: Any, layout: Layout, value_range: Any = None) -> Ranges:
    """Return the values of black and white of a whole image; see :func:`choose_range`.

    Parameters
    ----------
    image : array
        NumPy, zarr or h5py; read in parts where it is large.
    layout : Layout
        Layout of the image.
    value_range : (float, float) or array, optional
        The user's choice.

    Examples
    --------
    >>> from napari_defocus.image.layout import read_layout
    >>> image = np.linspace(100, 300, 10000, dtype=np.float32).reshape(100, 100)
    >>> low, high = scan_range(image, read_layout(image))
    >>> print(f"{low:.0f} {high:.1f}")
    100 300.0
    """
    if layout.dtype.kind != "f" and range_needs_no_values(layout, value_range):
        return choose_range(layout, value_range)
    keep = extremes_to_keep(layout)
    height, width = layout.map_shape[-2:]
    rows = max(_PART // width, 1)
    parts = [
        extremes(read_window(image, layout, index, (slice(top, top + rows), slice(None)))[:3], keep)
        for index in plane_indices(layout)
        for top in range(0, height, rows)
    ]
    return choose_range(layout, value_range, join_extremes(parts, keep))
