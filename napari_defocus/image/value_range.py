"""Black and white of an image: by its kind of values, measured, or chosen."""

from __future__ import annotations

import functools
import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..array_types import Array
from ..errors import ImageError, OptionError, ValuesWarning, quote
from .extremes import Extremes, extremes, join_extremes, settle_few
from .layout import Layout, plane_indices, read_window
from .missing import fill_values, is_far
from .row_buffer import RowBuffer, chunk_rows

Range = tuple[float, float]
#: Black and white of all planes, or (..., 2) of each, broadcast over the axes before Y and X.
Ranges = Range | npt.NDArray[np.float64]
#: Takes a sentence for the user.
Note = Callable[[str], None]

#: Share of the values above a measured white, so that single bright pixels do not set it.
_CLIPPED_SHARE = 1e-4
#: Largest value of a color image of floats in which white is 1.
_BRIGHTEST = 2.0
#: Numbers of bits that cameras and files have, fewest first.
_BITS = (8, 10, 12, 14, 16)
#: Shares of white by which interpolation may exceed it and fall below black, and below which the
#: brightest color does not tell white.
_OVERSHOOT, _UNDERSHOOT, _DARKEST = 1.1, -0.5, 0.1
#: Approximate number of bytes that are read at a time.
_PART = 1 << 26
#: Number of planes whose extremes are joined at a time, so that memory does not grow with them.
JOINED = 8
#: Longest axis that may hold channels, and the factor between their brightnesses that is noted.
_MOST_CHANNELS, _UNEQUAL = 8, 8.0
#: Number of values without data up to which a note names each.
_MOST_NAMED = 4


#: Largest distance of black and white: of floats, and in spans of an integer type. Float32, in
#: which networks compute, has no values between for wider ones.
_WIDEST_OF_FLOATS, _WIDEST_OF_INTEGERS = 1e30, 1000.0
#: Largest distance of measured black and white, with which numbers of 64 bits do not overflow.
_WIDEST_MEASURED = 1e300


def warn(text: str) -> None:
    """Tell the user of a function of the API what was assumed."""
    warnings.warn(text, ValuesWarning, stacklevel=2)


@dataclass(frozen=True)
class Measured:
    """Extreme values of some planes; those of other planes can be joined in any order.

    Parameters
    ----------
    groups : mapping of tuple to Extremes
        Of all planes that share black and white, by their index along `Layout.range_shape`, with 0
        along the axes that share them.
    widths : mapping of tuple to float
        Distance of the measured black and white of each plane, by its index.
    """

    groups: Mapping[tuple[int, ...], Extremes] = field(default_factory=dict)
    widths: Mapping[tuple[int, ...], float] = field(default_factory=dict)


