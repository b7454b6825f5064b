"""Kernels of random lenses, of banks and of the reference lens."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.functional import cosine_similarity

from napari_defocus.io.pupil_file import read_bank
from napari_defocus.optics.bank import KernelBank
from napari_defocus.optics.kernels import RADIUS_PER_DISPARITY, disk
from training.data.lenses import BankLens
from training.data.random_lenses import TYPICAL_DISPARITY, RandomLenses
from training.data.reference_lens import reference_bank
from training.data.renderer import Renderer
from training.data.rng import SampleRNG

HALF = 14
LINE = torch.arange(-float(HALF), HALF + 1)


@pytest.fixture
def bank():
    return KernelBank(10)


def rng(count):
    return SampleRNG.from_key(0, samples=range(count))


def one(optics, *radii):
    """Kernels (K, 2, S, S) of the first scene's lens."""
    radius = torch.tensor(radii)
    scene = torch.zeros(len(radii), dtype=torch.long)
    return optics.draw(rng(1)).kernels(scene, radius, HALF)


def ideal(**aberrations):
    """A round, flat pupil, aberrations aside."""
    none = torch.zeros(1)
    lens = RandomLenses().draw(rng(1))
    flat = replace(
        lens,
        ring=none,
        blades=none,
        cut_x=none,
        cut_y=none,
        soft_edge=none + 0.02,
        spherical=none,
        coma=none.expand(1, 2),
        astigmatism=none.expand(1, 2),
    )
    return replace(flat, **{name: torch.tensor(value) for name, value in aberrations.items()})


def spread(kernel):
    """Standard deviations in px along x and y."""
    across, down = kernel.sum(0), kernel.sum(1)
    moments = ((LINE**2 * part).sum() - (LINE * part).sum() ** 2 for part in (across, down))
    return tuple(moment.sqrt().item() for moment in moments)


@pytest.mark.parametrize("optics", [RandomLenses(), BankLens(KernelBank(10))])
def test_kernels_keep_light_and_lie_on_the_side_of_their_sign(optics):
    scene = torch.arange(16).repeat(4)
    radius = torch.tensor([-8.0, -3.0, 3.0, 8.0]).repeat_interleave(16)
    kernels = optics.draw(rng(16)).kernels(scene, radius, HALF)
    assert kernels.min() >= 0
    torch.testing.assert_close(kernels.sum((-2, -1)), torch.ones(64, 2))
    shift = (kernels * LINE).sum((-2, -1))
    assert (((shift[:, 0] - shift[:, 1]) * radius) > 0).all()


def test_a_lens_does_not_depend_on_its_batch():
    scene, radius = torch.arange(4), torch.tensor([1.0, -2.0, 4.0, 8.0])
    whole = RandomLenses().draw(rng(4)).kernels(scene, radius, HALF)
    alone = (
        RandomLenses()
        .draw(SampleRNG.from_key(0, samples=[2]))
        .kernels(scene[:1], radius[2:3], HALF)
    )
    torch.testing.assert_close(whole[2:3], alone)


def test_an_ideal_lens_makes_disks_and_points():
    kernels = ideal().kernels(torch.tensor([0, 0]), torch.tensor([0.0, 9.0]), HALF).mean(1)
    assert kernels[0, HALF, HALF] == pytest.approx(1)
    assert (kernels[1] - disk(9.0, HALF)).abs().sum() < 0.08


def test_spherical_aberration_moves_the_rays_of_the_rim():
    def moments(lens):
        kernel = lens.kernels(torch.tensor([0]), torch.tensor([6.0]), HALF)[0].mean(0)
        across = kernel.sum(0)
        return (LINE**2 * across).sum(), (LINE**4 * across).sum()

    plain, aberrant = moments(ideal()), moments(ideal(spherical=[1.5]))
    torch.testing.assert_close(aberrant[0], plain[0], rtol=0.03, atol=0)
    assert aberrant[1] > 1.05 * plain[1]


def test_astigmatism_makes_disks_ellipses():
    def sizes(lens):
        return spread(lens.kernels(torch.tensor([0]), torch.tensor([6.0]), HALF)[0].mean(0))

    plain, aberrant = sizes(ideal()), sizes(ideal(astigmatism=[[1.0, 0.0]]))
    assert aberrant[0] > plain[0] + 0.4
    assert aberrant[1] < plain[1] - 0.4


