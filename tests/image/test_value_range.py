"""Values of black and white, from the data type or measured."""

import re
import warnings

import dask.array
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_defocus import ValuesWarning
from napari_defocus.errors import ImageError, OptionError
from napari_defocus.image.dask_planes import lazy_range
from napari_defocus.image.layout import read_layout
from napari_defocus.image.value_range import scan_range

RNG = np.random.default_rng(0)
#: A flat field with lines, in units of its brightest, and a color picture.
GRAY = np.clip(RNG.normal(0.3, 0.05, (120, 140)) + (np.arange(140) % 20 < 3) * 0.4, 0, 1)
COLOR = np.clip(np.repeat(RNG.random((12, 14, 3)), 10, 0).repeat(10, 1), 0.002, 1)
HOT = RNG.random(GRAY.shape) < 1e-3


def ranged(image, axis=None, value_range=None, **options):
    return scan_range(image, read_layout(image, axis, **options), value_range)


def noted(image, axis=None, **options):
    """Return black and white, and what was said of them; the same for a dask array."""
    layout, notes = read_layout(image, axis, **options), []
    ranges = scan_range(image, layout, note=notes.append)
    lazy = lazy_range(dask.array.from_array(image, chunks=50), layout, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValuesWarning)
        np.testing.assert_array_equal(lazy.compute(), ranges)
    return ranges, " ".join(notes)


def test_display_images_have_the_range_of_their_data_type():
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
        st.tuples(st.integers(4, 30), st.integers(5, 33)),
        elements=st.integers(0, 5000),
        fill=st.just(17),
    )
)
@settings(deadline=None)
def test_measured_range_is_the_percentile(image):
    low, high = ranged(image, nodata="none")
    wanted = np.percentile(image.astype(float), 99.99)
    assert low == image.min()
    if image.min() < wanted:
        assert high == pytest.approx(wanted, rel=1e-6)
    else:
        assert high > low


def test_missing_values_do_not_change_the_range():
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


def test_color_floats_that_do_not_tell_white_are_refused():
    for most in (3, 1e6):
        image = np.linspace(0, most, 243).reshape(9, 9, 3)
        with pytest.raises(ImageError, match=re.escape(f"reaches {most:g}; give value_range")):
            ranged(image, -1)
        assert ranged(image, -1, (0, 255)) == (0, 255)


@pytest.mark.parametrize("value_range", [(1, 0), (0, 0), (0,), 5, "auto", (0, np.nan), (0, np.inf)])
def test_impossible_ranges_are_refused(value_range):
    with pytest.raises(OptionError, match="value_range"):
        ranged(np.zeros((9, 9), np.uint8), value_range=value_range)


@pytest.mark.parametrize("value_range", [[(0, 1)] * 3, [[(0, 1)] * 2] * 2, [[(1, 0)]] * 2])
def test_ranges_of_planes_have_to_fit_them(value_range):
    with pytest.raises(OptionError, match=r"an array that broadcasts to \(2, 4, 2\)"):
        ranged(np.zeros((2, 4, 9, 9), np.uint16), value_range=value_range)


# Bits of colors


@pytest.mark.parametrize("dtype", ["int16", "int32", "uint32", "int64", "uint64"])
def test_colors_of_8_bits_are_that_in_any_type(dtype):
    (low, high), note = noted((COLOR * 255).astype(dtype), -1)
    assert (low, high) == (0, 255)
    assert ("reach" in note) == (dtype == "int16")


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_colors_of_a_camera_are_recognized_and_said(dtype, bits):
    (low, high), note = noted((COLOR * (2**bits - 1)).astype(dtype), -1)
    assert (low, high) == (0, 2**bits - 1)
    assert f"{2**bits - 1:g}" in note


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ((COLOR * 65535).astype(np.uint16), (0, 65535)),
        ((COLOR * 32767).astype(np.int16), (0, 32767)),
        ((COLOR * (2**32 - 1)).astype(np.uint32), (0, 2**32 - 1)),
        ((COLOR * 127).astype(np.int8), (0, 127)),
        (COLOR.astype(np.float32), (0, 1)),
        (COLOR * 1.5, (0, 1)),
    ],
)
def test_colors_that_use_their_type_are_taken_without_a_word(image, expected):
    assert noted(image, -1) == (expected, "")


def test_one_hot_pixel_does_not_change_the_bits():
    image = (COLOR * 4095).astype(np.uint16)
    image[HOT] = 65535
    assert noted(image, -1)[0] == (0, 4095)


def test_floats_of_0_to_255_are_recognized():
    assert noted(COLOR * 255, -1)[0] == (0, 255)
    assert noted(COLOR * 255, -1, encoding="linear")[0] == (0, 255)
    assert noted(COLOR * 2 - 1, -1)[0] == (-1, 1)
    assert "reach from" in noted(COLOR * 255, -1)[1]


def test_linear_light_may_outshine_white():
    image = COLOR * 0.5
    image[:5, :5] = 40
    assert noted(image, -1, encoding="linear") == ((0, 1), "")


