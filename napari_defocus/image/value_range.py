"""Black and white of an image: by its kind of values, measured, or chosen."""

from __future__ import annotations

import functools
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..array_types import Array
from ..errors import ImageError, OptionError, ValuesWarning, quote
from .extremes import Extremes, settle_few
from .layout import Layout, plane_indices, read_window
from .measured import JOINED, Measured, join_measured, measure_plane, number_kept
from .missing import fill_values, is_far
from .range_rules import Note, Range, display_range, measured_range
from .row_buffer import RowBuffer, chunk_rows

#: Black and white of all planes, or (..., 2) of each, broadcast over the axes before Y and X.
Ranges = Range | npt.NDArray[np.float64]
#: Longest axis that may hold channels, and the factor between their brightnesses that is noted.
_MOST_CHANNELS, _UNEQUAL = 8, 8.0
#: Number of values without data up to which a note names each.
_MOST_NAMED = 4
#: Largest distance of black and white: of floats, and in spans of an integer type. Float32, in
#: which networks compute, has no values between for wider ones.
_WIDEST_OF_FLOATS, _WIDEST_OF_INTEGERS = 1e30, 1000.0


def warn(text: str) -> None:
    """Tell the user of a function of the API what was assumed."""
    warnings.warn(text, ValuesWarning, stacklevel=2)


def range_needs_no_values(layout: Layout, value_range: Any) -> bool:
    """Return whether an image's range follows without reading its values."""
    return value_range is not None or (layout.display_bounded and layout.dtype == np.uint8)


