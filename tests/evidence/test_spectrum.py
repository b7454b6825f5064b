"""Likelihood of radii from spectra: of blurred textures, soft objects and nothing."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from napari_defocus.evidence.spectrum import RADII, log_likelihoods
from napari_defocus.optics.kernels import disk


def texture(width, side=256):
    rng = np.random.default_rng(2)
    return gaussian_filter(rng.standard_normal((side, side)), width, mode="wrap")


def with_noise(image, share):
    rng = np.random.default_rng(3)
    return (image + share * image.std() * rng.standard_normal(image.shape)).astype(np.float32)


@pytest.mark.parametrize("radius", [3.0, 6.0, 10.0])
def test_the_radius_of_blur_is_the_most_likely_one(radius):
    blurred = fftconvolve(texture(1.0, 320), disk(radius).numpy(), mode="same")[32:-32, 32:-32]
    likely = RADII[log_likelihoods(with_noise(blurred, 0.05)).argmax()]
    assert likely == pytest.approx(radius, rel=0.15)


def test_soft_objects_are_not_taken_for_blurred_ones():
    """Smooth inside, with the edges that a microscope in focus gives them."""
    objects = gaussian_filter(np.clip(400 * texture(8.0), 0, 1), 0.7)
    assert RADII[log_likelihoods(with_noise(objects, 0.02)).argmax()] < 2


def test_noise_alone_prefers_no_radius_by_much():
    noise = np.random.default_rng(0).standard_normal((128, 128)).astype(np.float32)
    assert np.ptp(log_likelihoods(noise)) < 6
    assert not log_likelihoods(np.zeros((64, 64), np.float32)).any()


def test_brightness_and_contrast_do_not_matter():
    image = with_noise(texture(2.0, 128), 0.1)
    assert log_likelihoods(7 * image + 100) == pytest.approx(log_likelihoods(image), abs=0.5)
