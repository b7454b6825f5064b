"""Spectrum of a micrograph's noise, and the noise that a filter took from it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, median_filter, shift, uniform_filter
from scipy.signal import fftconvolve

from napari_defocus import estimate_defocus
from napari_defocus.image.encoding import encode
from napari_defocus.inference.storage import MemoryStorage
from napari_defocus.optics.kernels import disk
from napari_defocus.pipeline.noise_spectrum import add_pattern, measure_noise_spectrum

FILTERS = {
    "median": lambda image: median_filter(image, 3),
    "Gaussian": lambda image: gaussian_filter(image, 0.7),
    "mean": lambda image: uniform_filter(image, 2),
    "half a pixel": lambda image: shift(image, 0.5, order=1, mode="nearest"),
}


def specimen(radius, side=256):
    """Return granular cells, blurred by a disk, as counts of 300 photons at most."""
    rng = np.random.default_rng(1)
    cells = np.clip(gaussian_filter(rng.standard_normal((side, side)), 12) * 20, 0, 1)
    grain = np.clip(1 + 1.5 * gaussian_filter(rng.standard_normal((side, side)), 1), 0, 3)
    light = cells * grain / 3
    if radius:
        light = fftconvolve(light, disk(radius).numpy(), mode="same").clip(0)
    return (rng.poisson(300 * light + 15) + rng.normal(0, 1, light.shape)).astype(np.float32)


def displayed(counts):
    return encode((counts / counts.max()).clip(0).astype(np.float32))[None]


@pytest.mark.parametrize("radius", [0.0, 5.0])
def test_noise_as_it_is_counted_is_white(radius):
    assert measure_noise_spectrum(displayed(specimen(radius))).filtered == 0


def test_sharp_texture_everywhere_is_not_filtered_noise():
    rng = np.random.default_rng(0)
    texture = sum(gaussian_filter(rng.standard_normal((64, 64)), w) * w for w in (0.8, 2, 6))
    noise = 0.01 * rng.standard_normal((64, 64))
    light = np.clip(0.5 + 0.2 * texture, 0.05, 1) + noise
    assert measure_noise_spectrum(encode(light.astype(np.float32))[None]).filtered == 0


@pytest.mark.parametrize("change", FILTERS.values(), ids=FILTERS)
def test_filtered_noise_is_noticed_where_the_specimen_fills_the_field(change):
    assert measure_noise_spectrum(displayed(change(specimen(5.0)))).filtered > 0.5


@pytest.mark.parametrize("change", FILTERS.values(), ids=FILTERS)
def test_the_missing_noise_makes_it_white(change):
    image = displayed(change(specimen(5.0)))
    pattern = measure_noise_spectrum(image).missing_noise()
    whole = measure_noise_spectrum(add_pattern(image, pattern, MemoryStorage()))
    assert whole.filtered == 0
    assert 0.7 < whole.corner / whole.middle < 1.4


def test_the_pattern_is_that_of_the_place():
    image = np.zeros((1, 40, 50), np.float32)
    pattern = np.arange(6, dtype=np.float32).reshape(2, 3)
    added = add_pattern(image, pattern, MemoryStorage())
    assert np.array_equal(added[:, 7:9, 5:8][0], [[5, 3, 4], [2, 0, 1]])


def test_an_even_plane_and_a_tiny_one_lack_nothing():
    for image in (np.full((1, 128, 128), 0.3, np.float32), np.zeros((1, 20, 300), np.float32)):
        assert measure_noise_spectrum(image).filtered == 0


@pytest.mark.parametrize("name", ["median", "Gaussian"])
def test_radii_of_filtered_images_are_those_of_the_raw_ones(name):
    counts = specimen(5.0)
    raw, filtered = (
        estimate_defocus(image, imaging="microscopy", optics="none")
        for image in (counts, FILTERS[name](counts))
    )
    assert abs(np.median(raw.radius) - 5) < 1
    assert abs(np.median(filtered.radius) - np.median(raw.radius)) < 0.7
    assert filtered.confidence.mean() < raw.confidence.mean()
