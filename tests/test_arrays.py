"""Images of any kind to the networks' form, and exactly back."""

import dask.array
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_defocus.errors import ImageError, OptionError
from napari_defocus.image.dask_planes import lazy_range
from napari_defocus.image.encoding import add_change, decode, encode, fill_missing, to_display
from napari_defocus.image.layout import as_array, as_planes, from_planes, plane_indices, read_layout
from napari_defocus.image.value_range import scan_range
from napari_defocus.optics.light import decode_srgb, encode_srgb

DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">u2", ">f4"]


def test_curve_agrees_with_its_torch_twin():
    values = np.linspace(-2, 3, 10001, dtype=np.float32)
    np.testing.assert_allclose(encode(values), encode_srgb(torch.from_numpy(values)), atol=2e-6)
    np.testing.assert_allclose(decode(values), decode_srgb(torch.from_numpy(values)), atol=2e-6)


def test_curve_is_undone():
    values = np.linspace(-2, 3, 10001, dtype=np.float32)
    np.testing.assert_allclose(decode(encode(values)), values, atol=1e-5)
    assert (np.diff(encode(values)) > 0).all()


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
def test_what_is_no_array_is_refused(thing):
    with pytest.raises(ImageError, match=type(thing).__name__):
        as_array(thing)


def test_masked_arrays_are_refused():
    with pytest.raises(ImageError, match="masked"):
        as_array(np.ma.masked_less(np.zeros((9, 9)), 1))


def test_arrays_of_other_libraries_are_taken():
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


# Value range


def ranged(image, axis=None, value_range=None):
    return scan_range(image, read_layout(image, axis), value_range)


def test_range_of_display_images_is_the_data_type_s():
    assert ranged(np.full((9, 9), 7, np.uint8)) == (0, 255)
    assert ranged(np.full((9, 9, 3), 7, np.uint16), -1) == (0, 65535)
    assert ranged(np.full((9, 9, 3), 0.3, np.float32), -1) == (0, 1)


def test_range_of_other_images_is_measured_over_all_planes():
    image = np.random.default_rng(0).normal(1000, 50, (3, 200, 210)).astype(np.float32)
    low, high = ranged(image)
    assert low == image.min()
    assert high == pytest.approx(np.percentile(image.astype(float), 99.99), rel=1e-6)


@given(
    hnp.arrays(
        st.sampled_from([np.uint16, np.int32, np.float32]),
        st.tuples(st.integers(4, 120), st.integers(5, 120)),
        elements=st.integers(0, 5000),
        fill=st.just(17),
    )
)
@settings(deadline=None)
def test_measured_range_is_the_percentile(image):
    low, high = ranged(image)
    wanted = np.percentile(image.astype(float), 99.99)
    assert low == image.min()
    if image.min() < wanted:
        assert high == pytest.approx(wanted, rel=1e-6)
    else:
        assert high > low


def test_range_of_a_lazy_image_is_that_of_the_whole():
    image = np.random.default_rng(0).gamma(2, 100, (20, 30, 40)).astype(np.float32)
    image[3] = np.nan
    lazy = dask.array.from_array(image, chunks=(2, 17, 40))
    assert lazy_range(lazy, read_layout(lazy), None).compute() == ranged(image)


def test_values_that_are_not_finite_do_not_count():
    image = np.linspace(1, 2, 100).reshape(10, 10)
    image[0, 5:] = np.nan
    image[1, 5:] = np.inf
    image[2, 5:] = -np.inf
    low, high = ranged(image)
    assert (low, high) == (1, pytest.approx(2, rel=1e-3))


def test_constant_image_has_a_range():
    assert ranged(np.full((9, 9), 5.0)) == (5, 10)
    assert ranged(np.zeros((9, 9))) == (0, 1)


def test_few_bright_spots_are_white():
    image = np.zeros((200, 200), np.uint16)
    image[5, 5] = 900
    assert ranged(image) == (0, 900)


def test_image_without_a_finite_value_is_refused():
    for value_range in (None, (0, 1)):
        with pytest.raises(ImageError, match="no finite value"):
            ranged(np.full((9, 9), np.nan), value_range=value_range)


