"""Deblurring at the levels that suit the radii."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_defocus.inference.storage import DiskStorage
from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.pipeline.deblur_levels import deblur_at_levels

from .runs import drain_steps, levels_of, plane_run
from .slopes import mean_around


class StepDeblur(nn.Module):
    """Adds 0.1 where the radius is below 24 pixels, and 0.9 elsewhere."""

    descriptor = Descriptor("deblur", receptive_radius=1, multiple=8)

    def forward(self, x):
        return x[:, :3] + torch.where(x[:, 3:4] < 24, 0.1, 0.9)


def change_of_gray(radius, downscale="auto", needed=None, expected=1):
    shape = radius.shape
    run = plane_run(downscale, expected)
    levels = levels_of(np.full((3, *shape), 0.5, np.float32), run)
    estimate = np.stack([radius, np.ones(shape)]).astype(np.float32)
    needed = np.ones(shape, bool) if needed is None else needed
    return drain_steps(deblur_at_levels(StepDeblur(), levels, estimate, needed, run))


def test_every_pixel_is_deblurred_at_a_level_where_its_radius_is_small():
    radius = np.broadcast_to(np.linspace(0, 80, 640), (512, 640))
    change, _ = change_of_gray(radius)
    np.testing.assert_allclose(change, 0.1, atol=1e-4)
    spoiled, _ = change_of_gray(radius, downscale=1)
    assert spoiled.max() == pytest.approx(0.9)


def test_nothing_changes_where_it_is_not_needed():
    needed = np.zeros((512, 640), bool)
    needed[:, :100] = True
    change, _ = change_of_gray(np.full((512, 640), 5.0), needed=needed)
    np.testing.assert_allclose(change[:, needed], 0.1, atol=1e-5)
    assert not change[:, ~needed].any()


def test_the_change_is_complete_up_to_a_hard_edge_of_the_needed_pixels():
    needed = np.zeros((256, 320), bool)
    needed[50:101, 60:163] = True
    change, _ = change_of_gray(np.full((256, 320), 30.0), downscale=4, needed=needed)
    np.testing.assert_allclose(change[:, needed], 0.1, atol=1e-5)


def test_progress_rises_to_the_expected_work():
    radius = np.full((512, 640), 30.0)
    radius[:, :320] = 12.0
    _, steps = change_of_gray(radius, expected=512 * 640)
    done, totals = zip(*((step.done, step.total) for step in steps), strict=True)
    assert list(done) == sorted(done)
    assert done[-1] == totals[-1] == 256 * 320 + 128 * 160


class Sharper(nn.Module):
    """Adds the difference to the mean of 20 pixels around."""

    descriptor = Descriptor("deblur", receptive_radius=20, multiple=8)

    def forward(self, x):
        return 2 * x[:, :3] - mean_around(x[:, :3])


@pytest.mark.parametrize("downscale", ["auto", 1, 2])
def test_changes_block_by_block_agree_with_the_whole(tmp_path, downscale):
    shape = (331, 404)
    image = np.random.default_rng(0).random((3, *shape), np.float32)
    radius = np.broadcast_to(np.linspace(0, 60, 404, dtype=np.float32), shape)
    estimate, needed = np.stack([radius, np.ones_like(radius)]), radius > 1
    needed[150:] = False

    def change(storage=None):
        run = plane_run(downscale, storage=storage)
        levels = levels_of(image, run)
        return drain_steps(deblur_at_levels(Sharper(), levels, estimate, needed, run))[0]

    np.testing.assert_allclose(change(DiskStorage(tmp_path, 128)), change(), atol=1e-4)
