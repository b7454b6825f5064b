"""Measures of restored micrographs, on images with a known answer."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from training.evaluation.microscopy.measures import (
    aperture_sums,
    correlation_by_frequency,
    count_spots,
    deepest_ring,
    flicker,
    overlap,
    psnr,
    ring_correlation,
    sharpness,
)

SPOT = np.array([[32.0, 30.0]])


@pytest.fixture
def noise():
    return np.random.default_rng(0).standard_normal((64, 64))


@pytest.fixture
def spot():
    rows, columns = np.indices((64, 64))
    return 10 + 90 * np.exp(-((rows - 32) ** 2 + (columns - 30) ** 2) / (2 * 1.5**2))


def test_error_of_a_tenth_of_the_range_is_twenty_decibels(spot):
    assert psnr(spot + 0.1 * np.ptp(spot), spot) == pytest.approx(20)


def test_rings_correlate_as_far_as_the_images_share_frequencies(noise):
    other = np.random.default_rng(1).standard_normal(noise.shape)
    rings = correlation_by_frequency(gaussian_filter(noise, 2) + 0.01 * other, noise)
    assert rings[:5].min() > 0.95
    assert abs(rings[-5:].mean()) < 0.2
    assert ring_correlation(noise, noise) == pytest.approx(1)


def test_same_halves_overlap_wholly_and_opposite_ones_not(spot):
    assert overlap(spot, spot) == 1
    assert overlap(-spot, spot) < 0.1


def test_spots_are_counted_and_an_even_background_has_none(spot):
    assert count_spots(spot, 0, 100) == 1
    assert count_spots(np.full((64, 64), 50.0), 0, 100) == 0


def test_light_of_a_spot_is_that_above_its_ground(spot):
    assert aperture_sums(spot, SPOT, 6) == pytest.approx([90 * 2 * np.pi * 1.5**2], rel=0.01)


def test_rings_are_dips_beside_a_spot(spot):
    assert deepest_ring(spot, spot, SPOT, 6) == 0
    rows, columns = np.indices(spot.shape)
    beside = np.abs(np.hypot(rows - 32, columns - 30) - 6) < 1.5
    assert deepest_ring(spot - 9 * beside, spot, SPOT, 6) == pytest.approx(0.1, abs=0.06)


def test_flicker_is_the_deviation_over_time(noise):
    frames = np.stack([noise, noise + 2])
    assert flicker(frames) == pytest.approx(np.sqrt(2))
    assert flicker(np.stack([noise, noise])) == 0


def test_blur_lowers_the_normalized_variance(spot):
    assert sharpness(gaussian_filter(spot, 3)) < sharpness(spot)