def test_color_floats_far_from_their_range_are_refused():
    image = np.full((9, 9, 3), 200.0)
    with pytest.raises(ImageError, match=r"reaches 200; give value_range"):
        ranged(image, -1)
    assert ranged(image, -1, (0, 255)) == (0, 255)


@pytest.mark.parametrize("value_range", [(1, 0), (0, 0), (0,), 5, "auto", (0, np.nan), (0, np.inf)])
def test_impossible_ranges_are_refused(value_range):
    with pytest.raises(OptionError, match="value_range"):
        ranged(np.zeros((9, 9), np.uint8), value_range=value_range)


def test_values_far_outside_a_tiny_range_do_not_overflow():
    for dtype in ("uint8", "uint32", "float32"):
        plane = np.full((1, 4, 4), 200, dtype)
        assert np.isfinite(to_display(plane, "srgb", (0.0, 1.2e-38))).all()


@pytest.mark.parametrize("value_range", [[(0, 1)] * 3, [[(0, 1)] * 2] * 2, [[(1, 0)]] * 2])
def test_ranges_of_planes_have_to_fit_them(value_range):
    with pytest.raises(OptionError, match=r"an array that broadcasts to \(2, 4, 2\)"):
        ranged(np.zeros((2, 4, 9, 9), np.uint16), value_range=value_range)


# To the networks' form, and back


def back(image, change, axis=None, value_range=None, encoding="auto"):
    """Give every plane the same change, in the networks' form."""
    layout = read_layout(image, axis, encoding)
    black_white = scan_range(image, layout, value_range)
    result = image.copy()
    planes = as_planes(result, layout)
    for index in plane_indices(layout):
        before = to_display(planes[index], layout.encoding, black_white)
        planes[index] = add_change(
            planes[index],
            before,
            np.full((3, *before.shape[1:]), change, np.float32),
            encoding=layout.encoding,
            value_range=black_white,
            bounded=layout.display_bounded,
        )
    return result


