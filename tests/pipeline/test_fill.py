"""Filling of uncertain pixels with the radius of confident ones of their color nearby."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.inference.resample import upsample
from napari_defocus.inference.storage import DiskStorage, MemoryStorage
from napari_defocus.pipeline.fill import fill_uncertain

SHAPE = (96, 120)
EDGE = 60
WHITE, GREEN = np.float32([1, 1, 1]), np.float32([0.2, 0.5, 0.1])


def scene():
    """A radius of -3 px left of an edge, white, and of 6 px right of it, green; all confident."""
    radius = np.full(SHAPE, -3, np.float32)
    radius[:, EDGE:] = 6
    views = np.broadcast_to(WHITE[:, None, None], (3, *SHAPE)).copy()
    views[:, :, EDGE:] = GREEN[:, None, None]
    return radius, np.ones(SHAPE, np.float32), views


def fill(radius, confidence, views, storage=None):
    result = np.stack([radius, confidence])
    fill_uncertain(result, views, storage or MemoryStorage(), radius_sigma=0.03)
    np.testing.assert_array_equal(result[1], confidence)
    return result[0]


def test_uncertain_pixels_beside_an_edge_take_the_radius_of_their_color():
    expected, confidence, views = scene()
    radius = expected.copy()
    tooth = np.s_[40:46, EDGE : EDGE + 4]
    radius[tooth], confidence[tooth] = -3, 0.05
    result = fill(radius, confidence, views)
    np.testing.assert_allclose(result[41:45, EDGE + 1 : EDGE + 3], 6, atol=0.1)
    np.testing.assert_allclose(result[:, : EDGE - 2], -3, atol=1e-3)


def test_small_uncertain_spots_of_another_radius_fade():
    radius, confidence, views = scene()
    speck = np.s_[20:26, 20:26]
    radius[speck], confidence[speck] = -6, 0.2
    mixed = upsample(np.stack([radius, confidence])[:, ::2, ::2], 2, SHAPE)
    before, after = (
        np.abs(result[:, : EDGE - 2] + 3) for result in (mixed[0], fill(*mixed, views))
    )
    assert after.max() < 0.25 * before.max()
    assert after.sum() < 0.25 * before.sum()


@given(st.integers(0, 99))
def test_confident_radii_do_not_change(seed):
    rng = np.random.default_rng(seed)
    radius = rng.normal(0, 4, SHAPE).astype(np.float32)
    confidence = rng.uniform(0.9, 1, SHAPE).astype(np.float32)
    views = rng.uniform(0, 1, (6, *SHAPE)).astype(np.float32)
    np.testing.assert_array_equal(fill(radius, confidence, views), radius)


def test_a_radius_stays_without_confident_pixels_of_its_color_nearby():
    radius, confidence, views = scene()
    patch = np.s_[30:60, 20:50]
    radius[patch], confidence[patch] = 2, 0
    views[:, *patch] = np.float32([0.9, 0.1, 0.1])[:, None, None]
    np.testing.assert_allclose(fill(radius, confidence, views)[patch], 2, atol=0.01)


def test_changes_are_smaller_than_the_range_of_radii():
    rng = np.random.default_rng(3)
    radius = rng.uniform(-5, 5, SHAPE).astype(np.float32)
    confidence = rng.uniform(0, 1, SHAPE).astype(np.float32)
    views = np.ones((1, *SHAPE), np.float32)
    assert 0 < np.abs(fill(radius, confidence, views) - radius).max() <= np.ptp(radius)


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (33, 41)])
def test_planes_of_any_size_are_filled(shape):
    radius, confidence = np.full(shape, 4, np.float32), np.full(shape, 0.5, np.float32)
    result = fill(radius, confidence, np.ones((1, *shape), np.float32))
    np.testing.assert_allclose(result, 4, atol=1e-5)


def test_a_gray_image_equals_three_equal_channels():
    radius, confidence, views = scene()
    confidence[:, EDGE - 6 : EDGE + 6] = 0.3
    radius[:, EDGE - 6 : EDGE + 6] = np.linspace(-3, 6, 12, dtype=np.float32)
    gray = views[1:2]
    np.testing.assert_allclose(
        fill(radius, confidence, gray),
        fill(radius, confidence, np.repeat(gray, 3, axis=0)),
        atol=1e-5,
    )


def test_filling_by_blocks_equals_filling_the_whole(tmp_path):
    rng = np.random.default_rng(0)
    radius = np.repeat(np.repeat(rng.normal(0, 4, (24, 30)), 4, 0), 4, 1).astype(np.float32)
    confidence = rng.uniform(0, 1, SHAPE).astype(np.float32)
    views = np.repeat(np.repeat(rng.uniform(0, 1, (3, 12, 15)), 8, 1), 8, 2).astype(np.float32)
    by_blocks = fill(radius, confidence, views, DiskStorage(tmp_path, 32))
    np.testing.assert_allclose(by_blocks, fill(radius, confidence, views), atol=1e-6)
