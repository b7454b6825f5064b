"""Blur of traced lenses, and scenes that are rendered with it."""

import numpy as np
import pytest
import torch

from training.data.lens_bank import (
    COLORS,
    FIELDS,
    monomials,
    monomials_of,
    read_lens_bank,
    trace_lens,
)
from training.data.lenses import FieldLenses
from training.data.random_lenses import RandomLenses
from training.data.ray_tracing import focal_length
from training.data.rng import SampleRNG
from training.data.traced_lenses import LensBank, MixedLenses
from training.errors import TrainingError

from .lens_files import singlet, write_doublet


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lenses")
    write_doublet(folder)
    return LensBank(read_lens_bank(folder))


def rng(count=3, seed=0):
    return SampleRNG.from_key(seed, samples=range(count))


def moments(kernels):
    """Return the center (..., 2) as x and y, and the mean square width (...) of kernels."""
    along = torch.arange(kernels.shape[-1]) - kernels.shape[-1] // 2
    center = torch.stack([(kernels.sum(-2) * along).sum(-1), (kernels.sum(-1) * along).sum(-1)], -1)
    squared = (kernels * (along**2 + along[:, None] ** 2)).sum((-2, -1))
    return center, squared - (center**2).sum(-1)


def test_monomials_agree():
    u, v = torch.rand(2, 5, dtype=torch.double)
    points = torch.stack([u, v], 1).numpy()
    np.testing.assert_allclose(monomials(points).T, monomials_of(u, v).numpy())


def test_a_singlet_has_the_color_that_its_glass_has():
    lens = singlet((0.02, 0.0), 1.0, half=5.0)
    field = trace_lens(lens).fields[0]
    red, green, blue = field.errors[:, 0, 1]  # growth of x with u
    focal = [focal_length(lens, color)[0] for color in COLORS]
    rim = 5.0 / focal[1]
    assert red - green == pytest.approx(rim * (focal[1] - focal[0]), rel=0.05)
    assert blue - green == pytest.approx(rim * (focal[1] - focal[2]), rel=0.05)
    assert field.light.sum() == pytest.approx(1)


def test_wide_fields_lose_light_and_gain_curvature():
    traced = trace_lens(singlet((0.02, -0.02), 4.0, half=6.0))
    assert len(traced.fields) == len(FIELDS)
    assert traced.fields[-1].focus < traced.fields[0].focus - 0.1


def test_kernels_have_the_size_of_their_radius(bank):
    lenses = bank.draw(rng())
    scene, radius = torch.tensor([0, 1, 2, 2]), torch.tensor([6.0, -6.0, 6.0, 0.0])
    kernels = lenses.kernels(scene, radius, 12)
    assert kernels.shape == (4, 2, 3, 25, 25)
    torch.testing.assert_close(kernels.sum((-2, -1)), torch.ones(4, 2, 3))
    whole = kernels.mean(1)[:, 1]
    _, width = moments(whole)
    assert (width[:3] / 18).sub(1).abs().max() < 0.35
    assert width[3] < 2.5


def test_left_views_lie_to_the_right_in_front_of_focus(bank):
    lenses = bank.draw(rng(1))
    kernels = lenses.kernels(torch.tensor([0, 0]), torch.tensor([6.0, -6.0]), 12)[:, :, 1]
    center, _ = moments(kernels)
    apart = center[:, 0, 0] - center[:, 1, 0]
    assert apart[0] > 1
    assert apart[1] < -1
    disparity = lenses.disparity(torch.full((1, 1, 1, 1), 6.0))
    torch.testing.assert_close(disparity.flatten(), apart[:1], rtol=0.1, atol=0.1)


def test_blur_differs_between_the_ends_of_a_scene(bank):
    lenses = bank.draw(rng(1, seed=3))
    ends = [
        one.kernels(torch.tensor([0]), torch.tensor([8.0]), 12)
        for one in (lenses, lenses.other_end)
    ]
    assert isinstance(lenses, FieldLenses)
    assert (ends[0] - ends[1]).abs().sum() > 0.01
    torch.testing.assert_close(lenses.toward.norm(dim=1), torch.ones(1))


def test_mixtures_keep_the_lenses_of_their_sources(bank):
    source = MixedLenses(RandomLenses(), bank, 0.5)
    streams = rng(8, seed=1)
    mixed = source.draw(streams)
    chosen = mixed.toward.norm(dim=1) > 0
    assert 0 < chosen.sum() < 8
    scene, radius = torch.arange(8), torch.full((8,), 5.0)
    kernels = mixed.kernels(scene, radius, 8)
    expected = mixed.first.kernels(torch.arange(int((~chosen).sum())), radius[~chosen], 8)
    torch.testing.assert_close(kernels[~chosen], expected[:, :, None].expand(-1, -1, 3, -1, -1))
    assert mixed.fringe.shape == (8, 3)
    assert mixed.disparity(torch.ones(8, 1, 4, 4)).shape == (8, 1, 4, 4)


def test_a_folder_without_lenses_is_an_error(tmp_path):
    with pytest.raises(TrainingError, match="no prescription"):
        read_lens_bank(tmp_path)
