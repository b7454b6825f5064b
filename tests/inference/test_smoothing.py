"""Maps are evened out where their surroundings say nearly the same, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.inference.room import Room
from napari_defocus.inference.smoothing import even_out

SHAPE = (160, 200)


def evened(radius, confidence, alike=0.2):
    found = np.stack([radius, confidence])
    even_out(found, Room(), alike)
    return found[0]


def blotches(size):
    """Slow disturbances of a standard deviation in pixels."""
    cells = np.random.default_rng(0).normal(0, size, (SHAPE[0] // 20, SHAPE[1] // 20))
    return cells.repeat(20, axis=0).repeat(20, axis=1).astype(np.float32)


def sure(value=1.0):
    return np.full(SHAPE, value, np.float32)


@pytest.mark.parametrize("radius", [-10, 3, 10])
def test_blotches_on_a_surface_fade(radius):
    found = evened(radius + blotches(0.2), sure())
    assert np.abs(found - radius).mean() < 0.6 * np.abs(blotches(0.2)).mean()


def test_what_differs_more_than_what_counts_as_alike_is_left():
    radius = blotches(0.3)
    strict, generous = (np.abs(evened(radius, sure(), alike)).mean() for alike in (0.05, 0.4))
    assert generous < 0.5 * np.abs(radius).mean()
    assert strict > 0.9 * np.abs(radius).mean()


def test_edges_in_depth_stay_sharp():
    radius = np.full(SHAPE, 2, np.float32)
    radius[:, 96:] = 6
    np.testing.assert_allclose(evened(radius, sure()), radius, atol=0.01)


def test_slopes_stay_slopes():
    radius = np.tile(np.linspace(-6, 6, SHAPE[1], dtype=np.float32), (SHAPE[0], 1))
    assert np.abs(evened(radius, sure()) - radius)[:, 20:-20].max() < 0.15


def test_fine_detail_is_kept():
    radius = np.full(SHAPE, 4, np.float32)
    radius[::2] += 0.3
    np.testing.assert_allclose(
        np.diff(evened(radius, sure()), axis=0), np.diff(radius, axis=0), atol=1e-3
    )


def test_the_confident_decide():
    radius, confidence = np.full(SHAPE, 4.0, np.float32), sure()
    radius[40:80, 40:80] = 4.5
    confidence[40:80, 40:80] = 0.05
    found = evened(radius, confidence)
    assert found[56:64, 56:64].mean() < 4.2
    assert found[120:, 120:].mean() == pytest.approx(4, abs=0.01)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 30))
def test_any_size_and_never_below_zero(height, width, radius):
    radii = np.full((height, width), radius, np.float32)
    radii[: height // 2] *= 0.9
    found = evened(radii, np.zeros_like(radii))
    assert found.shape == radii.shape
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert np.abs(found - radii).max() <= 0.11 * radius + 1e-3