def test_gray_photographs_have_the_range_of_their_bits():
    assert noted((GRAY * 4095).astype(np.uint16), imaging="photograph")[0] == (0, 4095)
    assert noted(GRAY, imaging="photograph") == ((0, 1), "")


# Outliers, and pixels without data


@pytest.mark.parametrize("factor", [2, 5, 20, 300])
@pytest.mark.parametrize("sign", [1, -1])
def test_hot_and_dead_pixels_set_neither_black_nor_white(factor, sign):
    image = 20000 + 1000 * GRAY
    spoilt = np.where(HOT, 20000 + sign * factor * 1000 * (0.5 + RNG.random(GRAY.shape)), image)
    clean, (low, high) = ranged(image[~HOT][None, :].repeat(4, 0)), noted(spoilt)[0]
    assert low == pytest.approx(clean[0], abs=30)
    assert high == pytest.approx(clean[1], abs=30)


def test_small_spots_are_no_hot_pixels():
    image = RNG.normal(100, 3, (200, 210))
    for y, x in RNG.integers(5, 195, (12, 2)):
        image[y, x] += 3000
        image[[y - 1, y + 1, y, y], [x, x, x - 1, x + 1]] += 400
    assert noted(image) == ((image.min(), pytest.approx(np.percentile(image, 99.99))), "")


@pytest.mark.parametrize("share", [1 / 280, 0.3, 0.9])
@pytest.mark.parametrize("fill", [-9999, -3.4028235e38, 1e20, -32768])
def test_fill_values_far_from_all_others_are_left_out_and_said(fill, share):
    image = GRAY.astype(np.float32)
    image[: int(len(image) * share) or 1] = np.nan
    expected = ranged(image)
    image[np.isnan(image)] = fill
    ranges, note = noted(image)
    assert ranges == expected
    assert f"{np.float32(fill):g}" in note
    assert ranged(image, nodata="none", value_range=(0, 1)) == (0, 1)


def test_several_fill_values_are_left_out_and_named():
    image = GRAY.astype(np.float32)
    expected = ranged(image[12:])
    for row, fill in enumerate((-3.4028235e38, -9999, -32768, 1e20)):
        image[3 * row : 3 * row + 3] = fill
    ranges, note = noted(image)
    assert ranges == expected
    assert all(f"{np.float32(fill):g}" in note for fill in (-3.4028235e38, -9999, -32768, 1e20))


def test_planes_without_data_are_left_out():
    stack = np.stack([GRAY, np.full_like(GRAY, np.nan), GRAY])
    assert noted(np.where(np.isnan(stack), -9999, stack))[0] == ranged(stack)


def test_declared_value_without_data_is_left_out_wherever_it_lies():
    image = (GRAY * 3000).astype(np.int16)
    image[:8, :8] = -77
    expected = ranged(np.where(image == -77, np.nan, image))
    assert noted(image, nodata=-77.0) == (expected, "")
    assert ranged(image)[0] == -77


def test_usual_fill_values_are_recognized_at_less_than_100_times_the_range():
    image = (GRAY * 3000).astype(np.int16)
    image[:8, :8] = -32768
    ranges, note = noted(image)
    assert ranges[0] > 0
    assert "64 pixels have the value -32768" in note
    image[:8, :8] = -999  # within the range's width
    assert noted(image)[0][0] == -999


def test_images_of_few_values_have_no_fill_value():
    image = np.zeros((60, 60), np.uint16)
    image[10:20] = 65535
    assert noted(image) == ((0, 65535), "")
    image[0] = 3
    assert noted(image) == ((0, 65535), "")


# Planes and channels with ranges of their own


def test_planes_along_an_axis_have_their_own_ranges():
    stack = np.stack([[GRAY, GRAY * 500 + 9], [GRAY * 2, GRAY * 100]])
    ranges, note = noted(stack, range_axis=1)
    assert not note
    assert ranges.shape == (2, 2, 2)
    for c in range(2):
        np.testing.assert_array_equal(ranges[:, c], [ranged(stack[:, c])] * 2)


def test_planes_as_different_as_channels_are_noted():
    assert "give range_axis=0" in noted(np.stack([GRAY, GRAY * 500]))[1]
    assert "give range_axis=1" in noted(np.stack([[GRAY, GRAY * 500]] * 9))[1]
    assert not noted(np.stack([GRAY, GRAY * 3]))[1]


def test_channels_of_microscopy_have_their_own_ranges():
    image = (COLOR * [250, 25, 2.5]).astype(np.uint8)
    ranges = ranged(image, -1, imaging="microscopy")
    assert ranges.tolist() == [list(ranged(image[..., c], imaging="microscopy")) for c in range(3)]


def test_values_too_far_apart_to_compute_with_are_refused():
    image = np.linspace(-1, 1, 8000).reshape(80, 100) * 1.7e308
    with pytest.raises(ImageError, match=r"from -1.7e\+308 to 1.69966e\+308, too far apart"):
        ranged(image)
    with pytest.raises(ImageError, match="too far apart"):
        ranged(np.full((8, 9), 1.7e308))
    assert ranged(image, value_range=(0, 1)) == (0, 1)
    low, high = ranged(image / 1e10)
    assert np.isfinite(high - low)
