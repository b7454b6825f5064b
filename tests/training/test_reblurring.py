"""Reblurring by the published formula, and the radius that matches two views best."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import convolve2d

from napari_defocus.optics.bank import KernelBank
from training.data.pool import Pool
from training.data.rng import SampleRNG
from training.reblurring import (
    best_match,
    free_of_edge,
    interpolation_weights,
    left_candidates,
    match_light,
    reblur_views,
)

REACH = 4


@pytest.fixture(scope="module")
def bank():
    return KernelBank(REACH).requires_grad_(False)


@pytest.fixture(scope="module")
def sharp(pool_file):
    scenes = Pool(pool_file).draw(SampleRNG.from_key(0, samples=range(3)), 64)
    return scenes.sharp.mean(1, keepdim=True)


@given(seed=st.integers(0, 2**32))
def test_reblurring_equals_the_published_formula(bank, seed):
    rng = np.random.default_rng(seed)
    sharp, radius = rng.random((20, 24)), rng.uniform(-REACH, REACH, (20, 24))
    expected = {}
    for view in (0, 1):
        kernels = {1: bank.views(in_front=True)[view], -1: bank.views(in_front=False)[view]}
        expected[view] = sum(
            np.where((np.sign(radius) == sign) | (i == 0), 1, 0)
            * np.maximum(0, 1 - np.abs(np.abs(radius) - i))
            * convolve2d(sharp, kernels[sign][i].numpy(), mode="same")
            for i in range(REACH + 1)
            for sign in ((1, -1) if i else (1,))
        )
    tensors = (torch.from_numpy(x).float()[None, None] for x in (sharp, radius))
    image, radii = tensors
    views = reblur_views(left_candidates(image, bank), radii)
    middle = slice(REACH + 1, -REACH - 1)
    for view in (0, 1):
        ours = views[view][0, 0, middle, middle].numpy()
        np.testing.assert_allclose(ours, expected[view][middle, middle], atol=1e-5)


@given(radius=st.floats(-REACH, REACH))
def test_shares_of_the_whole_radii_add_up_to_one(radius):
    shares = interpolation_weights(torch.full((1, 1, 2, 2), radius), REACH)
    steps = torch.arange(-REACH, REACH + 1.0)[:, None, None]
    torch.testing.assert_close(shares.sum(1), torch.ones(1, 2, 2))
    torch.testing.assert_close((shares * steps).sum(1), torch.full((1, 2, 2), radius))


@given(radius=st.floats(-REACH + 1, REACH - 1))
def test_the_best_match_has_the_radius_of_the_views(bank, sharp, radius):
    candidates = left_candidates(sharp, bank)
    views = reblur_views(candidates, torch.full_like(sharp, radius))
    match = best_match(candidates, *views, 3)
    clear = match.clearness > 0.5
    assert clear.float().mean() > 0.3
    assert (match.radius[clear] - radius).abs().median() < 0.3


def test_swapped_views_have_the_opposite_radius(bank, sharp):
    candidates = left_candidates(sharp, bank)
    left, right = reblur_views(candidates, torch.full_like(sharp, 2.0))
    one, other = best_match(candidates, left, right, 3), best_match(candidates, right, left, 3)
    clear = one.clearness > 0.5
    assert (one.radius[clear] - 2).abs().median() < 0.1
    assert (other.radius[clear] + 2).abs().median() < 0.1


def test_a_match_without_texture_is_not_clear(bank):
    flat = torch.full((1, 1, 32, 32), 0.4)
    candidates = left_candidates(flat, bank)
    assert best_match(candidates, flat, flat, 3).clearness.max() < 1e-3


def test_pixels_within_their_radius_of_the_edge_are_masked():
    mask = free_of_edge(torch.tensor([0.0, -2.0, 100.0])[:, None, None, None].expand(3, 1, 9, 9), 3)
    assert mask.sum((1, 2, 3)).tolist() == [49, 9, 1]


@given(factor=st.floats(0.3, 3.5))
def test_the_light_of_each_sample_is_matched(sharp, factor):
    factors = torch.tensor([1.0, factor, 1.0])[:, None, None, None]
    torch.testing.assert_close(match_light(sharp, factors * sharp), factors * sharp)
