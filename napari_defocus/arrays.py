"""Images of any kind to the networks' form, and exactly back.

The networks' form of one plane is a float32 array (3, Y, X): display-encoded, black at 0, white
at 1, gray replicated into three channels. The way back adds only the *change* that a network made,
so that a pixel it left alone comes back bit for bit, in any data type and range.

Display encoding is the sRGB curve (IEC 61966-2-1), extended: odd-symmetric below black, its power
law continued above white.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from .errors import ImageError, OptionError

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Encoding = Literal["srgb", "linear"]
#: What takes images of a kind: cameras, or microscopes and other instruments.
Imaging = Literal["photo", "microscopy"]
Range = tuple[float, float]
#: Black and white of all planes, or (..., 2) of each, broadcast over the axes before Y and X.
Ranges = Range | npt.NDArray[np.float64]

#: Smallest height and width, in pixels, that can be worked on.
MIN_SIDE = 4
#: Share of the values above white in an image whose range is measured.
_CLIPPED_SHARE = 1e-4
#: A display-encoded color image of floats may shine this much brighter than white.
_BRIGHTEST = 2.0

#: How many times the range a value may lie beyond it; it is as far out there as any.
_FARTHEST = 1e4


@dataclass(frozen=True)
class Layout:
    """How an image's axes and values are to be read.

    Parameters
    ----------
    shape : tuple of int
        The image's own shape.
    dtype : numpy.dtype
        Its data type.
    channel_axis : int, optional
        The axis of 1 (gray), 3 (RGB) or 4 (RGBA) channels, counted from the front.
    encoding : {"srgb", "linear"}
        Whether values are display values or proportional to light.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    channel_axis: int | None
    encoding: Encoding

    @property
    def channels(self) -> int:
        """1 (gray), 3 (RGB) or 4 (RGB and alpha)."""
        return 1 if self.channel_axis is None else self.shape[self.channel_axis]

    @property
    def color(self) -> bool:
        """Whether there are red, green and blue channels."""
        return self.channels > 1

    @property
    def imaging(self) -> Imaging:
        """What such images come from: linear gray from instruments, all else from cameras."""
        return "photo" if self.color or self.encoding == "srgb" else "microscopy"

    @property
    def map_shape(self) -> tuple[int, ...]:
        """Shape (..., Y, X) of a defocus map of this image: the shape without channels."""
        return tuple(n for axis, n in enumerate(self.shape) if axis != self.channel_axis)

    @property
    def leading(self) -> tuple[int, ...]:
        """Lengths of the axes before Y and X, such as time and depth, without channels."""
        return self.map_shape[:-2]

    @property
    def display_bounded(self) -> bool:
        """Whether the data type itself says what white is, as with photographs."""
        return self.color or self.dtype == np.uint8


def is_dask(image: Any) -> bool:
    """Whether `image` is a dask array; dask is not imported to find out."""
    return type(image).__module__.partition(".")[0] == "dask" and hasattr(image, "dask")


def as_array(image: Any) -> Any:
    """Take a NumPy or dask array as it is, and what holds one (zarr, Pillow, xarray) as NumPy.

    Parameters
    ----------
    image : array-like
        Anything with NumPy's array protocol; lists and other objects are not images.

    Returns
    -------
    numpy or dask array

    Raises
    ------
    ImageError
        If it is not an array, or a masked one, whose mask would be lost.
    """
    if isinstance(image, np.ma.MaskedArray):
        raise ImageError("the image is a masked array; fill its masked values with NaN first")
    if isinstance(image, np.ndarray) or is_dask(image):
        return image
    if hasattr(image, "__array__") or hasattr(image, "__array_interface__"):
        return np.asarray(image)
    raise ImageError(f"the image is a {type(image).__name__}; a NumPy or dask array is expected")


def read_layout(image: Any, channel_axis: int | None = None, encoding: str = "auto") -> Layout:
    """Find out how an image is to be read, or say why it cannot be.

    Parameters
    ----------
    image : (..., Y, X) array of NumPy or dask
        Integers or real floats; all axes before Y and X but `channel_axis` are planes.
    channel_axis : int, optional
        The axis of color channels; negative counts from the end. None: every plane is gray.
    encoding : {"auto", "srgb", "linear"}
        "auto" takes color and uint8 for display values, all else for linear light.

    Returns
    -------
    Layout

    Raises
    ------
    ImageError
        If the data type, the number of axes, the size or the number of channels cannot be used,
        or if the last axis looks like color and `channel_axis` does not say so.
    OptionError
        If `encoding` is none of the three.

    Examples
    --------
    >>> layout = read_layout(np.zeros((5, 64, 48, 3), np.uint8), channel_axis=-1)
    >>> layout.leading, layout.map_shape, layout.encoding
    ((5,), (5, 64, 48), 'srgb')
    """
    dtype, shape = np.dtype(image.dtype), tuple(image.shape)
    if dtype.kind not in "iuf":
        raise ImageError(f"the image's data type is {dtype}; integers or real floats are expected")
    if not all(isinstance(n, int) for n in shape):
        raise ImageError(f"the image's shape {shape} is unknown; call compute_chunk_sizes() on it")
    axis = _check_channel_axis(shape, channel_axis)
    layout = Layout(shape, dtype, axis, _check_encoding(encoding, shape, dtype, axis))
    if min(layout.map_shape[-2:]) < MIN_SIDE or 0 in shape:
        raise ImageError(
            f"the image's shape is {shape}; its planes (..., Y, X) must not be empty, "
            f"and at least {MIN_SIDE} x {MIN_SIDE} pixels"
        )
    return layout


