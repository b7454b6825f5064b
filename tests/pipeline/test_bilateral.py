"""Maps are evened out where they belong to one surface, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.inference.storage import MemoryStorage
from napari_defocus.pipeline.bilateral import smooth_surfaces

SHAPE = (160, 200)


def evened(radius, confidence, alike=0.2, views=None):
    found = np.stack([radius, confidence])
    smooth_surfaces(
        found, painted(radius.shape) if views is None else views, MemoryStorage(), alike
    )
    return found[0]


def painted(shape, part=np.s_[:0, :]):
    """White, and a part green."""
    views = np.ones((3, *shape), np.float32)
    views[:, *part] = np.float32([0.2, 0.5, 0.1])[:, None, None]
    return views


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
    radius, of_many_colors = blotches(0.3), np.stack([blotches(1)] * 3)
    strict, generous = (
        np.abs(evened(radius, sure(), alike, of_many_colors)).mean() for alike in (0.05, 0.4)
    )
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


def test_what_is_in_doubt_learns_from_what_has_its_color():
    wall, guessed = np.s_[:, :96], np.s_[64:96, 64:128]
    radius, confidence = np.full(SHAPE, 2, np.float32), sure()
    radius[wall] = 6
    radius[guessed], confidence[guessed] = 14, 0.05
    found = evened(radius, confidence, views=painted(SHAPE, wall))
    assert np.abs(found[72:88, 72:88] - 6).max() < 0.5
    assert np.abs(found[72:88, 104:120] - 2).max() < 0.5
    of_one_color = evened(radius, confidence)
    assert np.ptp(of_one_color[72:88, 72:120]) < 2


def test_what_is_sure_takes_nothing_from_its_color():
    radius = np.full(SHAPE, 2, np.float32)
    radius[40:80, 40:80] = 9
    np.testing.assert_allclose(evened(radius, sure(0.999)), radius, atol=0.02)


def test_pictures_are_not_printed_on_maps():
    radius = 4 + blotches(0.05)
    stripes = painted(SHAPE, np.s_[np.arange(SHAPE[0]) // 8 % 2 == 0, :])
    np.testing.assert_allclose(
        evened(radius, sure(0.9), views=stripes), evened(radius, sure(0.9)), atol=0.03
    )


def test_two_views_are_seen_as_their_mean():
    radius, confidence = 4 + blotches(1), sure(0.3)
    left, right = painted(SHAPE, np.s_[:, :90]), painted(SHAPE, np.s_[:, :110])
    both, mean = np.concatenate([left, right]), (left + right) / 2
    np.testing.assert_array_equal(
        evened(radius, confidence, views=both), evened(radius, confidence, views=mean)
    )


def test_large_maps_are_evened_as_if_at_once():
    random = np.random.default_rng(0)
    cells = random.normal(4, 0.3, (264, 264)), random.uniform(0, 1, (264, 264))
    radius, confidence = (np.kron(c, np.ones((8, 8))).astype(np.float32) for c in cells)
    turned = evened(radius.T.copy(), confidence.T.copy()).T
    np.testing.assert_allclose(evened(radius, confidence), turned, atol=1e-4)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 30))
def test_any_size_and_never_below_zero(height, width, radius):
    radii = np.full((height, width), radius, np.float32)
    radii[: height // 2] *= 0.9
    found = evened(radii, np.zeros_like(radii))
    assert found.shape == radii.shape
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert np.abs(found - radii).max() <= 0.11 * radius + 1e-3
