"""Rendered specimens agree with their description."""

import numpy as np
import pytest

from training.evaluation.microscopy.measures import psnr
from training.evaluation.microscopy.restoration import best_richardson_lucy
from training.evaluation.microscopy.specimens import (
    MARGIN,
    OFFSET,
    SIDE,
    half_empty,
    specimens,
    spot_places,
    spots,
)


@pytest.fixture(scope="module")
def scene():
    ((scene,),) = specimens(1, 5, spots, (500, 500))
    return scene


def test_counts_scatter_about_the_blurred_image(scene):
    assert scene.counts.shape == (SIDE, SIDE)
    assert scene.light.max() == pytest.approx(500, rel=1e-3)
    off = (scene.counts - scene.blurred) / np.sqrt(scene.blurred - OFFSET + 9)
    assert abs(off.mean()) < 0.05
    assert 0.5 < off.std() < 1.1


def test_spots_lie_at_their_places(scene):
    places = spot_places(SIDE + 2 * MARGIN).numpy() - MARGIN
    for row, column in places.round().astype(int):
        window = scene.light[row - 8 : row + 9, column - 8 : column + 9]
        assert np.abs(np.subtract(np.unravel_index(window.argmax(), window.shape), 8)).max() <= 1


def test_out_of_focus_the_same_light_is_spread_more_widely(scene):
    for kernel in (scene.kernel, scene.in_focus):
        assert kernel.sum() == pytest.approx(1, rel=1e-4)
    assert scene.in_focus.max() > 1.2 * scene.kernel.max()
    assert scene.light.max() > 1.2 * (scene.blurred - OFFSET).max()
    assert scene.light.sum() == pytest.approx((scene.blurred - OFFSET).sum(), rel=0.02)


def test_frames_differ_by_their_noise_alone():
    ((first, second),) = specimens(1, 6, half_empty, frames=2)
    assert np.array_equal(first.sharp, second.sharp)
    assert not np.array_equal(first.counts, second.counts)
    ground = first.light[:, SIDE // 2 + 16 :]
    assert ground.max() < 0.05 * first.light.max()


def test_richardson_lucy_comes_nearer_with_the_true_kernel(scene):
    assert psnr(best_richardson_lucy(scene), scene.sharp) > psnr(scene.counts, scene.sharp) + 1