def _check_channel_axis(shape: tuple[int, ...], channel_axis: Any) -> int | None:
    if len(shape) < 2 + (channel_axis is not None):
        wanted = "Y and X" if channel_axis is None else "Y, X and the channels"
        raise ImageError(f"the image's shape is {shape}; it needs axes for {wanted}")
    if channel_axis is None:
        if len(shape) > 2 and shape[-1] in (3, 4):
            raise ImageError(
                f"the image's shape {shape} ends like color; say channel_axis=-1 if the last "
                "axis holds the channels"
            )
        return None
    try:
        axis = range(len(shape))[channel_axis]
    except (IndexError, TypeError):
        raise ImageError(
            f"channel_axis is {channel_axis!r}; an image of shape {shape} has axes "
            f"{-len(shape)} to {len(shape) - 1}"
        ) from None
    if shape[axis] not in (1, 3, 4):
        raise ImageError(
            f"channel_axis={channel_axis} has {shape[axis]} channels; 1 (gray), 3 (RGB) or "
            "4 (RGBA) are expected. Leave it out for fluorescence channels: each is a plane"
        )
    return int(axis)


def _check_encoding(
    encoding: str, shape: tuple[int, ...], dtype: np.dtype[Any], axis: int | None
) -> Encoding:
    if encoding == "auto":
        color = axis is not None and shape[axis] > 1
        return "srgb" if color or dtype == np.uint8 else "linear"
    if encoding not in ("srgb", "linear"):
        raise OptionError(f"encoding is {encoding!r}; 'auto', 'srgb' or 'linear' are expected")
    return cast(Encoding, encoding)


def as_planes(image: Any, layout: Layout) -> Any:
    """View an image as (..., C, Y, X), C being 1, 3 or 4; works for NumPy and dask.

    Examples
    --------
    >>> image = np.zeros((64, 48, 3), np.uint8)
    >>> as_planes(image, read_layout(image, channel_axis=-1)).shape
    (3, 64, 48)
    """
    if layout.channel_axis is None:
        return image[..., None, :, :]
    return np.moveaxis(image, layout.channel_axis, -3)


def from_planes(planes: Any, layout: Layout) -> Any:
    """Undo :func:`as_planes`: a view of (..., C, Y, X) in the image's own order of axes."""
    if layout.channel_axis is None:
        return planes[..., 0, :, :]
    return np.moveaxis(planes, -3, layout.channel_axis)


def plane_indices(layout: Layout) -> Iterator[tuple[int, ...]]:
    """Run through the indices of the leading axes; one empty index for a single plane."""
    return np.ndindex(*layout.leading)


def put_window(
    image: Any,
    layout: Layout,
    index: tuple[int, ...],
    window: tuple[slice, slice],
    values: Array,
) -> None:
    """Write a window of a plane into an image that can be written to slice by slice.

    Parameters
    ----------
    image : array
        NumPy's, or anything sliced like it.
    layout : Layout
        The image's.
    index : tuple of int
        Of the plane, along the leading axes.
    window : (slice, slice)
        Rows and columns.
    values : (C, y, x) array
        C being 1, 3 or 4.

    Examples
    --------
    >>> image = np.zeros((2, 8, 8, 3), np.uint8)
    >>> layout = read_layout(image, channel_axis=-1)
    >>> put_window(image, layout, (1,), np.s_[2:4, 5:6], np.ones((3, 2, 1), np.uint8))
    >>> int(image.sum()), image[1, 3, 5].tolist()
    (6, [1, 1, 1])
    """
    place: list[int | slice] = [*index, *window]
    if layout.channel_axis is None:
        image[tuple(place)] = values[0]
        return
    place.insert(layout.channel_axis, slice(None))
    before = sum(isinstance(part, slice) for part in place[: layout.channel_axis])
    image[tuple(place)] = np.moveaxis(values, 0, before)


# Value range -------------------------------------------------------------------------------------


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


# The networks' form ------------------------------------------------------------------------------


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


def _pull_in(values: Array, low: float, high: float) -> None:
    """Bring values that are far beyond black and white to where nothing overflows, in place."""
    limit, reach = float(np.finfo(values.dtype).max), _FARTHEST * (high - low)
    np.clip(values, max(low - reach, -limit), min(high + reach, limit), out=values)


