"""Axes and channels of an image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from ..array_types import Array
from ..errors import ImageError, OptionError, quote
from ..options import Imaging
from .missing import check_nodata

Encoding = Literal["srgb", "linear"]
#: Smallest height and width of an image, in pixels.
MIN_SIDE = 4


@dataclass(frozen=True)
class Layout:
    """Axes of an image and meaning of its values.

    Parameters
    ----------
    shape : tuple of int
        Shape of the image.
    dtype : numpy.dtype
        Data type of the image.
    channel_axis : int, optional
        The axis of 1 (gray), 3 (RGB) or 4 (RGBA) channels, counted from the front.
    encoding : {"srgb", "linear"}
        Whether values are display values or proportional to light.
    kind : {"auto", "photograph", "microscopy"}
        Kind of image as chosen; see `imaging`.
    nodata : float, "none" or "auto"
        Value of pixels without data. Unless it is "none", values far from black and white hold no
        data either.
    range_axis : int, optional
        The axis, of those before Y and X and without channels, whose planes have a black and white
        of their own.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    channel_axis: int | None
    encoding: Encoding
    kind: str = "auto"
    nodata: float | str = "auto"
    range_axis: int | None = None

    @property
    def channels(self) -> int:
        """1 (gray), 3 (RGB) or 4 (RGB and alpha)."""
        return 1 if self.channel_axis is None else self.shape[self.channel_axis]

    @property
    def color(self) -> bool:
        """Whether the image has red, green and blue channels."""
        return self.channels > 1

    @property
    def imaging(self) -> Imaging:
        """Kind of image; unless chosen, linear gray is from instruments, all else from cameras."""
        if self.kind != "auto":
            return cast(Imaging, self.kind)
        return "photograph" if self.color or self.encoding == "srgb" else "microscopy"

    @property
    def is_gray_micrograph(self) -> bool:
        """Whether planes are micrographs without color."""
        return self.imaging == "microscopy" and not self.color

    @property
    def channelwise(self) -> bool:
        """Whether channels are worked on one by one, as gray planes."""
        return self.color and self.kind == "microscopy"

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
        """Whether the kind of values sets black and white, as in photographs."""
        if self.kind != "auto":
            return self.kind == "photograph"
        return self.color or self.dtype == np.uint8

    @property
    def range_shape(self) -> tuple[int, ...]:
        """Lengths of the axes along which black and white may differ; channels come last."""
        return (*self.leading, min(self.channels, 3)) if self.channelwise else self.leading

    def channel(self) -> Layout:
        """Return the layout of one channel."""
        return Layout(self.map_shape, self.dtype, None, self.encoding, self.kind, self.nodata)


def is_dask(image: Any) -> bool:
    """Return whether an image is a dask array, without importing dask."""
    return type(image).__module__.partition(".")[0] == "dask" and hasattr(image, "dask")


def is_sliceable(image: Any) -> bool:
    """Return whether an object is sliced like a NumPy array and read when it is: zarr, h5py."""
    shape, dtype = getattr(image, "shape", None), getattr(image, "dtype", None)
    is_array = isinstance(shape, tuple) and isinstance(dtype, np.dtype)
    return is_array and hasattr(image, "ndim") and hasattr(image, "__getitem__")


def as_array(image: Any) -> Any:
    """Return an image as something with a shape, a data type and NumPy's slicing.

    Parameters
    ----------
    image : array-like
        NumPy and dask arrays, and arrays that are read when they are sliced (zarr, h5py), are
        returned as they are; anything else with NumPy's array protocol (Pillow) becomes a NumPy
        array. Lists and other objects are refused.

    Returns
    -------
    array

    Raises
    ------
    ImageError
        If it is not an array, or a masked one, whose mask would be lost.
    """
    if isinstance(image, np.ma.MaskedArray):
        raise ImageError("the image is a masked array; fill its masked values with NaN first")
    if isinstance(image, np.ndarray) or is_dask(image) or is_sliceable(image):
        return image
    if hasattr(image, "__array__") or hasattr(image, "__array_interface__"):
        return np.asarray(image)
    raise ImageError(f"the image is a {type(image).__name__}; a NumPy or dask array is expected")


