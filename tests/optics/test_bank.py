"""The learnable kernels stay physical whatever they learn."""

import pytest
import torch

from napari_defocus.optics.bank import KernelBank
from napari_defocus.optics.kernels import butterworth


@pytest.fixture
def taught_bank():
    bank = KernelBank(5)
    chance = torch.Generator().manual_seed(0)
    with torch.no_grad():
        bank.scores += 3 * torch.randn(bank.scores.shape, generator=chance)
    return bank


@pytest.mark.parametrize("negative", [False, True])
def test_non_negative_and_of_unit_sum(taught_bank, negative):
    for kernels in taught_bank.views(negative=negative):
        assert kernels.min() >= 0
        torch.testing.assert_close(kernels.sum((-2, -1)), torch.ones(6))


def test_views_are_mirror_images_and_swap_with_the_sign(taught_bank):
    left, right = taught_bank.views(negative=False)
    torch.testing.assert_close(right, left.flip(-1))
    left_before, right_before = taught_bank.views(negative=True)
    torch.testing.assert_close(left_before, right)
    torch.testing.assert_close(right_before, left)


def test_no_light_outside_the_radius(taught_bank):
    left, _ = taught_bank.views(negative=False)
    assert left[2, 6, 10] == 0
    assert left[0].argmax() == 6 * 13 + 6


def test_starts_as_the_butterworth_disk():
    centre = KernelBank(8).centre()[6]
    expected = butterworth(6.0, 9)
    correlation = torch.corrcoef(torch.stack([centre.flatten(), expected.flatten()]))[0, 1]
    assert correlation > 0.97


def test_learns():
    bank = KernelBank(3)
    target = torch.zeros(9, 9)
    target[4, 5] = 1
    before = (bank.views(negative=False)[0][3] - target).square().sum().item()
    optimiser = torch.optim.Adam(bank.parameters(), 0.3)
    for _ in range(20):
        optimiser.zero_grad()
        (bank.views(negative=False)[0][3] - target).square().sum().backward()
        optimiser.step()
    after = (bank.views(negative=False)[0][3] - target).square().sum().item()
    assert after < 0.2 * before
