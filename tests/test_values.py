"""Values of any kind: what they mean is recognized, and what holds no signal stays as it is."""

import dask.array
import numpy as np
import pytest

from napari_defocus import ValuesWarning, deblur, estimate_defocus, measure_range, reblur

RNG = np.random.default_rng(1)


def scene(shape=(48, 56), seed=0):
    """Boxes of random brightness, as floats from 0.05 to 0.95."""
    rng = np.random.default_rng(seed)
    image = np.full(shape, 0.3)
    for _ in range(60):
        top, left = (int(rng.integers(0, n)) for n in shape)
        image[top : top + rng.integers(3, 14), left : left + rng.integers(3, 14)] = rng.uniform(
            0.05, 0.95
        )
    return image


def uint8(*channels):
    return np.round(np.stack(channels, axis=-1) * 255).astype(np.uint8)


def blurred(image):
    for axis in (0, 1):
        image = sum(np.roll(image, shift, axis) for shift in range(-3, 4)) / 7
    return image


GRAY = scene()
COLOR = uint8(*(GRAY * share + 0.04 * scene(seed=9) for share in (0.9, 0.7, 0.5)))
RADIUS = np.full(GRAY.shape, 3.0)


def linear(*, seed=0):
    return (100 + 3000 * scene(seed=seed)).astype(np.float32)


# Colors in other types


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64"])
def test_colors_of_8_bits_give_the_same_in_any_type(dtype):
    expected = deblur(COLOR, RADIUS, channel_axis=-1)
    result = deblur(COLOR.astype(dtype), RADIUS, channel_axis=-1)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, expected, atol=1)
    assert (expected != COLOR).any()


def test_colors_of_12_bits_give_the_map_of_16_bits():
    wide = COLOR.astype(np.uint16) * 257
    expected = estimate_defocus(wide, channel_axis=-1)
    with pytest.warns(ValuesWarning, match="white is taken to be 4095, as of 12 bits"):
        result = estimate_defocus((wide >> 4).astype(np.uint16), channel_axis=-1)
    np.testing.assert_allclose(result.radius, expected.radius, atol=0.05)


# Pixels without data


@pytest.mark.filterwarnings("ignore::napari_defocus.ValuesWarning")
@pytest.mark.parametrize(
    ("fill", "dtype", "options"),
    [
        (-9999, np.float32, {}),
        (-3.4028235e38, np.float32, {}),
        (-9999, np.float32, {"value_range": (100, 3000)}),
        (-32768, np.int16, {}),
        (-32768, np.int16, {"nodata": -32768}),
        (65535, np.uint16, {"nodata": 65535}),
    ],
)
def test_pixels_without_data_do_not_matter_and_come_back(fill, dtype, options):
    image = linear().round()
    empty = np.zeros(image.shape, bool)
    empty[:9, :9] = empty[30, 40] = True
    filled = np.where(empty, dtype(fill), image.astype(dtype))
    ranges = {k: v for k, v in options.items() if k == "value_range"}
    expected = deblur(np.where(empty, np.nan, image), **ranges)
    result = deblur(filled, **options)
    assert (result[empty] == dtype(fill)).all()
    np.testing.assert_allclose(
        result[~empty], expected[~empty], atol=1 if dtype != np.float32 else 1e-2
    )
    assert (estimate_defocus(filled, **options).confidence[empty] == 0).all()
    lazy = deblur(dask.array.from_array(filled, chunks=30), **options).compute()
    np.testing.assert_array_equal(lazy, result)


def test_hot_pixels_do_not_change_what_is_far_from_them():
    image = linear().repeat(2, 0).repeat(2, 1)
    hot = image.copy()
    hot[40:44:3, 4:9:2] = 60000
    far = np.s_[:, 60:]
    expected, result = (estimate_defocus(each).radius[far] for each in (image, hot))
    np.testing.assert_allclose(result, expected, atol=0.05)


# Channels that hold nothing or the same


def test_constant_channels_come_back_as_they_were():
    image = COLOR.copy()
    image[..., 2] = 7
    for result in (
        deblur(image, RADIUS, channel_axis=-1, protect_radius=0),
        reblur(image, RADIUS, channel_axis=-1),
    ):
        assert (result[..., 2] == 7).all()
        assert (result[..., :2] != image[..., :2]).any()
    np.testing.assert_array_equal(deblur(np.full((40, 40), 5.0), RADIUS[:40, :40]), 5.0)


def test_neutral_pictures_stay_neutral_and_equal_gray_ones():
    neutral = uint8(GRAY, GRAY, GRAY)
    result = deblur(neutral, RADIUS, channel_axis=-1)
    assert (result == result[..., :1]).all()
    np.testing.assert_array_equal(result[..., 0], deblur(neutral[..., 0], RADIUS))
    assert (result != neutral).any()


def test_fluorescence_is_worked_on_channel_by_channel():
    shape = (128, 144)  # large enough to tell their blur
    parts = (blurred(scene(shape, seed)) for seed in (1, 2))
    image = uint8(*parts, np.zeros(shape))
    with pytest.warns(ValuesWarning, match="nothing to do with each other"):
        result = deblur(image, channel_axis=-1)
    for c in range(2):
        alone = deblur(image[..., c], imaging="microscopy")
        np.testing.assert_array_equal(result[..., c], alone)
        assert (alone != image[..., c]).any()
    assert not result[..., 2].any()
    np.testing.assert_array_equal(deblur(image, channel_axis=-1, imaging="microscopy"), result)
    lazy = dask.array.from_array(np.moveaxis(image, -1, 0), chunks=30)
    with pytest.warns(ValuesWarning, match="nothing to do with each other"):
        lazily = deblur(lazy, channel_axis=0).compute()
    np.testing.assert_array_equal(np.moveaxis(lazily, 0, -1), result)


def test_map_of_fluorescence_takes_the_surest_channel():
    image = uint8(np.zeros_like(GRAY), GRAY, np.zeros_like(GRAY))
    result = estimate_defocus(image, channel_axis=-1, imaging="microscopy")
    alone = estimate_defocus(image[..., 1], imaging="microscopy")
    np.testing.assert_array_equal(result.radius, alone.radius)
    np.testing.assert_array_equal(result.confidence, alone.confidence)


def test_channels_of_an_array_may_have_black_and_white_of_their_own():
    stack = np.stack([linear(), 100 + (linear(seed=5) - 100) / 30])
    with pytest.warns(ValuesWarning, match="give range_axis=0"):
        estimate_defocus(stack)
    result = estimate_defocus(stack, range_axis=0)
    for plane, radius in zip(stack, result.radius, strict=True):
        np.testing.assert_array_equal(radius, estimate_defocus(plane).radius)


# Parts of an image


def test_a_part_gives_what_the_whole_gives_with_its_value_range():
    whole = linear().repeat(3, 0).repeat(3, 1)
    radius = np.full(whole.shape, 2.0)
    part, inside = np.s_[:, 40:], np.s_[:, 68:]
    options = {"downscale": 1, "value_range": measure_range(whole)}
    result = deblur(whole[part], radius[part], **options)
    expected = deblur(whole, radius, downscale=1)
    np.testing.assert_allclose(result[:, 28:], expected[inside], atol=1.5)
    assert np.abs(expected - whole).max() > 30
