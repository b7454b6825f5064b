"""Shipped models for microscopy: they preserve intensities and positions, and invent nothing."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_defocus import deblur, reblur

OFFSET, PEAK, RADIUS = 100, 300, 3.0


@pytest.fixture(scope="module")
def sharp():
    """Return the expected photons of cells with spots; the lower third is empty."""
    rng = np.random.default_rng(3)
    cells = gaussian_filter(rng.standard_normal((144, 128)), 9)
    points = gaussian_filter((rng.random(cells.shape) > 0.99).astype(float), 1)
    light = 0.3 * np.clip(cells / cells.max(), 0, 1) + points / points.max()
    light[96:] = 0
    return (PEAK * light / light.max() + 2).astype(np.float32)


@pytest.fixture(scope="module")
def expected(sharp):
    radius = np.full(sharp.shape, RADIUS, np.float32)
    return reblur(sharp, radius, encoding="linear")


@pytest.fixture
def image(expected):
    return count_photons(expected, 0)


@pytest.fixture
def restored(image):
    return deblur(image, np.full(image.shape, RADIUS, np.float32))


def count_photons(light, seed):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(light) + rng.normal(0, 1.5, light.shape)
    return np.rint(OFFSET + counts).astype(np.uint16)


def error(image, truth):
    return np.sqrt(np.mean((image.astype(float) - truth) ** 2))


def test_deblurring_by_the_true_radius_reduces_the_error(image, restored, sharp):
    assert error(restored, OFFSET + sharp) < 0.85 * error(image, OFFSET + sharp)


def test_total_intensity_is_preserved(image, restored):
    light = (image.astype(float) - OFFSET).sum()
    assert (restored.astype(float) - OFFSET).sum() == pytest.approx(light, rel=0.01)


def test_doubling_the_input_doubles_the_result(image):
    image = image.astype(np.float32)
    assert deblur(2 * image) == pytest.approx(2 * deblur(image), rel=0.01)


def test_an_offset_is_preserved(image):
    brighter = deblur(image + np.uint16(1000)).astype(int)
    assert np.abs(brighter - 1000 - deblur(image)).max() <= 1


def test_no_result_is_darker_than_the_darkest_value(image):
    for offset in (image, image.astype(np.float32) - image.min()):
        assert deblur(offset).min() >= offset.min()


def test_an_empty_background_stays_empty(image):
    background = np.s_[112:]
    restored = deblur(image)[background].astype(float)
    assert restored.mean() == pytest.approx(image[background].mean(), abs=0.005 * np.ptp(image))
    assert restored.std() <= 1.02 * image[background].std()


def test_a_static_scene_does_not_flicker_more_than_its_noise(expected):
    series = np.stack([count_photons(expected, seed) for seed in range(5)])
    assert deblur(series).std(axis=0).mean() <= series.std(axis=0).mean()