def read_layout(
    image: Any,
    channel_axis: int | str | None = None,
    encoding: str = "auto",
    imaging: str = "auto",
    nodata: float | str = "auto",
    range_axis: int | None = None,
) -> Layout:
    """Return the layout of an image, or say why the image cannot be used.

    Parameters
    ----------
    image : (..., Y, X) array of NumPy or dask
        Integers or real floats; all axes before Y and X but `channel_axis` are planes.
    channel_axis : int, "none" or None
        The axis of color channels; negative counts from the end. None: every plane is gray, and a
        last axis that looks like color is an error; "none": it is not color.
    encoding : {"auto", "srgb", "linear"}
        "auto" takes color and uint8 for display values, all else for linear light; if `imaging` is
        chosen, photographs for display values.
    imaging, nodata, range_axis
        As in :class:`napari_defocus.Options`.

    Returns
    -------
    Layout

    Raises
    ------
    ImageError
        If the data type, the number of axes, the size or the number of channels cannot be used,
        or if the last axis looks like color and `channel_axis` does not say so.
    OptionError
        If `encoding` is none of the three, the data type holds no such `nodata`, or there is no
        such `range_axis`.

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
    check_nodata(nodata, dtype)
    axis = _check_channel_axis(shape, channel_axis)
    planes = len(shape) - 2 - (axis is not None)
    layout = Layout(
        shape,
        dtype,
        axis,
        _check_encoding(encoding, imaging, Layout(shape, dtype, axis, "linear")),
        imaging,
        nodata,
        None if range_axis is None else _check_range_axis(range_axis, planes, axis),
    )
    if min(layout.map_shape[-2:]) < MIN_SIDE or 0 in shape:
        like_channels = axis is None and len(shape) > 2 and 0 < shape[-1] < MIN_SIDE
        remedy = (
            f"; its last axis of {shape[-1]} looks like channels: move it to the front, or split "
            "them"
        )
        raise ImageError(
            f"the image's shape is {shape}; its planes (..., Y, X) must not be empty, "
            f"and at least {MIN_SIDE} x {MIN_SIDE} pixels{remedy if like_channels else ''}"
        )
    return layout


def _check_channel_axis(shape: tuple[int, ...], channel_axis: Any) -> int | None:
    channels = channel_axis is not None and channel_axis != "none"
    if len(shape) < 2 + channels:
        axes = "Y, X and the channels" if channels else "Y and X"
        raise ImageError(f"the image's shape is {shape}; it needs axes for {axes}")
    if isinstance(channel_axis, str) and channel_axis == "none":
        return None
    if channel_axis is None:
        if len(shape) > 2 and shape[-1] in (3, 4):
            raise ImageError(
                f"the image's shape {shape} ends like color; say channel_axis=-1 if the last "
                "axis holds the channels, channel_axis='none' if it does not"
            )
        return None
    try:
        axis = range(len(shape))[channel_axis]
    except (IndexError, TypeError):
        raise ImageError(
            f"channel_axis is {quote(channel_axis)}; an image of shape {shape} has axes "
            f"{-len(shape)} to {len(shape) - 1}"
        ) from None
    if shape[axis] not in (1, 3, 4):
        raise ImageError(
            f"channel_axis={channel_axis} has {shape[axis]} channels; 1 (gray), 3 (RGB) or "
            "4 (RGBA) are expected. Leave it out for fluorescence channels: each is a plane"
        )
    return int(axis)


def _check_range_axis(range_axis: int, planes: int, channel_axis: int | None) -> int:
    """Return the place of an axis of the image among those before Y and X, without channels."""
    axes = planes + 2 + (channel_axis is not None)
    place = range_axis + axes if range_axis < 0 else range_axis
    if channel_axis is not None and place > channel_axis:
        place -= 1
    elif place == channel_axis:
        place = planes
    if not 0 <= place < planes:
        raise OptionError(
            f"range_axis is {range_axis}; the image has {planes} axes of planes, before Y and X "
            "and without channels"
        )
    return place


def _check_encoding(encoding: str, imaging: str, layout: Layout) -> Encoding:
    if encoding == "auto" and imaging != "auto":
        return "srgb" if imaging == "photograph" else "linear"
    if encoding == "auto":
        return "srgb" if layout.color or layout.dtype == np.uint8 else "linear"
    if encoding not in ("srgb", "linear"):
        raise OptionError(f"encoding is {quote(encoding)}; 'auto', 'srgb' or 'linear' are expected")
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


def leading_place(layout: Layout, axis: Any, name: str = "axis") -> int:
    """Return the place of an axis of the array among those before Y and X, without channels.

    Parameters
    ----------
    layout : Layout
        Layout of the image.
    axis : int
        Number of the axis in the array as it is; negative counts from the end.
    name : str
        Name of the argument, for the message.

    Raises
    ------
    OptionError
        If it is no such axis.
    """
    axes = len(layout.shape)
    accepted = [number for number in range(axes) if number != layout.channel_axis][:-2]
    valid = isinstance(axis, int | np.integer) and not isinstance(axis, bool)
    number = int(axis) % axes if valid and -axes <= axis < axes else None
    if number not in accepted:
        numbers = ", ".join(map(str, accepted)) or "none, for a stack needs one before Y and X"
        raise OptionError(
            f"{name} is {quote(axis)}; the axes of planes in an array of shape {layout.shape} are "
            f"{numbers}; Y and X are its last two axes but for colors, so move others before them, "
            "as by numpy.moveaxis"
        )
    return accepted.index(number)


def plane_indices(layout: Layout) -> Iterator[tuple[int, ...]]:
    """Return the index of every plane along the leading axes; an empty one for a single plane."""
    return np.ndindex(*layout.leading)


def read_window(
    image: Any, layout: Layout, index: tuple[int, ...], window: tuple[slice, slice]
) -> Array:
    """Read a window of a plane from an image that is sliced like NumPy's arrays.

    Parameters
    ----------
    image : array
        NumPy, dask, zarr or h5py.
    layout : Layout
        Layout of the image.
    index : tuple of int
        Index of the plane, along the leading axes.
    window : (slice, slice)
        Rows and columns.

    Returns
    -------
    (C, y, x) array
        NumPy, C being 1, 3 or 4.

    Examples
    --------
    >>> image = np.arange(2 * 8 * 8 * 3).reshape(2, 8, 8, 3)
    >>> layout = read_layout(image, channel_axis=-1)
    >>> read_window(image, layout, (1,), np.s_[2:4, 5:6])[:, 0, 0].tolist()
    [255, 256, 257]
    """
    place, before = window_index(layout, index, window)
    values = np.asarray(image[place])
    return values[None] if before is None else np.moveaxis(values, before, 0)


def write_window(
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
        Layout of the image.
    index : tuple of int
        Index of the plane, along the leading axes.
    window : (slice, slice)
        Rows and columns.
    values : (C, y, x) array
        C being 1, 3 or 4.

    Examples
    --------
    >>> image = np.zeros((2, 8, 8, 3), np.uint8)
    >>> layout = read_layout(image, channel_axis=-1)
    >>> write_window(image, layout, (1,), np.s_[2:4, 5:6], np.ones((3, 2, 1), np.uint8))
    >>> int(image.sum()), image[1, 3, 5].tolist()
    (6, [1, 1, 1])
    """
    place, before = window_index(layout, index, window)
    image[place] = values[0] if before is None else np.moveaxis(values, 0, before)


def window_index(
    layout: Layout, index: tuple[int, ...], window: tuple[slice, slice]
) -> tuple[tuple[int | slice, ...], int | None]:
    """Return the index of a window, and the axis of the channels in it; None if there is none."""
    place: list[int | slice] = [*index, *window]
    if layout.channel_axis is None:
        return tuple(place), None
    place.insert(layout.channel_axis, slice(None))
    return tuple(place), sum(isinstance(part, slice) for part in place[: layout.channel_axis])
