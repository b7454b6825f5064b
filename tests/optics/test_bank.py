"""Learnable kernels: non-negative, of unit sum and mirror-symmetric for any weights."""

import pytest
import torch

from napari_defocus.optics.bank import KernelBank, SharedPupilBank
from napari_defocus.optics.kernels import butterworth, disk, half_pupil


@pytest.fixture
def random_bank():
    bank = KernelBank(5)
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        bank.scores += 3 * torch.randn(bank.scores.shape, generator=rng)
    return bank


@pytest.mark.parametrize("in_front", [False, True])
def test_kernels_are_non_negative_and_of_unit_sum(random_bank, in_front):
    for kernels in random_bank.views(in_front=in_front):
        assert kernels.min() >= 0
        torch.testing.assert_close(kernels.sum((-2, -1)), torch.ones(6))


def test_views_are_mirror_images_and_swap_with_the_sign(random_bank):
    left, right = random_bank.views(in_front=True)
    torch.testing.assert_close(right, left.flip(-1))
    left_behind, right_behind = random_bank.views(in_front=False)
    torch.testing.assert_close(left_behind, right)
    torch.testing.assert_close(right_behind, left)


def test_kernels_are_zero_outside_their_radius(random_bank):
    left, _ = random_bank.views(in_front=True)
    assert left[2, 6, 10] == 0
    assert left[0].argmax() == 6 * 13 + 6


def test_a_new_bank_holds_butterworth_disks():
    center = KernelBank(8).center()[6]
    expected = butterworth(6.0, 9)
    correlation = torch.corrcoef(torch.stack([center.flatten(), expected.flatten()]))[0, 1]
    assert correlation > 0.97


def test_gradient_steps_approach_a_target():
    bank = KernelBank(3)
    target = torch.zeros(9, 9)
    target[4, 5] = 1
    before = (bank.views(in_front=True)[0][3] - target).square().sum().item()
    optimizer = torch.optim.Adam(bank.parameters(), 0.3)
    for _ in range(20):
        optimizer.zero_grad()
        (bank.views(in_front=True)[0][3] - target).square().sum().backward()
        optimizer.step()
    after = (bank.views(in_front=True)[0][3] - target).square().sum().item()
    assert after < 0.2 * before


def test_a_new_shared_pupil_equals_the_plain_bank():
    plain, shared = KernelBank(8), SharedPupilBank(8)
    for a, b in zip(plain.views(in_front=False), shared.views(in_front=False), strict=True):
        torch.testing.assert_close(a, b)


def test_one_radius_changes_the_pupil_of_the_others():
    bank = SharedPupilBank(10)
    before = bank.views(in_front=True)[0].detach()
    evenly = half_pupil(disk(6.0, 11), 6.0)
    optimizer = torch.optim.Adam([bank.pupil], 0.1)
    for _ in range(30):
        optimizer.zero_grad()
        (bank.views(in_front=True)[0][6] - evenly).square().sum().backward()
        optimizer.step()
    after = bank.views(in_front=True)[0].detach()
    wanted = half_pupil(disk(9.0, 11), 9.0)
    assert (after[9] - wanted).square().sum() < 0.6 * (before[9] - wanted).square().sum()
    torch.testing.assert_close(after[2], before[2])


def test_a_shared_pupil_becomes_a_plain_bank_of_the_same_kernels():
    bank = SharedPupilBank(6)
    with torch.no_grad():
        bank.pupil += torch.rand(bank.pupil.shape, generator=torch.Generator().manual_seed(0))
    for a, b in zip(bank.views(in_front=True), bank.plain().views(in_front=True), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("share", [0.8, 1.0])
def test_the_edge_is_the_radius_of_a_disk(share):
    bank = KernelBank(16)
    kernels = torch.stack([disk(share * r, 17) for r in range(17)])
    with torch.no_grad():
        bank.scores.copy_(kernels.clamp(min=1e-8).log())
    assert bank.edge() == pytest.approx(share, abs=0.05)