def to_display(plane: Array, encoding: Encoding, value_range: Range) -> FloatArray | None:
    """Bring one plane to the networks' form, but for gray, which stays a single channel.

    Parameters
    ----------
    plane : (C, Y, X) array
        1, 3 or 4 channels; a fourth, alpha, is left out. Values that are not finite are filled
        from their finite neighbors, so that they cannot spread.
    encoding : {"srgb", "linear"}
        Whether the values are display values or proportional to light.
    value_range : (float, float)
        Black and white.

    Returns
    -------
    (C, Y, X) float32 array of 1 or 3 channels, or None if the plane has no finite value
    """
    low, high = value_range
    colors = plane[:3]
    exact = _exact(plane.dtype)
    display = colors.astype(exact)
    _pull_in(display, low, high)
    display -= low
    display /= high - low
    display = display.astype(np.float32, copy=False)
    if plane.dtype.kind == "f":
        finite = np.isfinite(colors)
        if not finite.any():
            return None
        if not finite.all():
            display = np.stack([fill(*pair) for pair in zip(display, finite, strict=True)])
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
) -> Array:
    """Carry a change of the networks' form over to the plane it stands for.

    Parameters
    ----------
    plane : (C, Y, X) array
        The original, of 1, 3 or 4 channels.
    before : (C, Y, X) float32 array
        What :func:`to_display` made of it.
    change : (3, Y, X) float32 array
        What is to be added to that. A gray plane gets the mean of the three.
    encoding, value_range
        As given to :func:`to_display`.
    bounded : bool
        Keep floats below white, as photographs need it; all stay above black. Values that were
        outside already may stay where they are. Integers always stay inside their data type.

    Returns
    -------
    (C, Y, X) array
        Of the plane's data type; bit for bit the plane's own value wherever `change` is zero, in
        the alpha channel, and where it is not finite.
    """
    if len(plane) == 1:
        change = change.mean(axis=0, keepdims=True, dtype=np.float32)
    result = plane.copy()
    for channel, was, step in zip(result[:3], before, change, strict=True):
        changed = (step != 0) & np.isfinite(channel)
        if encoding == "linear":
            step = decode(was + step) - decode(was)
        new = _moved(channel, step, value_range, bounded=bounded)
        np.copyto(channel, new, where=changed)
    return result


def _moved(channel: Array, step: FloatArray, value_range: Range, *, bounded: bool) -> Array:
    """Add a step, 1 being white, to the values of one channel."""
    low, high = value_range
    kind = channel.dtype
    was = channel.astype(_exact(kind))
    new: Array = np.maximum(was + (high - low) * step.astype(_exact(kind)), np.minimum(was, low))
    if kind.kind != "f":
        return _rounded(new, kind)
    if bounded:
        new = np.minimum(new, np.maximum(was, high))
    limit = np.finfo(kind).max
    return np.clip(new, -limit, limit).astype(kind)


def _rounded(values: Array, dtype: np.dtype[Any]) -> Array:
    """Round to integers, and keep to what the data type holds."""
    info = np.iinfo(dtype)
    top = float(info.max)
    if int(top) > info.max:  # 64 bits: the nearest float lies beyond the largest integer
        top = float(np.nextafter(top, 0))
    return np.clip(np.rint(values), info.min, top).astype(dtype)


def _exact(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The float type that holds every value of `dtype` up to 32 bits exactly."""
    return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)


def fill(values: FloatArray, known: Mask) -> FloatArray:
    """Fill unknown values from their neighbors, near ones first.

    Known values are averaged over 2 x 2 pixels, again and again, until every coarse pixel is
    known; unknown values then take that of the finest coarse pixel that covers them.

    Parameters
    ----------
    values : (Y, X) float32 array
        May be NaN or infinite where unknown.
    known : (Y, X) bool array
        Where `values` counts.

    Returns
    -------
    (Y, X) float32 array
        Finite; zeros if nothing is known.

    Examples
    --------
    >>> fill(np.array([[1.0, np.nan]], np.float32), np.array([[True, False]])).tolist()
    [[1.0, 1.0]]
    """
    if known.all():
        return values
    filled = np.where(known, values, np.float32(0))
    if values.size == 1 or not known.any():
        return filled
    height, width = values.shape
    pad = ((0, height % 2), (0, width % 2))
    blocks = ((height + 1) // 2, 2, (width + 1) // 2, 2)
    count = np.pad(known.astype(np.float32), pad).reshape(blocks).sum(axis=(1, 3))
    total = np.pad(filled, pad).reshape(blocks).sum(axis=(1, 3))
    coarse = fill((total / np.maximum(count, 1)).astype(np.float32), count > 0)
    spread = coarse.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    return np.where(known, values, spread)
