"""Coarse-to-fine estimation during training, which equals that of the plugin."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_defocus.inference.storage import MemoryStorage
from napari_defocus.networks import build
from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.options import Options
from napari_defocus.pipeline.bilateral import RADIUS_SIGMA, smooth_surfaces
from napari_defocus.pipeline.coarse_to_fine import estimate_coarse_to_fine
from napari_defocus.pipeline.levels import ImageLevels
from napari_defocus.pipeline.plane import PlaneRun
from napari_defocus.pipeline.progress import ProgressMeter
from napari_defocus.steps import run_to_end
from training.multiscale import coarse_to_fine, multiscale_losses


class AddOne(nn.Module):
    """Network that adds 1 px to the coarser radius and keeps its inputs."""

    descriptor = Descriptor("single", receptive_radius=8, multiple=8)

    def __init__(self):
        super().__init__()
        self.step = nn.Parameter(torch.ones(()))
        self.inputs = []

    def forward(self, x):
        self.inputs.append(x)
        return torch.stack([x[:, 3] + self.step, torch.full_like(x[:, 4], 0.5)], 1)


def pictures(side, count=1):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("side", "coarsest", "factors"),
    [(64, 8, [8, 4, 2, 1]), (64, 2, [2, 1]), (64, 1, [1]), (48, 8, [2, 1]), (40, 8, [1])],
)
def test_pictures_are_downscaled_as_far_as_their_sides_allow(side, coarsest, factors):
    estimates = coarse_to_fine(AddOne(), pictures(side), coarsest)
    assert list(estimates) == factors
    assert [e.shape[-1] for e in estimates.values()] == [side // factor for factor in factors]


def test_the_network_sees_the_coarser_estimate_in_its_own_pixels():
    network = AddOne()
    estimates = coarse_to_fine(network, pictures(32), 4)
    assert not network.inputs[0][:, 3:].any()
    assert network.inputs[1][:, 3].unique().tolist() == [2]
    assert network.inputs[1][:, 4].unique().tolist() == [0.5]
    assert {factor: e[:, 0].unique().tolist() for factor, e in estimates.items()} == {
        4: [1],
        2: [3],
        1: [7],
    }


def test_no_gradient_flows_into_the_coarser_estimate():
    network = AddOne()
    coarse_to_fine(network, pictures(32), 4)[1][:, 0].mean().backward()
    assert network.step.grad == 1


def test_the_estimate_equals_that_of_the_plugin():
    torch.manual_seed(0)
    network = build("single-estimator", {}).eval()
    nn.init.normal_(network.trunk.head.weight, std=0.1)
    nn.init.constant_(network.trunk.head.bias, -0.5)
    image = pictures(256)
    with torch.no_grad():
        ours = coarse_to_fine(network, image, 4)[1][0].numpy()
    options = Options(device="cpu", precision="float32")
    run = PlaneRun(options, ProgressMeter(256 * 256), MemoryStorage())
    levels = ImageLevels(image[0].numpy(), run.storage)
    plugin = run_to_end(estimate_coarse_to_fine(network, levels, run))
    smooth_surfaces(ours, image[0].numpy(), MemoryStorage(), RADIUS_SIGMA["single"])
    assert 0.1 < np.ptp(plugin[0]) < plugin[0].max() < 2.5
    np.testing.assert_allclose(ours, plugin, atol=2e-3)


def test_only_the_middle_of_large_pictures_is_estimated():
    image = pictures(64)
    network = AddOne()
    estimates = coarse_to_fine(network, image, 4, max_side=24)
    assert [estimate.shape[-1] for estimate in estimates.values()] == [16, 24, 24]
    torch.testing.assert_close(network.inputs[-1][:, :3], image[..., 20:44, 20:44])
    assert network.inputs[-1][:, 3].unique().tolist() == [6]
    truth = torch.zeros(1, 1, 64, 64)
    truth[..., 20:44, 20:44] = 7
    radius_loss, _ = multiscale_losses({1: estimates[1]}, truth, torch.ones_like(truth))
    assert radius_loss == 0


def test_losses_are_in_pixels_of_the_picture():
    truth = torch.full((1, 1, 16, 16), 4.0)
    weight = torch.ones_like(truth)

    def estimate(radius, side):
        return torch.cat(
            [torch.full((1, 1, side, side), radius), torch.full((1, 1, side, side), 0.999)], 1
        )

    estimates = {2: estimate(2.0, 8), 1: estimate(4.0, 16)}
    right, right_confidence = multiscale_losses(estimates, truth, weight)
    assert right == 0
    assert right_confidence < 0.01
    coarse, coarse_confidence = multiscale_losses({2: estimate(2.5, 8)}, truth, weight)
    fine, _ = multiscale_losses({1: estimate(5.0, 16)}, truth, weight)
    torch.testing.assert_close(coarse, fine)
    assert coarse_confidence < 0.01
    weightless, _ = multiscale_losses({2: estimate(9.0, 8)}, truth, 0 * weight)
    assert weightless == 0


def test_the_likelihood_of_errors_counts_in_proportion_to_spread():
    truth, weight = torch.full((1, 1, 8, 8), 4.0), torch.ones(1, 1, 8, 8)
    estimate = torch.cat([truth + 0.1, torch.full_like(truth, 0.99)], 1)
    plain, half, whole = (
        multiscale_losses({1: estimate}, truth, weight, spread=s)[1] for s in (0, 0.5, 1)
    )
    torch.testing.assert_close(half - plain, (whole - plain) / 2)
    assert whole < plain  # the errors are half of those that a confidence of 0.99 means
