"""Pixels in doubt take the radius of what has their color close by; sure ones stay."""

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
    """A radius of -3 px left of an edge, white, and of 6 px right of it, green; all sure."""
    radius = np.full(SHAPE, -3, np.float32)
    radius[:, EDGE:] = 6
    views = np.broadcast_to(WHITE[:, None, None], (3, *SHAPE)).copy()
    views[:, :, EDGE:] = GREEN[:, None, None]
    return radius, np.ones(SHAPE, np.float32), views


def filled(radius, confidence, views, storage=None):
    found = np.stack([radius, confidence])
    fill_uncertain(found, views, storage or MemoryStorage(), radius_sigma=0.03)
    np.testing.assert_array_equal(found[1], confidence)
    return found[0]


def test_teeth_beside_an_edge_take_the_side_of_their_color():
    wanted, confidence, views = scene()
    radius = wanted.copy()
    tooth = np.s_[40:46, EDGE : EDGE + 4]
    radius[tooth], confidence[tooth] = -3, 0.05
    found = filled(radius, confidence, views)
    np.testing.assert_allclose(found[41:45, EDGE + 1 : EDGE + 3], 6, atol=0.1)
    np.testing.assert_allclose(found[:, : EDGE - 2], -3, atol=1e-3)


def test_specks_of_other_radii_fade():
    radius, confidence, views = scene()
    speck = np.s_[20:26, 20:26]
    radius[speck], confidence[speck] = -6, 0.2
    seen = upsample(np.stack([radius, confidence])[:, ::2, ::2], 2, SHAPE)
    before, after = (np.abs(found[:, : EDGE - 2] + 3) for found in (seen[0], filled(*seen, views)))
    assert after.max() < 0.25 * before.max()
    assert after.sum() < 0.25 * before.sum()


@given(st.integers(0, 99))
def test_what_is_sure_stays(seed):
    rng = np.random.default_rng(seed)
    radius = rng.normal(0, 4, SHAPE).astype(np.float32)
    confidence = rng.uniform(0.9, 1, SHAPE).astype(np.float32)
    views = rng.uniform(0, 1, (6, *SHAPE)).astype(np.float32)
    np.testing.assert_array_equal(filled(radius, confidence, views), radius)


def test_where_nothing_close_by_is_sure_of_that_color_the_radius_stays():
    radius, confidence, views = scene()
    patch = np.s_[30:60, 20:50]
    radius[patch], confidence[patch] = 2, 0
    views[:, *patch] = np.float32([0.9, 0.1, 0.1])[:, None, None]
    np.testing.assert_allclose(filled(radius, confidence, views)[patch], 2, atol=0.01)


def test_no_radius_moves_farther_than_radii_lie_apart():
    rng = np.random.default_rng(3)
    radius = rng.uniform(-5, 5, SHAPE).astype(np.float32)
    confidence = rng.uniform(0, 1, SHAPE).astype(np.float32)
    views = np.ones((1, *SHAPE), np.float32)
    assert 0 < np.abs(filled(radius, confidence, views) - radius).max() <= np.ptp(radius)


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (33, 41)])
def test_planes_of_any_size_are_filled(shape):
    radius, confidence = np.full(shape, 4, np.float32), np.full(shape, 0.5, np.float32)
    found = filled(radius, confidence, np.ones((1, *shape), np.float32))
    np.testing.assert_allclose(found, 4, atol=1e-5)


def test_gray_is_three_equal_channels():
    radius, confidence, views = scene()
    confidence[:, EDGE - 6 : EDGE + 6] = 0.3
    radius[:, EDGE - 6 : EDGE + 6] = np.linspace(-3, 6, 12, dtype=np.float32)
    gray = views[1:2]
    np.testing.assert_allclose(
        filled(radius, confidence, gray),
        filled(radius, confidence, np.repeat(gray, 3, axis=0)),
        atol=1e-5,
    )


def test_blocks_are_filled_as_the_whole_is(tmp_path):
    rng = np.random.default_rng(0)
    radius = np.repeat(np.repeat(rng.normal(0, 4, (24, 30)), 4, 0), 4, 1).astype(np.float32)
    confidence = rng.uniform(0, 1, SHAPE).astype(np.float32)
    views = np.repeat(np.repeat(rng.uniform(0, 1, (3, 12, 15)), 8, 1), 8, 2).astype(np.float32)
    by_blocks = filled(radius, confidence, views, DiskStorage(tmp_path, 32))
    np.testing.assert_allclose(by_blocks, filled(radius, confidence, views), atol=1e-6)
