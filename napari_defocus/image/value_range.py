"""Values of black and white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..array_types import Array
from ..errors import ImageError, OptionError
from .layout import Layout, as_planes, plane_indices

Range = tuple[float, float]


#: Black and white of all planes, or (..., 2) of each, broadcast over the axes before Y and X.
Ranges = Range | npt.NDArray[np.float64]


#: Share of the values above white in an image whose range is measured.
_CLIPPED_SHARE = 1e-4


#: A display-encoded color image of floats may shine this much brighter than white.
_BRIGHTEST = 2.0


@dataclass(frozen=True)
class Extremes:
    """What a part of an image says about its range; parts can be joined in any order.

    Parameters
    ----------
    count : int
        Number of finite values.
    low : float
        Smallest of them; infinite when there is none.
    top : (K,) float64 array
        The largest of them, as many as were asked for, ascending.
    """

    count: int
    low: float
    top: npt.NDArray[np.float64]


def extremes(values: Array, keep: int) -> Extremes:
    """Find the smallest and the `keep` largest finite values."""
    finite = values.reshape(-1) if values.dtype.kind in "iu" else values[np.isfinite(values)]
    if finite.size == 0:
        return Extremes(0, np.inf, np.empty(0))
    low = float(finite.min())
    top = finite if finite.size <= keep else np.partition(finite, finite.size - keep)[-keep:]
    return Extremes(finite.size, low, np.sort(top.astype(np.float64)))


def join_extremes(parts: list[Extremes], keep: int) -> Extremes:
    """Join the extremes of parts of an image into those of the whole."""
    top = np.sort(np.concatenate([part.top for part in parts]))[-keep:]
    return Extremes(sum(part.count for part in parts), min(part.low for part in parts), top)


def extremes_to_keep(layout: Layout) -> int:
    """Return how many of the largest values the range of an image depends on."""
    if layout.display_bounded:
        return 1
    return int(np.prod(layout.shape, dtype=np.int64) * _CLIPPED_SHARE) + 2


def range_is_known(layout: Layout, value_range: Any) -> bool:
    """Whether an image's range follows without a look at its values."""
    return value_range is not None or (layout.display_bounded and layout.dtype.kind != "f")


def check_range(value_range: Any, leading: tuple[int, ...] = ()) -> Ranges | None:
    """Return black and white as floats, of all planes or of each, or None.

    Raises
    ------
    OptionError
        If it is neither, or does not fit the axes before Y and X.
    """
    if value_range is None:
        return None
    try:
        given = np.asarray(value_range, float)
        each = np.broadcast_to(given, (*leading, 2)) if given.ndim > 1 else given
    except (TypeError, ValueError):
        each = np.empty(0)
    if each.shape[-1:] != (2,) or not (np.isfinite(each).all() and (np.diff(each) > 0).all()):
        raise OptionError(
            f"value_range is {value_range!r}; the finite values of black and white are expected, "
            f"such as (0, 4095), or an array that broadcasts to {(*leading, 2)}"
        )
    return each if each.ndim > 1 else (float(each[0]), float(each[1]))


def range_of_plane(ranges: Ranges, index: tuple[int, ...]) -> Range:
    """Return black and white of the plane at an index of the axes before Y and X."""
    low, high = ranges[index] if isinstance(ranges, np.ndarray) else ranges
    return float(low), float(high)


def choose_range(layout: Layout, value_range: Any, found: Extremes | None = None) -> Ranges:
    """Return the values of black and white.

    Parameters
    ----------
    layout : Layout
        How the image is read.
    value_range : (float, float) or array, optional
        What the user says, for all planes or for each; it wins.
    found : Extremes, optional
        The image's values, needed unless :func:`range_is_known`.

    Returns
    -------
    (float, float), or (..., 2) array if `value_range` is one
        For color and uint8, the data type's black and white (0 and 1 for floats); for all else
        the smallest value and the 99.99th percentile, which lets single hot pixels be white.

    Raises
    ------
    ImageError
        If no value is finite, or color floats are far from 0 to 1.
    OptionError
        If `value_range` is not two finite, rising numbers, or such for each plane.
    """
    given = check_range(value_range, layout.leading)
    if given is not None and (found is None or found.count):
        return given
    return range_by_type(layout, found)


def range_by_type(layout: Layout, found: Extremes | None = None) -> Range:
    """Return the values of black and white by data type and values; as `choose_range`."""
    if found is not None and found.count == 0:
        raise ImageError("the image has no finite value; every pixel is NaN or infinite")
    if layout.display_bounded and layout.dtype.kind in "iu":
        return 0.0, float(np.iinfo(layout.dtype).max)
    if found is None:
        raise TypeError("the extremes are needed where the data type does not tell the range")
    if layout.display_bounded:
        return _unit_range(layout, found)
    return _measured_range(found)


def _unit_range(layout: Layout, found: Extremes) -> Range:
    brightest = float(found.top[-1])
    if layout.encoding == "srgb" and brightest > _BRIGHTEST:
        raise ImageError(
            f"color images of floats lie between 0 and 1, and this one reaches {brightest:g}; "
            "give value_range=(black, white), such as (0, 255)"
        )
    return 0.0, 1.0


def _measured_range(found: Extremes) -> Range:
    low = found.low
    below = min((found.count - 1) * _CLIPPED_SHARE, found.top.size - 1)  # places from the top
    high = float(np.interp(found.top.size - 1 - below, np.arange(found.top.size), found.top))
    if high <= low:
        high = float(found.top[-1])
    if high <= low:  # a constant image
        high = low + (abs(low) or 1.0)
    return low, high


def measure_range(image: Array, layout: Layout, value_range: Any = None) -> Ranges:
    """Return the values of black and white of a whole image or series; see :func:`choose_range`.

    Examples
    --------
    >>> image = np.linspace(100, 300, 10000, dtype=np.float32).reshape(100, 100)
    >>> low, high = measure_range(image, read_layout(image))
    >>> print(f"{low:.0f} {high:.1f}")
    100 300.0
    """
    if layout.dtype.kind != "f" and range_is_known(layout, value_range):
        return choose_range(layout, value_range)
    keep = extremes_to_keep(layout)
    planes = as_planes(image, layout)
    parts = [extremes(planes[index][:3], keep) for index in plane_indices(layout)]
    return choose_range(layout, value_range, join_extremes(parts, keep))
