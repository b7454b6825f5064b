"""Point-spread functions of microscopes against optical theory."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cosine_similarity

from napari_defocus.optics.kernels import disk
from training.data.random_microscopes import RandomMicroscopes
from training.data.rng import SampleRNG

HALF = 24
LINE = torch.arange(-float(HALF), HALF + 1)
SQUARE = LINE[:, None] ** 2 + LINE**2


def microscopes(count):
    return RandomMicroscopes().draw(SampleRNG.from_key(0, samples=range(count)))


def matched(count):
    """Microscopes whose media do not differ."""
    drawn = microscopes(count)
    return replace(drawn, deep=torch.zeros(count))


def kernels(microscope, radius):
    scene = torch.arange(len(microscope.sine))
    return microscope.kernels(scene, torch.full((len(scene),), float(radius)), HALF)[:, 0]


@pytest.mark.parametrize("radius", [-6.0, 0.0, 3.0])
def test_light_is_kept_and_stays_in_the_middle(radius):
    psf = kernels(microscopes(12), radius)
    assert psf.min() >= 0
    torch.testing.assert_close(psf.sum((-2, -1)), torch.ones(12))
    for line in (LINE, LINE[:, None]):
        torch.testing.assert_close((psf * line).sum((-2, -1)), torch.zeros(12), atol=1e-3, rtol=0)


def test_in_focus_the_first_dark_ring_is_airys():
    fine = replace(matched(1), pixel=torch.tensor([0.2]), sine=torch.tensor([0.3]))
    across = kernels(fine, 0)[0, HALF, HALF:]
    dark = across[:11].argmin().item()
    assert dark * 0.2 == pytest.approx(1.22, abs=0.15)


def test_light_spreads_as_widely_as_a_disk_of_the_radius():
    psf = kernels(matched(16), 8.0)
    near = (SQUARE < 14**2).float()
    wide = 2 * (psf * SQUARE * near).sum((-2, -1)) / (psf * near).sum((-2, -1))
    assert (wide.sqrt() - 8).abs().max() < 0.8


def test_a_small_aperture_far_out_of_focus_is_a_disk():
    one = replace(matched(1), sine=torch.tensor([0.2]), pixel=torch.tensor([1.5]))
    psf = kernels(one, 10.0)[0].flatten()
    similarities = [
        cosine_similarity(psf, disk(r, HALF).flatten(), dim=0) for r in (8.0, 10.0, 12.0)
    ]
    assert max(similarities) == similarities[1] > 0.93


def test_sides_of_focus_differ_with_mismatched_media():
    even, uneven = matched(8), replace(microscopes(8), deep=torch.full((8,), 10.0))
    apart = [
        (kernels(microscope, 3.0) - kernels(microscope, -3.0)).abs().amax().item()
        for microscope in (even, uneven)
    ]
    assert apart[0] < 1e-5 < 1e-2 < apart[1]


def test_both_views_are_the_same():
    left, right = microscopes(3).kernels(torch.arange(3), torch.ones(3), HALF).unbind(1)
    assert torch.equal(left, right)
