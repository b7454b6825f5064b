"""Joint bilateral filter: it smooths maps within surfaces and not across their borders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.inference.storage import DiskStorage, MemoryStorage
from napari_defocus.pipeline.bilateral import smooth_surfaces

SHAPE = (160, 200)


def smooth(radius, confidence, radius_sigma=0.2, views=None):
    result = np.stack([radius, confidence])
    smooth_surfaces(
        result, painted(radius.shape) if views is None else views, MemoryStorage(), radius_sigma
    )
    return result[0]


def painted(shape, part=np.s_[:0, :]):
    """White, and a part green."""
    views = np.ones((3, *shape), np.float32)
    views[:, *part] = np.float32([0.2, 0.5, 0.1])[:, None, None]
    return views


def blotches(size):
    """Slow disturbances of a standard deviation in pixels."""
    cells = np.random.default_rng(0).normal(0, size, (SHAPE[0] // 20, SHAPE[1] // 20))
    return cells.repeat(20, axis=0).repeat(20, axis=1).astype(np.float32)


def confident(value=1.0):
    return np.full(SHAPE, value, np.float32)


@pytest.mark.parametrize("radius", [-10, 3, 10])
def test_slow_disturbances_on_a_surface_are_reduced(radius):
    result = smooth(radius + blotches(0.2), confident())
    assert np.abs(result - radius).mean() < 0.6 * np.abs(blotches(0.2)).mean()


def test_radii_that_differ_by_more_than_the_limit_are_kept():
    radius, colors = blotches(0.3), np.stack([blotches(1)] * 3)
    strict, generous = (
        np.abs(smooth(radius, confident(), radius_sigma, colors)).mean()
        for radius_sigma in (0.05, 0.4)
    )
    assert generous < 0.5 * np.abs(radius).mean()
    assert strict > 0.9 * np.abs(radius).mean()


def test_edges_in_depth_stay_sharp():
    radius = np.full(SHAPE, 2, np.float32)
    radius[:, 96:] = 6
    np.testing.assert_allclose(smooth(radius, confident()), radius, atol=0.01)


def test_slopes_are_kept():
    radius = np.tile(np.linspace(-6, 6, SHAPE[1], dtype=np.float32), (SHAPE[0], 1))
    assert np.abs(smooth(radius, confident()) - radius)[:, 20:-20].max() < 0.15


def test_fine_detail_is_kept():
    radius = np.full(SHAPE, 4, np.float32)
    radius[::2] += 0.3
    np.testing.assert_allclose(
        np.diff(smooth(radius, confident()), axis=0), np.diff(radius, axis=0), atol=1e-3
    )


def test_confident_radii_outweigh_uncertain_ones():
    radius, confidence = np.full(SHAPE, 4.0, np.float32), confident()
    radius[40:80, 40:80] = 4.5
    confidence[40:80, 40:80] = 0.05
    result = smooth(radius, confidence)
    assert result[56:64, 56:64].mean() < 4.2
    assert result[120:, 120:].mean() == pytest.approx(4, abs=0.01)


def test_uncertain_radii_follow_confident_ones_of_their_color():
    wall, patch = np.s_[:, :96], np.s_[64:96, 64:128]
    radius, confidence = np.full(SHAPE, 2, np.float32), confident()
    radius[wall] = 6
    radius[patch], confidence[patch] = 14, 0.05
    result = smooth(radius, confidence, views=painted(SHAPE, wall))
    assert np.abs(result[72:88, 72:88] - 6).max() < 0.5
    assert np.abs(result[72:88, 104:120] - 2).max() < 0.5
    of_one_color = smooth(radius, confidence)
    assert np.ptp(of_one_color[72:88, 72:120]) < 2


def test_confident_radii_do_not_follow_their_color():
    radius = np.full(SHAPE, 2, np.float32)
    radius[40:80, 40:80] = 9
    np.testing.assert_allclose(smooth(radius, confident(0.999)), radius, atol=0.02)


def test_patterns_of_the_image_do_not_appear_in_the_map():
    radius = 4 + blotches(0.05)
    stripes = painted(SHAPE, np.s_[np.arange(SHAPE[0]) // 8 % 2 == 0, :])
    np.testing.assert_allclose(
        smooth(radius, confident(0.9), views=stripes), smooth(radius, confident(0.9)), atol=0.03
    )


def test_two_views_count_as_their_mean():
    radius, confidence = 4 + blotches(1), confident(0.3)
    left, right = painted(SHAPE, np.s_[:, :90]), painted(SHAPE, np.s_[:, :110])
    both, mean = np.concatenate([left, right]), (left + right) / 2
    np.testing.assert_array_equal(
        smooth(radius, confidence, views=both), smooth(radius, confidence, views=mean)
    )


def test_large_maps_are_smoothed_equally_along_rows_and_columns():
    random = np.random.default_rng(0)
    cells = random.normal(4, 0.3, (264, 264)), random.uniform(0, 1, (264, 264))
    radius, confidence = (np.kron(c, np.ones((8, 8))).astype(np.float32) for c in cells)
    turned = smooth(radius.T.copy(), confidence.T.copy()).T
    np.testing.assert_allclose(smooth(radius, confidence), turned, atol=1e-4)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 30))
def test_maps_of_any_size_stay_non_negative(height, width, radius):
    radii = np.full((height, width), radius, np.float32)
    radii[: height // 2] *= 0.9
    result = smooth(radii, np.zeros_like(radii))
    assert result.shape == radii.shape
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert np.abs(result - radii).max() <= 0.11 * radius + 1e-3


def test_blocks_on_disk_give_the_result_of_the_whole(tmp_path):
    radius, confidence = np.abs(blotches(2)) + 1, np.clip(blotches(1), 0, 1)
    views = np.stack([blotches(0.01)] * 3)
    expected = smooth(radius, confidence, views=views)
    storage = DiskStorage(tmp_path, 64)
    estimate = storage.array((2, *SHAPE))
    estimate[:, :, :] = np.stack([radius, confidence])
    smooth_surfaces(estimate, views, storage, 0.2)
    np.testing.assert_allclose(estimate[0, :, :], expected, atol=1e-5)
    assert np.abs(expected - radius).max() > 0.1
