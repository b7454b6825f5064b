"""Radii from two views are scaled to what one image shows, once for the whole plane."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.inference.storage import DiskStorage
from napari_defocus.pipeline.confidence import confidence_within
from napari_defocus.pipeline.disparity_scale import match_disparity_scale, max_pixels, radius_ratio

from .runs import plane_run
from .slopes import SlopeEstimator, ramp


def views(height, width, radius):
    """Two views whose slope says the radius."""
    return np.concatenate([ramp(height, width, radius)] * 2)


def found(height, width, radius, confidence=0.9):
    return np.stack([np.full((height, width), value, np.float32) for value in (radius, confidence)])


def scale(one, other):
    """Of radius and confidence to radius and confidence."""
    return radius_ratio(np.stack(one), np.stack(other))


def calibrated(estimate, seen, storage=None):
    run = plane_run(expected=max_pixels(estimate.shape), storage=storage)
    progress = list(match_disparity_scale(estimate, seen, SlopeEstimator(), run))
    assert run.meter.done == run.meter.expected
    return estimate, progress


@given(
    factor=st.floats(0.6, 1.9),
    radius=st.floats(3, 10),
    noise=st.floats(0, 0.2),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_common_factor_is_found(factor, radius, noise, seed):
    chance = np.random.default_rng(seed)
    one = radius * chance.uniform(0.8, 1.2, (300, 300)).astype(np.float32)
    other = factor * one * chance.normal(1, noise, one.shape).clip(0.1).astype(np.float32)
    sure = np.ones_like(one)
    told = scale((-one, sure), (other, sure))
    assert told == pytest.approx(factor, rel=0.12)


@given(factor=st.floats(0.5, 2.0), confidence=st.floats(0, 1), size=st.integers(1, 200))
def test_the_less_is_known_the_less_is_changed(factor, confidence, size):
    one = np.full((size, size), 3, np.float32)
    sure = np.full_like(one, confidence)
    told = scale((one, sure), (factor * one, sure))
    assert min(1, factor) - 1e-3 <= told <= max(1, factor) + 1e-3
    more = scale((np.tile(one, 2), np.tile(sure, 2)), (factor * np.tile(one, 2), np.tile(sure, 2)))
    assert abs(more - 1) >= abs(told - 1) - 1e-6


def test_what_is_in_focus_says_nothing():
    one, sure = np.full((64, 64), 0.3, np.float32), np.ones((64, 64), np.float32)
    assert scale((one, sure), (one * 4, sure)) == 1


def test_impossible_factors_are_not_believed():
    one, sure = np.full((400, 400), 4, np.float32), np.ones((400, 400), np.float32)
    assert scale((one, sure), (one * 6, sure)) <= 2
    assert scale((one, sure), (one / 6, sure)) >= 0.5


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("radius", [2.0, 6.0, 16.0])
def test_radii_are_scaled_and_keep_their_sign(radius, sign):
    estimate, _ = calibrated(found(512, 512, sign * radius), views(512, 512, 1.4 * radius))
    assert np.median(estimate[0]) == pytest.approx(sign * 1.4 * radius, rel=0.06)


def test_confidence_is_that_of_an_error_of_one_pixel_after_scaling():
    estimate, _ = calibrated(found(256, 256, 2.5, 0.8), views(256, 256, 4.0))
    assert estimate[0, 0, 0] > 3.5
    assert 0.4 < estimate[1, 0, 0] < 0.7


@pytest.mark.parametrize("seen", [2.5, 6.0])
def test_an_unusual_scale_lowers_the_confidence(seen):
    estimate, _ = calibrated(found(300, 300, 4.0, 0.8), views(300, 300, seen))
    factor = estimate[0, 150, 150] / 4
    assert estimate[1, 150, 150] < confidence_within(np.float32(0.8), 1 / factor) - 0.05


@pytest.mark.parametrize("estimate", [found(96, 96, 0.2), found(96, 96, 3.0, 0.0)])
def test_a_map_that_tells_nothing_is_left_as_it_is(estimate):
    after, progress = calibrated(estimate.copy(), views(96, 96, 5.0))
    np.testing.assert_array_equal(after, estimate)
    assert progress == []


def test_of_a_large_plane_the_part_that_tells_most_is_looked_at():
    """The left part alone is out of focus: it is what is calibrated by."""
    estimate, seen = found(900, 2400, 0.1), views(900, 2400, 20)
    estimate[0, :, :700], seen[..., :700] = 3.0, views(900, 700, 4.5)
    after, progress = calibrated(estimate, seen)
    assert after[0, 450, 300] == pytest.approx(4.5, rel=0.06)
    assert progress[-1].total <= 448 * 448 * (1 + 1 / 4 + 1 / 16 + 1 / 64)
    assert all(step.done <= step.total for step in progress)


@pytest.mark.parametrize("shape", [(448, 448), (449, 449), (460, 1000), (4, 2_000_000)])
def test_what_tells_most_is_looked_at_whatever_the_size(shape):
    """A stripe of 300 columns is out of focus, the rest is not: the part holds all of it."""
    height, width = shape
    estimate, seen = found(height, width, 0.1), views(height, width, 20)
    stripe = np.s_[..., width // 2 - 150 : width // 2 + 150]
    estimate[0][stripe], seen[stripe] = 3.0, views(height, 300, 4.5)
    after, _ = calibrated(estimate, seen)
    assert 3.4 < after[0, height // 2, width // 2] < 4.8


def test_blocks_in_files_are_scaled_alike(tmp_path):
    values, seen = found(300, 200, -2.0), views(300, 200, 3.0)
    expected, _ = calibrated(values.copy(), seen)
    storage = DiskStorage(tmp_path, 64)
    store = storage.array(values.shape)
    store[:, 0:300, 0:200] = values
    calibrated(store, seen, storage)
    np.testing.assert_allclose(store[:, 0:300, 0:200], expected, rtol=1e-6)
