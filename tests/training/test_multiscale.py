"""Estimators look from coarse to fine, in training as the plugin lets them."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_defocus.inference.engine import run_to_end
from napari_defocus.inference.storage import MemoryStorage
from napari_defocus.networks import build
from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.options import Options
from napari_defocus.pipeline.bilateral import RADIUS_SIGMA, smooth_surfaces
from napari_defocus.pipeline.coarse_to_fine import estimate_coarse_to_fine
from napari_defocus.pipeline.levels import ImageLevels
from napari_defocus.pipeline.plane import PlaneRun
from napari_defocus.pipeline.progress import ProgressMeter
from training.multiscale import coarse_to_fine, multiscale_losses


class Remembering(nn.Module):
    """Answers with what the coarser look has found, and one pixel more; keeps what it is shown."""

    descriptor = Descriptor("single", receptive_radius=8, multiple=8)

    def __init__(self):
        super().__init__()
        self.more = nn.Parameter(torch.ones(()))
        self.shown = []

    def forward(self, x):
        self.shown.append(x)
        return torch.stack([x[:, 3] + self.more, torch.full_like(x[:, 4], 0.5)], 1)


def pictures(side, count=1):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("side", "coarsest", "levels"),
    [(64, 8, [8, 4, 2, 1]), (64, 2, [2, 1]), (64, 1, [1]), (48, 8, [2, 1]), (40, 8, [1])],
)
def test_pictures_are_shrunk_as_far_as_their_sides_allow(side, coarsest, levels):
    looks = coarse_to_fine(Remembering(), pictures(side), coarsest)
    assert list(looks) == levels
    assert [look.shape[-1] for look in looks.values()] == [side // level for level in levels]


def test_a_look_is_told_what_the_one_before_has_found():
    network = Remembering()
    looks = coarse_to_fine(network, pictures(32), 4)
    assert not network.shown[0][:, 3:].any()
    assert network.shown[1][:, 3].unique().tolist() == [2]
    assert network.shown[1][:, 4].unique().tolist() == [0.5]
    assert {level: look[:, 0].unique().tolist() for level, look in looks.items()} == {
        4: [1],
        2: [3],
        1: [7],
    }


def test_no_gradient_flows_into_the_look_before():
    network = Remembering()
    coarse_to_fine(network, pictures(32), 4)[1][:, 0].mean().backward()
    assert network.more.grad == 1


def test_training_looks_as_the_plugin_does():
    torch.manual_seed(0)
    network = build("single-estimator", {}).eval()
    nn.init.normal_(network.trunk.head.weight, std=0.1)
    nn.init.constant_(network.trunk.head.bias, -0.5)
    seen = pictures(256)
    with torch.no_grad():
        found = coarse_to_fine(network, seen, 4)[1][0].numpy()
    options = Options(device="cpu", precision="float32")
    run = PlaneRun(options, ProgressMeter(256 * 256), MemoryStorage())
    levels = ImageLevels(seen[0].numpy(), run.storage)
    wanted = run_to_end(estimate_coarse_to_fine(network, levels, run))
    smooth_surfaces(found, seen[0].numpy(), MemoryStorage(), RADIUS_SIGMA["single"])
    assert 0.1 < np.ptp(wanted[0]) < wanted[0].max() < 2.5
    np.testing.assert_allclose(found, wanted, atol=2e-3)


def test_of_large_pictures_the_middle_is_looked_at():
    seen = pictures(64)
    network = Remembering()
    looks = coarse_to_fine(network, seen, 4, largest=24)
    assert [look.shape[-1] for look in looks.values()] == [16, 24, 24]
    torch.testing.assert_close(network.shown[-1][:, :3], seen[..., 20:44, 20:44])
    assert network.shown[-1][:, 3].unique().tolist() == [6]
    truth = torch.zeros(1, 1, 64, 64)
    truth[..., 20:44, 20:44] = 7
    wrong, _ = multiscale_losses({1: looks[1]}, truth, torch.ones_like(truth))
    assert wrong == 0


def test_losses_are_about_pixels_of_the_picture():
    truth = torch.full((1, 1, 16, 16), 4.0)
    sure = torch.ones_like(truth)

    def answer(radius, side):
        return torch.cat(
            [torch.full((1, 1, side, side), radius), torch.full((1, 1, side, side), 0.999)], 1
        )

    right, no_doubt = multiscale_losses({2: answer(2.0, 8), 1: answer(4.0, 16)}, truth, sure)
    assert right == 0
    assert no_doubt < 0.01
    wrong, doubt = multiscale_losses({2: answer(2.5, 8)}, truth, sure)
    fine, _ = multiscale_losses({1: answer(5.0, 16)}, truth, sure)
    torch.testing.assert_close(wrong, fine)
    assert doubt < 0.01
    unsure, _ = multiscale_losses({2: answer(9.0, 8)}, truth, 0 * sure)
    assert unsure == 0


def test_how_large_errors_are_counts_as_much_as_is_asked_for():
    truth, sure = torch.full((1, 1, 8, 8), 4.0), torch.ones(1, 1, 8, 8)
    look = torch.cat([truth + 0.1, torch.full_like(truth, 0.99)], 1)
    plain, half, whole = (
        multiscale_losses({1: look}, truth, sure, spread=s)[1] for s in (0, 0.5, 1)
    )
    torch.testing.assert_close(half - plain, (whole - plain) / 2)
    assert whole < plain  # smaller errors than the confidence of 0.99 lets expect, by half
