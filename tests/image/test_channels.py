"""Channels that have nothing to do with each other, told from colors."""

import numpy as np
import pytest

from napari_defocus.image.channels import (
    channels_that_share,
    has_independent_channels,
    share_change,
)
from napari_defocus.image.layout import read_layout
from napari_defocus.io import read_picture
from napari_defocus.viewer.files.samples import FOLDER

RNG = np.random.default_rng(0)
Y, X = np.mgrid[:160, :180]


def independent(image):
    return has_independent_channels(image, read_layout(image, -1))


def spots(seed):
    """Spots of sigma 2 px on a dark, noisy background, of 8 bits."""
    rng = np.random.default_rng(seed)
    image = rng.normal(8, 2, Y.shape)
    for y, x in rng.uniform(0, 160, (30, 2)):
        image += 150 * np.exp(-((Y - y) ** 2 + (X - x) ** 2) / 8)
    return image.clip(0, 255).astype(np.uint8)


def flowers():
    """Red disks on green, whose brightness is about that of the disks, with some shading."""
    image = np.stack([40 + 0 * X, 120 + 20 * np.sin(X / 9), 30 + 0 * X], axis=-1).astype(float)
    for y, x in RNG.uniform(10, 150, (25, 2)):
        image[np.hypot(Y - y, X - x) < 7] = (230, 20, 40)
    return image


@pytest.mark.parametrize("crop", [np.s_[:500, :500], np.s_[300:420, 200:500]])
@pytest.mark.parametrize("name", ["canyon-wren.jpg", "stairwell-left.png", "stairwell-sharp.png"])
def test_photographs_are_colors(name, crop):
    photo = read_picture(FOLDER / name).data[crop]
    assert not independent(photo)
    noisy = photo + RNG.normal(0, 8, photo.shape)
    assert not independent(noisy.clip(0, 255).astype(np.uint8))


def test_red_flowers_on_green_are_colors():
    noisy = flowers() + RNG.normal(0, 6, (*X.shape, 3))
    assert not independent(noisy.clip(0, 255).astype(np.uint8))


def test_noise_and_gray_are_no_fluorescence():
    assert not independent(RNG.integers(0, 30, (160, 180, 3), np.uint8))
    assert not independent(np.stack([spots(0)] * 3, axis=-1))
    assert not independent(np.zeros((160, 180, 3), np.uint8))


@pytest.mark.parametrize("factor", [1e-30, 1e30, 1e250])
def test_values_of_any_size_are_compared(factor):
    fluorescence = np.stack([spots(seed) for seed in range(3)], axis=-1).astype(float)
    assert independent(fluorescence)
    assert independent(fluorescence * factor)
    assert not independent(flowers() * factor)


def test_fluorescence_is_recognized():
    empty = np.zeros_like(spots(0))
    for channels in (
        (spots(1), spots(2), spots(3)),
        (spots(1), spots(2), empty),
        (empty, spots(2), empty),
        (spots(1), spots(2), spots(1)),  # magenta and green
        (spots(1), empty, spots(1)),
    ):
        assert independent(np.stack(channels, axis=-1))


def test_equal_channels_share_their_change_and_constant_ones_get_none():
    plane = np.stack([spots(1), spots(1), np.full_like(spots(1), 9)])
    halves = [(plane[:, :80], None), (plane[:, 80:], None)]
    shares = channels_that_share(halves)
    assert shares == [(0, 1), (0, 1), ()]
    change = share_change(np.float32([1, 3, 5])[:, None, None] * np.ones((3, 4, 4), "f4"), shares)
    np.testing.assert_array_equal(change[:, 0, 0], [2, 2, 0])


def test_channels_are_compared_where_they_hold_data():
    plane = np.float32([[[1, np.nan, 2, 3]], [[1, np.nan, 2, 3]], [[7, np.nan, 7, 7]]])
    assert channels_that_share([(plane, np.isfinite(plane))]) == [(0, 1), (0, 1), ()]
