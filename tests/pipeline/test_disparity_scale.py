"""Scaling of radii from two views to those that one image shows."""

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
    """Return two views whose slope encodes the radius."""
    return np.concatenate([ramp(height, width, radius)] * 2)


def uniform_estimate(height, width, radius, confidence=0.9):
    return np.stack([np.full((height, width), value, np.float32) for value in (radius, confidence)])


def ratio_of(one, other):
    """Return the ratio of radii, each with its confidence."""
    return radius_ratio(np.stack(one), np.stack(other))


def match_scale(estimate, images, storage=None):
    run = plane_run(expected=max_pixels(estimate.shape), storage=storage)
    progress = list(match_disparity_scale(estimate, images, SlopeEstimator(), run))
    assert run.meter.done == run.meter.total
    return estimate, progress


@given(
    factor=st.floats(0.6, 1.9),
    radius=st.floats(3, 10),
    noise=st.floats(0, 0.2),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_ratio_of_proportional_radii_is_their_factor(factor, radius, noise, seed):
    rng = np.random.default_rng(seed)
    one = radius * rng.uniform(0.8, 1.2, (300, 300)).astype(np.float32)
    other = factor * one * rng.normal(1, noise, one.shape).clip(0.1).astype(np.float32)
    sure = np.ones_like(one)
    ratio = ratio_of((-one, sure), (other, sure))
    assert ratio == pytest.approx(factor, rel=0.12)


@given(factor=st.floats(0.5, 2.0), confidence=st.floats(0, 1), size=st.integers(1, 200))
def test_the_ratio_is_closer_to_one_for_fewer_or_less_confident_pixels(factor, confidence, size):
    one = np.full((size, size), 3, np.float32)
    sure = np.full_like(one, confidence)
    ratio = ratio_of((one, sure), (factor * one, sure))
    assert min(1, factor) - 1e-3 <= ratio <= max(1, factor) + 1e-3
    more = ratio_of(
        (np.tile(one, 2), np.tile(sure, 2)), (factor * np.tile(one, 2), np.tile(sure, 2))
    )
    assert abs(more - 1) >= abs(ratio - 1) - 1e-6


def test_the_ratio_in_focus_is_one():
    one, sure = np.full((64, 64), 0.3, np.float32), np.ones((64, 64), np.float32)
    assert ratio_of((one, sure), (one * 4, sure)) == 1


def test_the_ratio_is_limited():
    one, sure = np.full((400, 400), 4, np.float32), np.ones((400, 400), np.float32)
    assert ratio_of((one, sure), (one * 6, sure)) <= 2
    assert ratio_of((one, sure), (one / 6, sure)) >= 0.5


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("radius", [2.0, 6.0, 16.0])
def test_radii_are_scaled_and_keep_their_sign(radius, sign):
    estimate, _ = match_scale(
        uniform_estimate(512, 512, sign * radius), views(512, 512, 1.4 * radius)
    )
    assert np.median(estimate[0]) == pytest.approx(sign * 1.4 * radius, rel=0.06)


def test_confidence_refers_to_one_pixel_after_scaling():
    estimate, _ = match_scale(uniform_estimate(256, 256, 2.5, 0.8), views(256, 256, 4.0))
    assert estimate[0, 0, 0] > 3.5
    assert 0.4 < estimate[1, 0, 0] < 0.7


@pytest.mark.parametrize("single_radius", [2.5, 6.0])
def test_an_unusual_scale_lowers_the_confidence(single_radius):
    estimate, _ = match_scale(uniform_estimate(300, 300, 4.0, 0.8), views(300, 300, single_radius))
    factor = estimate[0, 150, 150] / 4
    assert estimate[1, 150, 150] < confidence_within(np.float32(0.8), 1 / factor) - 0.05


@pytest.mark.parametrize(
    "estimate", [uniform_estimate(96, 96, 0.2), uniform_estimate(96, 96, 3.0, 0.0)]
)
def test_a_map_without_confident_blur_does_not_change(estimate):
    after, progress = match_scale(estimate.copy(), views(96, 96, 5.0))
    np.testing.assert_array_equal(after, estimate)
    assert progress == []


def test_the_most_blurred_part_of_a_large_plane_sets_the_scale():
    """Only the left part is out of focus, so the scale follows it."""
    estimate, images = uniform_estimate(900, 2400, 0.1), views(900, 2400, 20)
    estimate[0, :, :700], images[..., :700] = 3.0, views(900, 700, 4.5)
    after, progress = match_scale(estimate, images)
    assert after[0, 450, 300] == pytest.approx(4.5, rel=0.06)
    assert progress[-1].total <= 448 * 448 * (1 + 1 / 4 + 1 / 16 + 1 / 64)
    assert all(step.done <= step.total for step in progress)


@pytest.mark.parametrize("shape", [(448, 448), (449, 449), (460, 1000), (4, 2_000_000)])
def test_the_most_blurred_part_sets_the_scale_at_any_size(shape):
    """Only a stripe of 300 columns is out of focus."""
    height, width = shape
    estimate, images = uniform_estimate(height, width, 0.1), views(height, width, 20)
    stripe = np.s_[..., width // 2 - 150 : width // 2 + 150]
    estimate[0][stripe], images[stripe] = 3.0, views(height, 300, 4.5)
    after, _ = match_scale(estimate, images)
    assert 3.4 < after[0, height // 2, width // 2] < 4.8


def test_estimates_in_files_are_scaled_equally(tmp_path):
    values, images = uniform_estimate(300, 200, -2.0), views(300, 200, 3.0)
    expected, _ = match_scale(values.copy(), images)
    storage = DiskStorage(tmp_path, 64)
    store = storage.array(values.shape)
    store[:, 0:300, 0:200] = values
    match_scale(store, images, storage)
    np.testing.assert_allclose(store[:, 0:300, 0:200], expected, rtol=1e-6)
