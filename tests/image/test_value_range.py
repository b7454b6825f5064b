"""Values of black and white, from the data type or measured."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_defocus.errors import ImageError, OptionError
from napari_defocus.image.layout import read_layout
from napari_defocus.image.value_range import scan_range


def ranged(image, axis=None, value_range=None):
    return scan_range(image, read_layout(image, axis), value_range)


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


def test_color_floats_far_from_their_range_are_refused():
    image = np.full((9, 9, 3), 200.0)
    with pytest.raises(ImageError, match=r"reaches 200; give value_range"):
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
