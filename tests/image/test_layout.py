"""Axes and channels: what is accepted, and what is refused."""

import dask.array
import numpy as np
import pytest
import torch

from napari_defocus.errors import ImageError, OptionError
from napari_defocus.image.layout import as_array, as_planes, from_planes, read_layout


@pytest.mark.parametrize(
    ("shape", "axis", "leading", "channels"),
    [
        ((9, 7), None, (), 1),
        ((5, 9, 7), None, (5,), 1),
        ((2, 5, 9, 7), None, (2, 5), 1),
        ((9, 7, 3), -1, (), 3),
        ((9, 7, 4), 2, (), 4),
        ((9, 7, 1), -1, (), 1),
        ((3, 9, 7), 0, (), 3),
        ((2, 3, 9, 7), 1, (2,), 3),
        ((9, 3, 7), 1, (), 3),
    ],
)
def test_axes(shape, axis, leading, channels):
    image = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    layout = read_layout(image, axis)
    planes = as_planes(image, layout)
    assert layout.leading == leading
    assert layout.map_shape == (*leading, 9, 7)
    assert planes.shape == (*leading, channels, 9, 7)
    np.testing.assert_array_equal(from_planes(planes, layout), image)
    assert from_planes(as_planes(dask.array.from_array(image), layout), layout).shape == shape


@pytest.mark.parametrize(
    ("shape", "axis", "words"),
    [
        ((), None, "axes for Y and X"),
        ((9,), None, "axes for Y and X"),
        ((9, 3), -1, "Y, X and the channels"),
        ((1, 1), None, "at least 4 x 4"),
        ((3, 100), None, "at least 4 x 4"),
        ((9, 9, 2), None, "last axis of 2 looks like channels"),
        ((0, 64, 64), None, "must not be empty"),
        ((0, 0), None, "must not be empty"),
        ((9, 9, 3), None, "channel_axis=-1"),
        ((2, 9, 9, 4), None, "channel_axis=-1"),
        ((9, 9, 2), -1, "has 2 channels"),
        ((5, 9, 9), 0, "has 5 channels"),
        ((9, 9, 3), 3, "axes -3 to 2"),
        ((9, 9, 3), -4, "axes -3 to 2"),
        ((9, 9, 3), "last", "axes -3 to 2"),
        ((9, 9, 3), 1.5, "axes -3 to 2"),
    ],
)
def test_impossible_axes_are_named(shape, axis, words):
    with pytest.raises(ImageError, match=words):
        read_layout(np.zeros(shape, np.uint8), axis)


@pytest.mark.parametrize("dtype", [bool, complex, object, "U3", "M8[s]", "V4"])
def test_other_data_types_are_refused(dtype):
    with pytest.raises(ImageError, match="data type"):
        read_layout(np.zeros((9, 9), dtype))


@pytest.mark.parametrize("thing", ["cells.tif", None, 3, [[1, 2], [3, 4]], {"image": 1}])
def test_other_objects_are_refused(thing):
    with pytest.raises(ImageError, match=type(thing).__name__):
        as_array(thing)


def test_masked_arrays_are_refused():
    with pytest.raises(ImageError, match="masked"):
        as_array(np.ma.masked_less(np.zeros((9, 9)), 1))


def test_arrays_of_other_libraries_are_accepted():
    assert as_array(torch.zeros(9, 9)).shape == (9, 9)


@pytest.mark.parametrize(
    ("dtype", "axis", "encoding"),
    [("u1", None, "srgb"), ("u2", -1, "srgb"), ("f4", -1, "srgb"), ("u2", None, "linear")],
)
def test_encoding_follows_from_color_and_data_type(dtype, axis, encoding):
    image = np.zeros((9, 9, 3) if axis else (9, 9), dtype)
    assert read_layout(image, axis).encoding == encoding
    assert read_layout(image, axis, "linear").encoding == "linear"
    with pytest.raises(OptionError, match="'gamma'"):
        read_layout(image, axis, "gamma")


def test_linear_gray_is_microscopy_and_all_else_photographs():
    gray, color = np.zeros((9, 8), np.uint16), np.zeros((9, 8, 3), np.uint16)
    assert read_layout(gray).imaging == "microscopy"
    assert read_layout(gray, encoding="srgb").imaging == "photograph"
    assert read_layout(color, -1, "linear").imaging == "photograph"
    assert read_layout(gray.astype(np.uint8)).imaging == "photograph"
    assert read_layout(gray.astype(np.uint8), encoding="linear").imaging == "microscopy"


def test_kind_of_image_that_is_chosen_decides_encoding_and_range():
    gray, color = np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.uint8)
    measured = read_layout(gray, imaging="microscopy")
    assert (measured.imaging, measured.encoding) == ("microscopy", "linear")
    assert not measured.display_bounded
    taken = read_layout(gray.astype(np.float32), imaging="photograph")
    assert (taken.imaging, taken.encoding, taken.display_bounded) == ("photograph", "srgb", True)
    channels = read_layout(color, -1, imaging="microscopy")
    assert channels.channelwise
    assert channels.range_shape == (3,)
    assert read_layout(gray, encoding="srgb", imaging="microscopy").encoding == "srgb"


@pytest.mark.parametrize(
    ("shape", "channel_axis", "range_axis", "place"),
    [((2, 9, 9), None, 0, 0), ((5, 2, 9, 9), None, -3, 1),
     ((5, 3, 2, 9, 9), 1, 2, 1), ((5, 9, 9, 3), -1, -4, 0)],
)  # fmt: skip
def test_axis_of_planes_with_ranges_of_their_own(shape, channel_axis, range_axis, place):
    assert (
        read_layout(np.zeros(shape, "u2"), channel_axis, range_axis=range_axis).range_axis == place
    )


@pytest.mark.parametrize("range_axis", [1, 2, -1, 3, -3, 9])
def test_other_axes_have_no_ranges_of_their_own(range_axis):
    with pytest.raises(OptionError, match="range_axis is"):
        read_layout(np.zeros((2, 3, 9, 9), "u2"), 1, range_axis=range_axis)