def check_range(
    value_range: Any, shape: tuple[int, ...] = (), dtype: Any = np.float64
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
        each = np.broadcast_to(pairs, (*shape, 2)) if pairs.ndim > 1 else pairs
    except (TypeError, ValueError, OverflowError):
        each = np.empty(0)
    if each.shape[-1:] != (2,) or not (np.isfinite(each).all() and (np.diff(each) > 0).all()):
        raise OptionError(
            f"value_range is {quote(value_range)}; black and a larger white are expected, both "
            "finite, such as (0, 4095)"
            + (f", or an array that broadcasts to {(*shape, 2)}" if shape else "")
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


def range_of_plane(ranges: Ranges, index: tuple[int, ...]) -> Range | npt.NDArray[np.float64]:
    """Return black and white of a plane, or of each of its channels.

    Parameters
    ----------
    ranges : (float, float) or array
        Of all planes; or of each, with their channels after them if these have their own.
    index : tuple of int
        Index of the plane, along the axes before Y and X.
    """
    pair = ranges[index] if isinstance(ranges, np.ndarray) else ranges
    if isinstance(pair, np.ndarray) and pair.ndim > 1:
        return pair
    low, high = pair
    return float(low), float(high)


def choose_range(
    layout: Layout,
    value_range: Any,
    measured: Measured | None = None,
    *,
    note: Note = warn,
    axes_have_names: bool = False,
) -> Ranges:
    """Return the values of black and white.

    Parameters
    ----------
    layout : Layout
        Layout of the image.
    value_range : (float, float) or array, optional
        The user's choice, for all planes or for each; it wins.
    measured : Measured, optional
        Extreme values of the image, needed unless :func:`range_needs_no_values`.
    note : callable
        Takes sentences about what was assumed.
    axes_have_names : bool
        Whether it is known which axis holds channels, so that it need not be guessed.

    Returns
    -------
    (float, float), or (..., 2) array if planes or channels have ranges of their own
        For photographs the data type's black and white, 0 and 1 for floats, or those of the number
        of bits that the values have; for anything else the smallest value and the 99.99th
        percentile, without hot and dead pixels and fill values.

    Raises
    ------
    ImageError
        If no value is finite, or it cannot be told where white is.
    OptionError
        If `value_range` is not two finite, rising numbers, or such for each plane.
    """
    choice = check_range(value_range, layout.range_shape, layout.dtype)
    if measured is not None and not any(map(_holds_data, measured.groups.values())):
        raise ImageError(
            "the image has no finite value; every pixel is NaN, infinite or without data"
        )
    if choice is not None:
        return choice
    if measured is None:
        if not range_needs_no_values(layout, None):
            raise TypeError("the values are needed where the data type does not tell the range")
        return 0.0, float(np.iinfo(layout.dtype).max)
    chosen: dict[tuple[int, ...], Range] = {}
    notes: list[str] = []
    outliers = Counter[float]()
    is_fill = functools.partial(_is_fill, layout.dtype)
    for group, values in measured.groups.items():
        settled = settle_few(values, number_kept(layout), is_fill)
        if settled.count == 0:  # a channel without data
            chosen[group] = (0.0, 1.0)
            continue
        if layout.display_bounded:
            chosen[group] = display_range(settled, layout, notes.append)
        else:
            chosen[group] = measured_range(settled)
        for value, count in settled.outliers.items():
            if layout.nodata != "none" and is_far(value, chosen[group]):
                outliers[value] += count
    if outliers:
        notes.append(_describe_outliers(outliers))
    if not (axes_have_names or layout.display_bounded):
        notes.extend(_unequal_planes(layout, measured.widths))
    for text in dict.fromkeys(notes):
        note(text)
    if not layout.channelwise and layout.range_axis is None:
        return next(iter(chosen.values()))
    return _as_array(chosen, layout)


def _holds_data(values: Extremes) -> bool:
    return values.count > 0 or bool(values.few)


def _is_fill(dtype: np.dtype[Any], value: float, rest: Extremes) -> bool:
    ends = sorted([value, rest.low, float(rest.top[-1])])
    return value in fill_values(ends[0], ends[1], ends[1], ends[2], dtype)


def _as_array(chosen: Mapping[tuple[int, ...], Range], layout: Layout) -> npt.NDArray[np.float64]:
    shape = tuple(max(place) + 1 for place in zip(*chosen, strict=True))
    ranges = np.empty((*shape, 2))
    for group, pair in chosen.items():
        ranges[group] = pair
    return np.broadcast_to(ranges, (*layout.range_shape, 2))


def _describe_outliers(outliers: Counter[float]) -> str:
    number = sum(outliers.values())
    names = [f"{value:g}" for value, _ in outliers.most_common()]
    if len(names) > _MOST_NAMED:
        values = f"values such as {names[0]}"
    else:
        values = "the value " + " or ".join(names)
    pixels = "1 pixel has" if number == 1 else f"{number} pixels have"
    return (
        f"{pixels} {values}, far outside the range of all others; they count as pixels without "
        "data and stay as they are, unless nodata is 'none'"
    )


def _unequal_planes(layout: Layout, widths: Mapping[tuple[int, ...], float]) -> Iterable[str]:
    """Yield a note if the planes along a short axis differ as channels do."""
    if layout.range_axis is not None or not layout.leading:
        return
    each = np.empty(layout.leading)
    for index, width in widths.items():
        each[index] = width
    for axis, number in enumerate(layout.leading):
        others = tuple(other for other in range(each.ndim) if other != axis)
        middle = np.median(each, axis=others)
        if 2 <= number <= _MOST_CHANNELS and middle.max() > _UNEQUAL * middle.min() > 0:
            axis_of_image = axis + (layout.channel_axis is not None and axis >= layout.channel_axis)
            yield (
                f"planes along axis {axis_of_image} differ {middle.max() / middle.min():.0f} times "
                "in brightness, and all got the same black and white; if they are channels, give "
                f"range_axis={axis_of_image}"
            )


def scan_range(
    image: Any,
    layout: Layout,
    value_range: Any = None,
    *,
    note: Note = warn,
    axes_have_names: bool = False,
) -> Ranges:
    """Return the values of black and white of a whole image; see :func:`choose_range`.

    Parameters
    ----------
    image : array
        NumPy, dask, zarr or h5py; read in parts where it is large.
    layout, value_range, note, axes_have_names
        As for `choose_range`.

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
    parts: list[Measured] = []
    height, step = layout.map_shape[-2], chunk_rows(image, layout)
    for index in plane_indices(layout):

        def read(rows: slice, index: tuple[int, ...] = index) -> Array:
            return read_window(image, layout, index, (rows, slice(None)))

        parts.append(measure_plane(RowBuffer(read, height, step), layout, index))
        if len(parts) == JOINED:
            parts = [join_measured(parts, layout)]
    measured = join_measured(parts, layout)
    return choose_range(layout, value_range, measured, note=note, axes_have_names=axes_have_names)
