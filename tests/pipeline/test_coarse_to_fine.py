"""Coarse-to-fine estimation of a defocus map."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_defocus.inference.storage import DiskStorage
from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.pipeline.coarse_to_fine import estimate_coarse_to_fine

from .runs import drain_steps, levels_of, plane_run
from .slopes import SlopeEstimator, mean_around, ramp


def estimate(network, image, downscale="auto", storage=None):
    run = plane_run(downscale, storage=storage)
    return drain_steps(estimate_coarse_to_fine(network, levels_of(image, run), run))[0]


def test_small_radii_come_from_full_size_alone():
    image = ramp(300, 400, 1.5)
    np.testing.assert_array_equal(
        estimate(SlopeEstimator(), image), estimate(SlopeEstimator(), image, 1)
    )


def test_large_radii_come_from_coarse_levels():
    image = ramp(600, 900, 40)
    assert estimate(SlopeEstimator(), image, 1)[0].max() <= 24.001
    radius, confidence = estimate(SlopeEstimator(), image)
    assert radius.shape == confidence.shape == (600, 900)
    assert np.median(radius) == pytest.approx(40, rel=0.15)


class Refining(nn.Module):
    """Returns the coarser level's radius and a quarter of a pixel more."""

    descriptor = Descriptor("single", receptive_radius=8, multiple=8)

    def forward(self, x):
        return torch.stack([x[:, 3] + 0.25, 0.5 + 0.5 * x[:, 4]], 1)


def test_each_level_refines_the_coarser_estimate():
    image = np.zeros((3, 256, 256), np.float32)
    radius, confidence = estimate(Refining(), image)
    np.testing.assert_allclose(radius, (0.25 * 2 + 0.25) * 2 + 0.25, rtol=1e-5)
    np.testing.assert_allclose(confidence, 0.875)
    np.testing.assert_allclose(estimate(Refining(), image, 4)[0], 0.25 * 4, rtol=1e-5)


class Texture(nn.Module):
    """Takes detail for sharp; takes flat ground for blurred, with a fixed confidence."""

    descriptor = Descriptor("single", receptive_radius=8, multiple=8)

    def __init__(self, confidence):
        super().__init__()
        self.confidence = confidence

    def forward(self, x):
        detail = (x[:, 0] < 0.1) | (x[:, 0] > 0.9)
        radius = torch.where(detail, 0.5, torch.where(x[:, 3] > 0, x[:, 3], 8.0))
        return torch.stack([radius, torch.where(detail, 0.95, self.confidence)], 1)


@pytest.mark.parametrize(("confidence", "radius"), [(0.5, 0.5), (0.99999, 64)])
def test_fine_texture_lost_at_coarse_levels_is_sharp_unless_blur_is_certain(confidence, radius):
    rows, columns = np.indices((512, 512))
    image = np.repeat(((rows + columns) % 2).astype(np.float32)[None], 3, 0)
    np.testing.assert_allclose(estimate(Texture(confidence), image)[0], radius, rtol=1e-5)


def test_the_coarsest_level_is_a_sixteenth():
    image = np.full((3, 2048, 2048), 0.5, np.float32)
    np.testing.assert_allclose(estimate(Texture(1.0), image)[0], 8 * 16, rtol=1e-5)


def test_a_downscale_option_is_one_level_alone():
    image = ramp(256, 256, 40)
    assert np.median(estimate(SlopeEstimator(), image, 2)[0]) == pytest.approx(40, rel=0.15)
    assert np.median(estimate(SlopeEstimator(), image, 1)[0]) == pytest.approx(24, rel=0.01)


def test_progress_rises_to_the_expected_work():
    run = plane_run(expected=600 * 900)
    steps = estimate_coarse_to_fine(SlopeEstimator(), levels_of(ramp(600, 900, 4), run), run)
    _, progress = drain_steps(steps)
    assert [step.done for step in progress] == sorted(step.done for step in progress)
    assert all(step.done <= step.total for step in progress)
    assert progress[-1].done == progress[-1].total


class Blur(nn.Module):
    """Measures how much a pixel differs from its surroundings, 20 pixels around."""

    descriptor = Descriptor("single", receptive_radius=20, multiple=8)

    def forward(self, x):
        around = mean_around(x[:, :3])
        apart = (x[:, :3] - around).abs().mean(1)
        return torch.stack([4 * apart + 0.5 * x[:, 3], 1 - apart], 1)


@pytest.mark.parametrize("downscale", ["auto", 1, 3])
def test_estimates_block_by_block_agree_with_the_whole(tmp_path, downscale):
    image = np.random.default_rng(0).random((3, 331, 404), np.float32)
    image[:, 100:, 200:] *= 0.3
    whole = estimate(Blur(), image, downscale)
    blocks = estimate(Blur(), image, downscale, DiskStorage(tmp_path, 128))
    np.testing.assert_allclose(blocks, whole, atol=1e-4)
