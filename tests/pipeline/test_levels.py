"""Radii beyond what a network knows: scales are chosen, aligned, and blended."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from napari_defocus.errors import OptionError
from napari_defocus.inference.storage import DiskStorage, MemoryStorage
from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.options import Options
from napari_defocus.pipeline.coarse_to_fine import estimate_coarse_to_fine
from napari_defocus.pipeline.deblur_levels import deblur_at_levels
from napari_defocus.pipeline.levels import check_downscale, choose_downscale
from napari_defocus.pipeline.progress import ProgressMeter

from .slopes import SlopeEstimator, ramp

CPU = Options(device="cpu")


class StepDeblur(nn.Module):
    """Adds 0.1 where it knows the radius, and spoils the rest."""

    descriptor = Descriptor("deblur", receptive_radius=1, multiple=8)

    def forward(self, x):
        return x[:, :3] + torch.where(x[:, 3:4] < 24, 0.1, 0.9)


def drain(steps):
    progress = []
    while True:
        try:
            progress.append(next(steps))
        except StopIteration as stop:
            return stop.value, progress


@pytest.mark.parametrize("scale", [0, -1, 1.5, "half", None, True, np.arange(2)])
def test_impossible_scales_are_refused(scale):
    with pytest.raises(OptionError, match="scale is"):
        check_downscale(scale)


@pytest.mark.parametrize("scale", [1, np.int64(4), "auto"])
def test_possible_scales_are_taken(scale):
    checked = check_downscale(scale)
    assert checked == scale
    assert isinstance(checked, int | str)


@given(st.floats(0.1, 400), st.floats(8, 32))
def test_scale_brings_radii_to_what_is_known(radius, limit):
    scale = choose_downscale(np.full((9, 9), radius), np.ones((9, 9)), limit)
    assert radius / scale <= limit / 3
    assert scale == 1 or radius / (scale // 2) > limit / 3


def test_scale_follows_the_confident_and_not_the_few():
    radius = np.ones((100, 100))
    radius[:20] = 90
    confidence = np.where(radius > 1, 0, 1)
    assert choose_downscale(radius, confidence, 24) == 1
    assert choose_downscale(radius, np.ones_like(radius), 24) == 16
    assert choose_downscale(-radius, np.ones_like(radius), 24) == 16
    radius[:] = 1
    radius[0, :30] = 90
    assert choose_downscale(radius, np.ones_like(radius), 24) == 1
    assert choose_downscale(radius, np.zeros_like(radius), 24) == 1


def test_small_radii_are_taken_from_full_scale_alone():
    image = ramp(300, 400, 1.5)
    wanted, _ = drain(
        estimate_coarse_to_fine(
            SlopeEstimator(), image, CPU, 1, ProgressMeter(300 * 400), MemoryStorage()
        )
    )
    found, _ = drain(
        estimate_coarse_to_fine(
            SlopeEstimator(), image, CPU, "auto", ProgressMeter(1), MemoryStorage()
        )
    )
    np.testing.assert_array_equal(found, wanted)


def test_large_radii_are_found_on_coarse_levels():
    image = ramp(600, 900, 40)
    fine, _ = drain(
        estimate_coarse_to_fine(SlopeEstimator(), image, CPU, 1, ProgressMeter(1), MemoryStorage())
    )
    found, _ = drain(
        estimate_coarse_to_fine(
            SlopeEstimator(), image, CPU, "auto", ProgressMeter(1), MemoryStorage()
        )
    )
    assert fine[0].max() <= 24.001
    assert found.shape == (2, 600, 900)
    assert np.median(found[0]) == pytest.approx(40, rel=0.15)


class Refining(nn.Module):
    """Says that the radius is what a coarser look has found, and a quarter of a pixel more."""

    descriptor = Descriptor("single", receptive_radius=8, multiple=8)

    def forward(self, x):
        return torch.stack([x[:, 3] + 0.25, 0.5 + 0.5 * x[:, 4]], 1)


def test_a_look_refines_what_the_coarser_one_has_found():
    image = np.zeros((3, 256, 256), np.float32)
    found, _ = drain(
        estimate_coarse_to_fine(Refining(), image, CPU, "auto", ProgressMeter(1), MemoryStorage())
    )
    np.testing.assert_allclose(found[0], (0.25 * 2 + 0.25) * 2 + 0.25, rtol=1e-5)
    np.testing.assert_allclose(found[1], 0.875)
    alone, _ = drain(
        estimate_coarse_to_fine(Refining(), image, CPU, 4, ProgressMeter(1), MemoryStorage())
    )
    np.testing.assert_allclose(alone[0], 0.25 * 4, rtol=1e-5)


class Texture(nn.Module):
    """Sure that detail is sharp; of what has none, as sure as it was made to be that it is not."""

    descriptor = Descriptor("single", receptive_radius=8, multiple=8)

    def __init__(self, sure):
        super().__init__()
        self.sure = sure

    def forward(self, x):
        detail = (x[:, 0] < 0.1) | (x[:, 0] > 0.9)
        known = x[:, 3] > 0
        radius = torch.where(detail, 0.5, torch.where(known, x[:, 3], 8.0))
        return torch.stack([radius, torch.where(detail, 0.95, self.sure)], 1)


@pytest.mark.parametrize(("sure", "wanted"), [(0.5, 0.5), (0.99999, 64)])
def test_fine_texture_that_vanishes_from_far_is_no_blur_unless_that_is_certain(sure, wanted):
    rows, columns = np.indices((512, 512))
    image = np.repeat(((rows + columns) % 2).astype(np.float32)[None], 3, 0)
    found, _ = drain(
        estimate_coarse_to_fine(
            Texture(sure), image, CPU, "auto", ProgressMeter(1), MemoryStorage()
        )
    )
    np.testing.assert_allclose(found[0], wanted, rtol=1e-5)


def test_images_are_looked_at_from_no_farther_than_blur_goes():
    image = np.full((3, 2048, 2048), 0.5, np.float32)
    found, _ = drain(
        estimate_coarse_to_fine(Texture(1.0), image, CPU, "auto", ProgressMeter(1), MemoryStorage())
    )
    np.testing.assert_allclose(found[0], 8 * 16, rtol=1e-5)


def test_given_scale_is_one_level_alone():
    image = ramp(256, 256, 40)
    found, _ = drain(
        estimate_coarse_to_fine(
            SlopeEstimator(), image, CPU, 2, ProgressMeter(128 * 128), MemoryStorage()
        )
    )
    assert np.median(found[0]) == pytest.approx(40, rel=0.15)
    found, _ = drain(
        estimate_coarse_to_fine(
            SlopeEstimator(), image, CPU, 1, ProgressMeter(256 * 256), MemoryStorage()
        )
    )
    assert np.median(found[0]) == pytest.approx(24, rel=0.01)


def deblurred(radius, scale="auto", needed=None, expected=1):
    shape = radius.shape
    image = np.full((3, *shape), 0.5, np.float32)
    found = np.stack([radius, np.ones(shape)]).astype(np.float32)
    needed = np.ones(shape, bool) if needed is None else needed
    meter = ProgressMeter(expected)
    return drain(
        deblur_at_levels(StepDeblur(), image, found, CPU, scale, needed, meter, MemoryStorage())
    )


def test_every_pixel_is_deblurred_at_a_scale_that_knows_its_radius():
    radius = np.broadcast_to(np.linspace(0, 80, 640), (512, 640))
    change, _ = deblurred(radius)
    np.testing.assert_allclose(change, 0.1, atol=1e-4)
    spoiled, _ = deblurred(radius, scale=1)
    assert spoiled.max() == pytest.approx(0.9)


def test_nothing_changes_where_it_is_not_needed():
    needed = np.zeros((512, 640), bool)
    needed[:, :100] = True
    change, _ = deblurred(np.full((512, 640), 5.0), needed=needed)
    np.testing.assert_allclose(change[:, needed], 0.1, atol=1e-5)
    assert not change[:, ~needed].any()


def test_change_is_whole_up_to_a_hard_edge_of_what_is_needed():
    needed = np.zeros((256, 320), bool)
    needed[50:101, 60:163] = True
    change, _ = deblurred(np.full((256, 320), 30.0), scale=4, needed=needed)
    np.testing.assert_allclose(change[:, needed], 0.1, atol=1e-5)


def test_progress_rises_to_what_is_expected():
    radius = np.full((512, 640), 30.0)
    radius[:, :320] = 12.0
    _, steps = deblurred(radius, expected=512 * 640)
    done, totals = zip(*((step.done, step.total) for step in steps), strict=True)
    assert list(done) == sorted(done)
    assert done[-1] == totals[-1] == 256 * 320 + 128 * 160


def test_progress_of_an_estimate_rises_to_what_is_expected():
    steps = estimate_coarse_to_fine(
        SlopeEstimator(),
        ramp(600, 900, 4),
        CPU,
        "auto",
        ProgressMeter(600 * 900),
        MemoryStorage(),
    )
    _, progress = drain(steps)
    assert [step.done for step in progress] == sorted(step.done for step in progress)
    assert all(step.done <= step.total for step in progress)
    assert progress[-1].done == progress[-1].total


@pytest.fixture
def blocks(tmp_path):
    """Blocks of 128 pixels, kept in files."""
    return DiskStorage(tmp_path, 128)


class Blur(nn.Module):
    """Says how much a pixel differs from its surroundings, 20 pixels around."""

    descriptor = Descriptor("single", receptive_radius=20, multiple=8)

    def forward(self, x):
        around = nn.functional.avg_pool2d(x[:, :3], 41, 1, 20, count_include_pad=False)
        apart = (x[:, :3] - around).abs().mean(1)
        return torch.stack([4 * apart + 0.5 * x[:, 3], 1 - apart], 1)


@pytest.mark.parametrize("scale", ["auto", 1, 3])
def test_estimates_block_by_block_are_those_of_the_whole(blocks, scale):
    image = np.random.default_rng(0).random((3, 331, 404), np.float32)
    image[:, 100:, 200:] *= 0.3
    whole, _ = drain(
        estimate_coarse_to_fine(Blur(), image, CPU, scale, ProgressMeter(1), MemoryStorage())
    )
    found, _ = drain(estimate_coarse_to_fine(Blur(), image, CPU, scale, ProgressMeter(1), blocks))
    np.testing.assert_allclose(found[:, :, :], whole, atol=1e-4)


@pytest.mark.parametrize("scale", ["auto", 1, 2])
def test_changes_block_by_block_are_those_of_the_whole(blocks, scale):
    shape = (331, 404)
    image = np.random.default_rng(0).random((3, *shape), np.float32)
    radius = np.broadcast_to(np.linspace(0, 60, 404, dtype=np.float32), shape)
    found, needed = np.stack([radius, np.ones_like(radius)]), radius > 1
    needed[150:] = False

    def change(storage):
        meter = ProgressMeter(1)
        steps = deblur_at_levels(Sharper(), image, found, CPU, scale, needed, meter, storage)
        return drain(steps)[0][:, :, :]

    np.testing.assert_allclose(change(blocks), change(MemoryStorage()), atol=1e-4)


class Sharper(nn.Module):
    """Adds what lies beyond the mean of 20 pixels around."""

    descriptor = Descriptor("deblur", receptive_radius=20, multiple=8)

    def forward(self, x):
        around = nn.functional.avg_pool2d(x[:, :3], 41, 1, 20, count_include_pad=False)
        return 2 * x[:, :3] - around


def test_files_hold_what_is_written_and_blocks_keep_their_size(blocks):
    store = blocks.array((2, 300, 400))
    assert not store[:, 100:120, 7:9].any()
    store[:1, 299:, 390:] = np.full((1, 1, 10), 5)
    assert store[:1, :, :].sum() == store[0, 299, 380:].sum() == 50
    assert [len(blocks.blocks((256, side), 8)) for side in (128, 256, 1280)] == [2, 4, 20]