def measure_plane(
    read: Callable[[slice], Array], layout: Layout, index: tuple[int, ...]
) -> Measured:
    """Return the extreme values of a plane, which is read in parts.

    Parameters
    ----------
    read : callable
        Returns some rows (C, rows, X) of the plane, with or without alpha.
    layout : Layout
        Layout of the image.
    index : tuple of int
        Index of the plane.
    """
    keep = _number_kept(layout)
    height, width = layout.map_shape[-2:]
    rows = max(_PART // (width * layout.channels * layout.dtype.itemsize), 1)
    parts: dict[tuple[int, ...], list[Extremes]] = {}
    for top in range(0, height, rows):
        above = min(top, 1)
        values = read(slice(top - above, top + rows + 1))[:3]
        inner = slice(above, above + rows)
        channels = values[:, None] if layout.channelwise else [values]
        for number, channel in enumerate(channels):
            own = (number,) if layout.channelwise else ()
            measured = extremes(channel, keep, layout.nodata, inner)
            parts.setdefault((*_group(layout, index), *own), []).append(measured)
    groups = {group: join_extremes(each, keep) for group, each in parts.items()}
    return Measured(groups, {index: max(map(_width, groups.values()))})


def _group(layout: Layout, index: tuple[int, ...]) -> tuple[int, ...]:
    """Return the index of the planes that share black and white with a plane."""
    return tuple(i if axis == layout.range_axis else 0 for axis, i in enumerate(index))


def _width(values: Extremes) -> float:
    if values.count == 0:
        return 0.0
    low, high = _percentiles(values)
    return high - low


def join_measured(parts: Iterable[Measured], layout: Layout) -> Measured:
    """Return the extreme values of all planes from those of some."""
    groups: dict[tuple[int, ...], list[Extremes]] = {}
    widths: dict[tuple[int, ...], float] = {}
    for part in parts:
        widths |= part.widths
        for group, values in part.groups.items():
            groups.setdefault(group, []).append(values)
    keep = _number_kept(layout)
    return Measured({group: join_extremes(each, keep) for group, each in groups.items()}, widths)


def _number_kept(layout: Layout) -> int:
    """Return how many of the largest values the range of an image depends on."""
    if layout.display_bounded:
        return 1
    return int(np.prod(layout.shape, dtype=np.int64) * _CLIPPED_SHARE) + 2


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
            f"value_range is {quote(value_range)}; the finite values of black and white are "
            f"expected, such as (0, 4095), or an array that broadcasts to {(*shape, 2)}"
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
        settled = settle_few(values, _number_kept(layout), is_fill)
        if settled.count == 0:  # a channel without data
            chosen[group] = (0.0, 1.0)
            continue
        take = _display_range if layout.display_bounded else _measured_range
        chosen[group] = take(settled, layout, notes.append)
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


def _display_range(values: Extremes, layout: Layout, note: Note) -> Range:
    """Return black and white of display values by the number of bits they seem to have."""
    brightest = float(values.top[-1])
    if layout.dtype.kind == "f":
        return _float_range(values, brightest, layout, note)
    largest = int(np.iinfo(layout.dtype).max)
    if brightest <= 0 or brightest == values.low:  # nothing that tells white
        return 0.0, float(largest)
    all_bits = largest.bit_length()
    bits = next(
        (bits for bits in _BITS if brightest < 2**bits), math.ceil(math.log2(brightest + 1))
    )
    if bits >= all_bits:
        return 0.0, float(largest)
    white = 2**bits - 1
    if bits > 8 or layout.dtype.itemsize == 2:  # nobody fills 255 of 2 147 483 647
        note(
            f"values of type {layout.dtype} reach {brightest:g} only; white is taken to be "
            f"{white}, as of {bits} bits; give value_range=(black, white) if it is not"
        )
    return 0.0, float(white)


def _float_range(values: Extremes, brightest: float, layout: Layout, note: Note) -> Range:
    is_light = layout.encoding == "linear" and values.total <= values.count  # mean of 1 at most
    if brightest <= _BRIGHTEST or is_light:
        if values.low >= _UNDERSHOOT or is_light:
            return 0.0, 1.0
        white = 1.0
    else:
        whites = [2.0**bits - 1 for bits in _BITS]
        white = next((white for white in whites if brightest <= _OVERSHOOT * white), 0.0)
        if brightest <= _DARKEST * whites[0] or not white:
            raise ImageError(
                f"color images of floats lie between 0 and 1, and this one reaches {brightest:g}; "
                "give value_range=(black, white), such as (0, 255)"
            )
    black = 0.0 if values.low >= _UNDERSHOOT * white else -white
    note(
        f"colors of floats reach from {values.low:g} to {brightest:g}; black is taken to be "
        f"{black:g} and white {white:g}; give value_range=(black, white) if they are not"
    )
    return black, white


def _measured_range(values: Extremes, layout: Layout, note: Note) -> Range:
    del layout, note
    low, high = _percentiles(values)
    if high <= low:
        high = float(values.top[-1])
    if high <= low:  # a constant image
        high = low + (abs(low) or 1.0)
    if not high - low <= _WIDEST_MEASURED:
        raise ImageError(
            f"the image's values reach from {low:g} to {high:g}, too far apart to compute with; "
            "divide them by a power of ten, or give value_range=(black, white)"
        )
    return low, high


def _percentiles(values: Extremes) -> Range:
    """Return the smallest value and the 99.99th percentile."""
    below = min((values.count - 1) * _CLIPPED_SHARE, values.top.size - 1)  # places from the top
    places = np.arange(values.top.size)
    return values.low, float(np.interp(values.top.size - 1 - below, places, values.top))


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
