"""Images of any kind to the networks' form, and exactly back."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_defocus.image.encoding import (
    add_change,
    blend,
    decode,
    encode,
    fill_missing,
    to_display,
)
from napari_defocus.image.layout import as_planes, plane_indices, read_layout
from napari_defocus.image.value_range import scan_range
from napari_defocus.optics.light import decode_srgb, encode_srgb

DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">u2", ">f4"]


def test_numpy_and_torch_encode_alike():
    values = np.linspace(-2, 3, 10001, dtype=np.float32)
    np.testing.assert_allclose(encode(values), encode_srgb(torch.from_numpy(values)), atol=2e-6)
    np.testing.assert_allclose(decode(values), decode_srgb(torch.from_numpy(values)), atol=2e-6)


def test_decoding_undoes_encoding():
    values = np.linspace(-2, 3, 10001, dtype=np.float32)
    np.testing.assert_allclose(decode(encode(values)), values, atol=1e-5)
    assert (np.diff(encode(values)) > 0).all()


# Value range


def test_values_far_outside_a_tiny_range_do_not_overflow():
    for dtype in ("uint8", "uint32", "float32"):
        plane = np.full((1, 4, 4), 200, dtype)
        assert np.isfinite(to_display(plane, "srgb", (0.0, 1.2e-38))).all()


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


def test_missing_values_stay_and_are_filled_in_the_form():
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
def test_filling_stays_within_the_valid_values(values, seed, share):
    valid = np.random.default_rng(seed).random(values.shape) < share
    filled = fill_missing(np.where(valid, values, np.nan).astype(np.float32), valid)
    np.testing.assert_array_equal(filled[valid], values[valid])
    if valid.any():
        assert values[valid].min() - 1e-6 <= filled.min()
        assert filled.max() <= values[valid].max() + 1e-6


def test_filling_takes_near_values():
    values = np.zeros((16, 16), np.float32)
    values[:, 8:] = 1
    valid = np.ones((16, 16), bool)
    valid[4:6, 2:4] = valid[4:6, 12:14] = False
    filled = fill_missing(values, valid)
    np.testing.assert_array_equal(filled, values)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
def test_a_blend_lies_between_and_keeps_what_is_equal(dtype):
    before, after = np.array([0, 100, 7], dtype), np.array([10, 50, 7], dtype)
    assert blend(before, after, 0.3).tolist() == [3, 85, 7]
    assert blend(before, after, 1.0) is after
    assert blend(before, after, 0.0).tolist() == [0, 100, 7]


def test_a_blend_keeps_large_integers_and_what_is_not_finite():
    large = np.array([2**62 + 1], np.int64)
    assert blend(large, large, 0.5) == large
    odd = np.array([np.nan, np.inf, -0.0], np.float32)
    assert blend(odd, odd, 0.5).tobytes() == odd.tobytes()