def some_values(dtype, shape):
    dtype = np.dtype(dtype)
    generator = np.random.default_rng(0)
    if dtype.kind == "f":
        return generator.random(shape).astype(dtype)
    info = np.iinfo(dtype)
    return generator.integers(info.min, info.max, shape, dtype.newbyteorder("="), True).astype(
        dtype
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axis"), [((9, 7), None), ((9, 7, 3), -1), ((4, 9, 7), 0)])
@pytest.mark.parametrize("encoding", ["srgb", "linear"])
def test_no_change_comes_back_bit_for_bit(dtype, shape, axis, encoding):
    image = some_values(dtype, shape)
    result = back(image, 0, axis, encoding=encoding)
    assert result.dtype == image.dtype
    assert result.tobytes() == image.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_form_of_gray_is_one_channel_of_display_values(dtype):
    image = some_values(dtype, (9, 7))
    layout = read_layout(image)
    form = to_display(image[None], layout.encoding, (float(image.min()), float(image.max())))
    assert form.shape == (1, 9, 7)
    assert form.dtype == np.float32
    assert form.flags.c_contiguous
    assert form.min() == 0
    assert form.max() == pytest.approx(1)


def test_linear_gray_is_microscopy_and_all_else_photographs():
    gray, color = np.zeros((9, 8), np.uint16), np.zeros((9, 8, 3), np.uint16)
    assert read_layout(gray).imaging == "microscopy"
    assert read_layout(gray, encoding="srgb").imaging == "photo"
    assert read_layout(color, -1, "linear").imaging == "photo"
    assert read_layout(gray.astype(np.uint8)).imaging == "photo"
    assert read_layout(gray.astype(np.uint8), encoding="linear").imaging == "microscopy"


def test_change_is_rounded_and_kept_inside_the_data_type():
    image = np.array([[0, 1, 100, 254, 255]] * 4, np.uint8)
    np.testing.assert_array_equal(back(image, 1.6 / 255)[0], [2, 3, 102, 255, 255])
    np.testing.assert_array_equal(back(image, -1.4 / 255)[0], [0, 0, 99, 253, 254])


@pytest.mark.parametrize("dtype", ["i8", "u8", "i4", "f2"])
def test_largest_values_do_not_wrap_around(dtype):
    image = some_values(dtype, (9, 7))
    top = np.finfo(dtype).max if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    image[0, 0] = top
    result = back(image, 0.5, value_range=(0, float(top)))
    # 64 bits are exact to the nearest float64
    assert (result.astype(float) >= np.nextafter(image.astype(float), -np.inf)).all()
    assert np.isfinite(result).all()


def test_change_of_linear_light_goes_through_the_curve():
    image = np.full((9, 9), 0.2, np.float32)
    result = back(image, 0.1, value_range=(0, 1))
    np.testing.assert_allclose(result, decode(encode(image) + np.float32(0.1)), 1e-5)


def test_photographs_stay_between_black_and_white():
    image = np.array([0.0, 0.5, 0.95, 1.0, 1.2], np.float32)[None, :, None] * np.ones(
        (4, 1, 3), "f4"
    )
    brighter = back(image, 0.1, -1)[0, :, 0]
    np.testing.assert_allclose(brighter, [0.1, 0.6, 1.0, 1.0, 1.2], atol=1e-6)
    assert back(image, -0.1, -1).min() == 0


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_measurements_do_not_fall_below_black_and_may_outshine_white(dtype):
    image = np.linspace(100, 900, 80).reshape(8, 10).astype(dtype)
    assert back(image, -2).min() == image.min()
    assert back(image, 2).max() > image.max()


def test_doubling_the_input_doubles_the_output():
    image = np.random.default_rng(0).random((40, 40)) * 300 + 100
    np.testing.assert_allclose(back(2 * image, 0.05), 2 * back(image, 0.05), rtol=1e-6)


def test_alpha_is_carried_through():
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 4), np.uint8)
    result = back(image, 0.1, -1)
    np.testing.assert_array_equal(result[..., 3], image[..., 3])
    assert (result[..., :3] >= image[..., :3]).all()


def test_what_is_not_finite_stays_and_is_filled_in_the_form():
    image = np.random.default_rng(0).random((9, 7)).astype(np.float32)
    image[2:4, 1:5] = np.nan
    image[6, 0] = -np.inf
    form = to_display(image[None], "linear", (0, 1))
    assert np.isfinite(form).all()
    result = back(image, 0.1)
    np.testing.assert_array_equal(np.isfinite(result), np.isfinite(image))
    np.testing.assert_array_equal(result[~np.isfinite(image)], image[~np.isfinite(image)])


def test_channel_without_a_finite_value_does_not_spoil_the_others():
    image = np.full((9, 7, 3), 0.5, np.float32)
    image[..., 1] = np.nan
    form = to_display(np.moveaxis(image, -1, 0), "srgb", (0, 1))
    assert np.isfinite(form).all()
    assert (form[[0, 2]] == 0.5).all()


def test_plane_without_a_finite_value_has_no_form():
    assert to_display(np.full((1, 9, 9), np.nan), "linear", (0, 1)) is None


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 23), st.integers(1, 23)),
        elements=st.floats(0, 1, width=32),
    ),
    st.integers(0, 2**32 - 1),
    st.floats(0.05, 0.95),
)
@settings(deadline=None)
def test_filling_stays_among_the_known_values(values, seed, share):
    known = np.random.default_rng(seed).random(values.shape) < share
    filled = fill_missing(np.where(known, values, np.nan).astype(np.float32), known)
    np.testing.assert_array_equal(filled[known], values[known])
    if known.any():
        assert values[known].min() - 1e-6 <= filled.min()
        assert filled.max() <= values[known].max() + 1e-6


def test_filling_takes_near_values():
    values = np.zeros((16, 16), np.float32)
    values[:, 8:] = 1
    known = np.ones((16, 16), bool)
    known[4:6, 2:4] = known[4:6, 12:14] = False
    filled = fill_missing(values, known)
    np.testing.assert_array_equal(filled, values)
