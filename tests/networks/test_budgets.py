"""Budgets of operations and parameters, and receptive radii."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from napari_defocus.networks import build

HEIGHT, WIDTH = 1120, 1680
OURS = ["single-estimator", "dual-estimator", "generator", "unrolled-generator"]
BUDGETS = {  # GMAC at 1120x1680, million parameters
    "single-estimator": (30, 2.5),
    "dual-estimator": (30, 2.5),
    "generator": (100, 4),
    "unrolled-generator": (100, 4),
}
FOURIER_GMAC = {  # real transforms of 1.9 MP at 2.5 log2(N) operations
    "generator": 1.5,  # 21
    "unrolled-generator": 3.5,  # and 30 of each step after the first
}


def gmac(network, height, width):
    """Return the multiplications of all convolutions at 1120x1680, counted on a smaller image."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, network.descriptor.in_channels, height, width))
    return counter.get_total_flops() / 2e9 * (HEIGHT * WIDTH) / (height * width)


@pytest.mark.parametrize("architecture", OURS)
def test_operations_and_parameters(architecture):
    operations, parameters = BUDGETS[architecture]
    network = build(architecture, {})
    assert sum(p.numel() for p in network.parameters()) <= parameters * 1e6
    assert gmac(network, 280, 840) + FOURIER_GMAC.get(architecture, 0) <= operations


def test_the_paper_preset_is_as_large_as_published():
    network = build("paper-generator", {})
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(4.93e6, rel=0.02)
    assert gmac(network, 128, 128) == pytest.approx(1988, rel=0.05)


def reach(network, image):
    """Return how far from a changed pixel the result changes, in pixels."""
    farthest = 0
    for row, column in [(96, 96), (101, 90)]:
        changed = image.clone()
        changed[..., row, column] += 1
        with torch.inference_mode():
            difference = (network(changed) - network(image)).abs().amax((0, 1))
        rows, columns = (difference > 2e-5).nonzero().T
        farthest = max(farthest, (rows - row).abs().max(), (columns - column).abs().max())
    return farthest


@pytest.fixture
def image():
    return torch.rand(1, 8, 192, 192, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("architecture", OURS)
def test_pixels_beyond_the_receptive_radius_do_not_matter(architecture, randomized, image):
    network = randomized(architecture)
    descriptor = network.descriptor
    assert descriptor.receptive_radius <= 64
    assert 8 < reach(network, image[:, : descriptor.in_channels]) <= descriptor.receptive_radius


@pytest.mark.parametrize("landweber", [False, True])
def test_blurring_again_stays_within_the_receptive_radius(landweber, randomized, image):
    network = randomized("generator", consistency=0.5, landweber=landweber)
    image[:, 3], image[:, 4] = 9.5, 1.0
    assert 8 < reach(network, image[:, :5]) <= network.descriptor.receptive_radius
