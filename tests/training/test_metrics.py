"""Scores: published values, and values computed by hand."""

import numpy as np
import pytest
import torch

from training.data.dpdd import dpdd_scenes
from training.lpips import Lpips
from training.metrics import map_scores, no_harm, psnr, radius_scores, ssim


def tensor(image):
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, -1, 0)))


def test_dpdd_inputs_score_as_published(data_folder):
    scores = [
        (psnr(s.blurred, s.target), ssim(s.blurred, s.target), psnr(s.dpdnet, s.target))
        for s in dpdd_scenes(data_folder / "dpdd")
    ]
    np.testing.assert_allclose(np.mean(scores, 0), [25.78, 0.676, 27.00], atol=0.005)


def test_the_first_dpdd_input_has_its_perceptual_distance(data_folder, lpips_folder):
    scene = next(dpdd_scenes(data_folder / "dpdd"))
    assert perceptual_distance(scene, lpips_folder) == pytest.approx(0.250, abs=0.0005)


@pytest.mark.slow
def test_perceptual_distances_of_dpdd_inputs_are_as_published(data_folder, lpips_folder):
    distances = [perceptual_distance(s, lpips_folder) for s in dpdd_scenes(data_folder / "dpdd")]
    assert np.mean(distances) == pytest.approx(0.334, abs=0.005)


def perceptual_distance(scene, folder):
    """Return the LPIPS on AlexNet features between the input and the target of a scene."""
    return Lpips(folder / "alex.safetensors")(tensor(scene.blurred), tensor(scene.target))


def test_psnr_is_infinite_for_equal_images_and_20_for_errors_of_a_tenth():
    image = np.zeros((4, 4, 3), np.float32)
    assert psnr(image, image) == np.inf
    assert psnr(image, image + 0.1) == pytest.approx(20, abs=1e-4)


def test_map_scores_ignore_scale_and_offset_only():
    rng = np.random.default_rng(0)
    truth = rng.random(500)
    perfect = map_scores(3 - 7 * truth, truth)
    assert perfect.aiwe1 == pytest.approx(0, abs=1e-6)
    assert perfect.aiwe2 == pytest.approx(0, abs=1e-6)
    assert perfect.rank == pytest.approx(0, abs=1e-6)
    random = map_scores(rng.random(500), truth)
    assert random.aiwe1 == pytest.approx(0.25, abs=0.03)
    assert random.rank > 0.85


def test_a_constant_map_has_no_rank():
    scores = map_scores(np.zeros(50), np.linspace(0, 1, 50))
    assert np.isnan(scores.rank)
    assert scores.aiwe1 == pytest.approx(0.25, abs=0.01)


def test_radius_scores_are_those_computed_by_hand():
    truth = np.array([0.0, 1.0, 4.0, -4.0])
    scores = radius_scores(np.array([0.5, 1.0, 6.0, 4.0]), truth)
    assert scores.mae == pytest.approx((0.5 + 0 + 2 + 8) / 4)
    assert scores.within == 0.5
    assert scores.sign == 0.5
    assert np.isnan(radius_scores(truth[:2], truth[:2]).sign)


def test_only_pixels_in_focus_count_as_harmed():
    image = np.zeros((2, 2, 3), np.float32)
    result = image.copy()
    result[0] = 0.9
    radius = np.array([[3.0, -3.0], [0.2, -0.2]])
    assert no_harm(image, result, radius) == 100
    result[1] = 0.1
    assert no_harm(image, result, radius) == pytest.approx(20, abs=1e-4)
    assert np.isnan(no_harm(image, result, np.full((2, 2), np.nan)))
