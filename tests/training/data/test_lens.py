"""Kernels of random, of given and of planted lenses."""

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.functional import cosine_similarity

from napari_defocus.optics.bank import KernelBank
from training.data.chance import Chance
from training.data.lens import RandomLenses
from training.data.optics import BankLens, read_bank
from training.data.planted import planted_bank
from training.data.renderer import Renderer

RADII = torch.tensor([-8.0, -3.0, 3.0, 8.0])


@pytest.fixture
def bank():
    return KernelBank(10)


def chance(count):
    return Chance.of(0, samples=range(count))


@pytest.mark.parametrize("optics", [RandomLenses(), BankLens(KernelBank(10))])
def test_kernels_keep_light_and_lie_on_the_side_of_their_sign(optics):
    kernels = optics.draw(chance(16)).kernels(RADII.expand(16, 4), half=14)
    assert kernels.min() >= 0
    torch.testing.assert_close(kernels.sum((-2, -1)), torch.ones(16, 4, 2))
    x = torch.arange(-14.0, 15.0)
    shift = (kernels * x).sum((-2, -1))
    disparity = shift[:, :, 0] - shift[:, :, 1]
    assert (disparity[:, 2:] > 0).all()
    assert (disparity[:, :2] < 0).all()


def test_a_bank_is_interpolated_between_whole_radii(bank):
    kernels = BankLens(bank).kernels(torch.tensor([[3.0, 3.25, 4.0]]), half=11)[0]
    torch.testing.assert_close(kernels[0, 0], bank.views(negative=False)[0][3])
    torch.testing.assert_close(kernels[1], 0.75 * kernels[0] + 0.25 * kernels[2])


def test_a_negative_radius_swaps_the_views_of_a_bank(bank):
    kernels = BankLens(bank).kernels(torch.tensor([[-5.0]]), half=11)[0, 0]
    torch.testing.assert_close(kernels, torch.stack([v[5] for v in bank.views(negative=True)]))


def test_a_radius_beyond_the_bank_is_an_error(bank):
    with pytest.raises(ValueError, match="up to 10 px"):
        BankLens(bank).kernels(torch.tensor([[11.0]]), half=14)


def test_a_bank_can_be_the_lens_of_rendered_scenes(corpus, options, bank):
    scenes = Renderer(corpus, options, BankLens(bank)).draw(chance(2), 32)
    assert scenes.left.isfinite().all()


def test_a_bank_comes_back_from_its_file(bank, tmp_path):
    with torch.no_grad():
        bank.scores.add_(torch.rand_like(bank.scores))
    save_file(bank.state_dict(), tmp_path / "bank.safetensors")
    assert torch.equal(read_bank(tmp_path / "bank.safetensors").scores, bank.scores)


@pytest.mark.parametrize("seed", range(4))
def test_a_planted_bank_is_not_the_one_trainings_start_with(seed):
    planted = planted_bank(Chance.of(seed, samples=[0])).views(negative=False)[0]
    start = KernelBank().views(negative=False)[0]
    alike = cosine_similarity(planted.flatten(1), start.flatten(1))
    assert alike[8:].max() < 0.9
    torch.testing.assert_close(planted.sum((-2, -1)), torch.ones(25))
