"""Enlarged images are told from those that are blurred."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.transform import resize

from napari_defocus import deblur, estimate_defocus
from napari_defocus.inference.resolution import resolved_at
from napari_defocus.viewer.samples import dual_pixel_pair

SIDE = 160
DISPLAY = {"channel_axis": -1, "encoding": "srgb", "value_range": (0, 1)}


def picture(seed=0, side=SIDE, noise=0.004):
    """Blobs of all sizes, as photographs have them, and a camera's noise."""
    chance = np.random.default_rng(seed)
    noises = chance.standard_normal((5, side, side))
    sizes = (0.5, 1, 2, 4, 8)
    layers = [size * gaussian_filter(one, size) for size, one in zip(sizes, noises, strict=True)]
    blobs = 0.5 + 0.1 * sum(layers)
    return (blobs + noise * chance.standard_normal(blobs.shape)).clip(0, 1)[None].astype(np.float32)


def enlarged(image, times):
    shape = (len(image), *(times * side for side in image.shape[1:]))
    return resize(image, shape, order=3).astype(np.float32)


def means(values):
    """Of 4 x 4 pixels each."""
    height, width, *rest = values.shape
    return values.reshape(height // 4, 4, width // 4, 4, *rest).mean((1, 3))


@settings(max_examples=10)
@given(seed=st.integers(0, 2**16))
def test_an_image_enlarged_is_resolved_at_as_many_times(seed):
    image = picture(seed)
    assert [resolved_at(image), *(resolved_at(enlarged(image, n)) for n in (2, 4))] == [1, 2, 4]


def test_rounding_to_8_bits_is_no_detail():
    image = enlarged(picture(), 4)
    assert resolved_at(np.round(image * 255) / np.float32(255)) == 4


@pytest.mark.parametrize("sigma", [1, 2, 4])
def test_noise_tells_blurred_images_from_enlarged_ones(sigma):
    noise = 0.004 * np.random.default_rng(1).standard_normal((1, SIDE, SIDE))
    blurred = gaussian_filter(picture(noise=0), (0, sigma, sigma))
    assert resolved_at((blurred + noise).astype(np.float32)) == 1


def test_what_is_sharp_anywhere_counts():
    image = enlarged(picture(), 4)
    image[:, 300:460, 200:360] = picture(1)
    assert resolved_at(image) == 1


@pytest.mark.parametrize("image", [np.zeros((3, 300, 300)), np.full((1, 40, 400), 0.3)])
def test_nothing_is_said_of_what_shows_nothing(image):
    assert resolved_at(image.astype(np.float32)) == 1


def test_an_enlarged_photograph_is_worked_on_as_it_was():
    photograph = dual_pixel_pair()[-1][0][120:312, 300:492].astype(np.float32) / 255
    large = enlarged(photograph.transpose(2, 0, 1), 4).transpose(1, 2, 0).clip(0, 1)
    found = [np.asarray(estimate_defocus(image, **DISPLAY).radius) for image in (photograph, large)]
    assert np.median(np.abs(means(found[1]) / 4 - found[0])) < 0.25
    changes = [np.asarray(deblur(image, **DISPLAY)) - image for image in (photograph, large)]
    assert np.corrcoef(means(changes[1]).ravel(), changes[0].ravel())[0, 1] > 0.9


def test_progress_reaches_its_end_where_an_image_was_enlarged():
    told = []
    image = enlarged(picture(), 4)[0]
    estimate_defocus(image, progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1]