@pytest.mark.parametrize("optics", [RandomLenses(), BankLens(KernelBank(10))])
def test_disparity_is_the_distance_of_the_views_centroids(optics):
    lenses = optics.draw(rng(16))
    kernels = lenses.kernels(torch.arange(16), torch.full((16,), 10.0), HALF)
    left, right = (kernels * LINE).sum((-2, -1)).unbind(1)
    disparity = lenses.disparity(torch.full((16, 1, 1, 1), 10.0)).flatten()
    torch.testing.assert_close(disparity, left - right, atol=0.1, rtol=0)


def test_aberrations_are_part_of_the_disparity():
    lens = ideal(ramp=[1e-4], leak=[0.0], astigmatism=[[1.0, 0.0]])
    kernels = lens.kernels(torch.tensor([0]), torch.tensor([5.0]), HALF)
    left, right = (kernels * LINE).sum((-2, -1))[0]
    disparity = lens.disparity(torch.full((1, 1, 1, 1), 5.0)).item()
    assert disparity == pytest.approx((left - right).item(), abs=0.02)
    assert disparity == pytest.approx(6 / RADIUS_PER_DISPARITY, rel=0.01)


@pytest.mark.parametrize("strength", [-0.8, 0.8])
def test_spots_of_a_lens_with_spherical_aberration_are_smallest_at_radius_0(strength):
    lens = ideal(spherical=[strength])
    radii = torch.tensor([-0.4, -0.2, 0.0, 0.2, 0.4])
    kernels = lens.kernels(torch.zeros(5, dtype=torch.long), radii, HALF).mean(1)
    sizes = [sum(spread(kernel)) for kernel in kernels]
    assert min(sizes) == sizes[2]


def test_half_disks_have_their_analytic_disparity():
    lens = ideal(ramp=[1e-4], leak=[0.0])
    disparity = lens.disparity(torch.ones(1, 1, 1, 1)).item()
    assert disparity == pytest.approx(1 / RADIUS_PER_DISPARITY, rel=0.01)


def test_the_typical_disparity_is_the_middle_one():
    disparity = RandomLenses().draw(rng(500)).disparity(torch.ones(500, 1, 1, 1))
    assert disparity.median().item() == pytest.approx(TYPICAL_DISPARITY, rel=0.03)


def test_coma_is_lopsided_but_stays_in_place():
    lens = ideal(coma=[[1.0, 0.0]])
    kernel = lens.kernels(torch.tensor([0]), torch.tensor([6.0]), HALF)[0].mean(0)
    across = kernel.sum(0)
    assert (LINE * across).sum().abs() < 0.05
    assert (LINE**3 * across).sum() > 5


def test_a_bank_is_interpolated_between_whole_radii(bank):
    kernels = one(BankLens(bank), 3.0, 3.25, 4.0)
    inner = slice(HALF - 11, HALF + 12)
    torch.testing.assert_close(kernels[0, 0, inner, inner], bank.views(in_front=True)[0][3])
    torch.testing.assert_close(kernels[1], 0.75 * kernels[0] + 0.25 * kernels[2])


def test_a_negative_radius_swaps_the_views_of_a_bank(bank):
    kernels = one(BankLens(bank), 5.0, -5.0)
    assert torch.equal(kernels[0], kernels[1].flip(0))
    inner = slice(HALF - 11, HALF + 12)
    torch.testing.assert_close(kernels[1, 0, inner, inner], bank.views(in_front=False)[0][5])


def test_a_radius_beyond_the_bank_is_an_error(bank):
    with pytest.raises(ValueError, match="up to 10 px"):
        one(BankLens(bank), 11.0)


def test_a_bank_can_be_the_lens_of_rendered_scenes(corpus, options, bank):
    scenes = Renderer(corpus, options, BankLens(bank)).draw(rng(2), 32)
    assert scenes.left.isfinite().all()


def test_a_bank_comes_back_from_its_file(bank, tmp_path):
    with torch.no_grad():
        bank.scores.add_(torch.rand_like(bank.scores))
    save_file(bank.state_dict(), tmp_path / "bank.safetensors")
    assert torch.equal(read_bank(tmp_path / "bank.safetensors").scores, bank.scores)


@pytest.mark.parametrize("seed", range(4))
def test_the_reference_bank_differs_from_the_initial_one(seed):
    reference = reference_bank(SampleRNG.from_key(seed, samples=[0])).views(in_front=True)[0]
    start = KernelBank().views(in_front=True)[0]
    similarities = cosine_similarity(reference.flatten(1), start.flatten(1))
    assert similarities[8:].max() < 0.9
    torch.testing.assert_close(reference.sum((-2, -1)), torch.ones(25))
