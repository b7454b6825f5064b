"""Scores have the values that others publish."""

import numpy as np
import pytest
import torch

from training.data.dpdd import dpdd_scenes
from training.evaluate import block_matching, with_means
from training.lpips import Lpips
from training.metrics import map_scores, psnr, ssim


def tensor(image):
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, -1, 0)))


def test_dpdd_inputs_score_as_published(data_folder, lpips_folder):
    alex = Lpips(lpips_folder / "alex.safetensors")
    scores = [
        (
            psnr(s.blurred, s.target),
            ssim(s.blurred, s.target),
            alex(tensor(s.blurred), tensor(s.target)),
            psnr(s.dpdnet, s.target),
        )
        for s in dpdd_scenes(data_folder / "dpdd")
    ]
    means = np.mean(scores, 0)
    np.testing.assert_allclose(means, [25.78, 0.676, 0.334, 27.00], atol=0.005)


def test_psnr_by_hand():
    image = np.zeros((4, 4, 3), np.float32)
    assert psnr(image, image) == np.inf
    assert psnr(image, image + 0.1) == pytest.approx(20, abs=1e-4)


def test_map_scores_forgive_scale_and_offset_only():
    chance = np.random.default_rng(0)
    truth = chance.random(500)
    perfect = map_scores(3 - 7 * truth, truth)
    assert perfect.aiwe1 == pytest.approx(0, abs=1e-6)
    assert perfect.aiwe2 == pytest.approx(0, abs=1e-6)
    assert perfect.rank == pytest.approx(0, abs=1e-6)
    chanceful = map_scores(chance.random(500), truth)
    assert chanceful.aiwe1 == pytest.approx(0.25, abs=0.03)
    assert chanceful.rank > 0.85


def test_block_matching_finds_a_shift():
    chance = np.random.default_rng(0)
    right = chance.random((60, 80)).astype(np.float32)
    left = np.roll(right, 3, axis=1)
    inner = (slice(20, -20), slice(20, -20))
    np.testing.assert_allclose(block_matching(left, right, reach=6, window=9)[inner], 3, atol=0.2)


def test_means_are_taken_for_each_method():
    rows = [
        {"method": m, "scene": s, "psnr": v}
        for m, s, v in [("a", 1, 2.0), ("a", 2, 4.0), ("b", 1, 1.0)]
    ]
    assert with_means(rows)[3:] == [
        {"method": "a", "scene": "mean", "psnr": 3.0},
        {"method": "b", "scene": "mean", "psnr": 1.0},
    ]
