"""Discriminator: scores of patches, and the gradient penalty."""

import pytest
import torch
from torch import nn

from training.data.rng import SampleRNG
from training.discriminator import PatchDiscriminator, gradient_penalty


@pytest.fixture(scope="module")
def discriminator():
    torch.manual_seed(0)
    return PatchDiscriminator(8)


@pytest.fixture
def scenes(pool):
    return pool.draw(SampleRNG.from_key(0, samples=range(3)), 48)


@pytest.fixture
def share():
    return SampleRNG.from_key(1, samples=range(3)).uniform(0, 1, 1, 1, 1)


def test_each_patch_has_a_score(discriminator, scenes):
    assert discriminator(scenes.sharp).shape == (3, 1, 4, 4)
    assert PatchDiscriminator().layers[0].out_channels == 64


def test_without_normalization_a_score_depends_on_the_published_patch():
    layers = PatchDiscriminator(4).layers
    plain = [layer for layer in layers if not isinstance(layer, nn.InstanceNorm2d)]
    discriminator = nn.Sequential(*plain)
    image = torch.rand(1, 3, 128, 128, requires_grad=True)
    discriminator(image)[0, 0, 7, 7].backward()
    reached = image.grad.abs().sum((0, 1)).nonzero()
    assert (reached.amax(0) - reached.amin(0) + 1).tolist() == [70, 70]


def test_the_penalty_is_the_mean_over_samples_of_their_own_penalties(discriminator, scenes, share):
    whole = gradient_penalty(discriminator, scenes.sharp, scenes.left, share)
    own = [
        gradient_penalty(discriminator, *(x[i : i + 1] for x in (scenes.sharp, scenes.left, share)))
        for i in range(3)
    ]
    torch.testing.assert_close(whole, torch.stack(own).mean())
    changed = scenes.sharp.clone()
    changed[0] = changed[0].flip(0)
    other = gradient_penalty(discriminator, changed, scenes.left, share)
    first = gradient_penalty(discriminator, changed[:1], scenes.left[:1], share[:1])
    torch.testing.assert_close(other - whole, (first - own[0]) / 3, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("slope", [0.0, 1.0, 3.0])
def test_the_penalty_is_zero_for_a_slope_of_one(slope):
    class Plane(nn.Module):
        def forward(self, image):
            return slope * image[:, :1, :1, :1]

    real, fake = torch.zeros(2, 3, 8, 8), torch.ones(2, 3, 8, 8)
    penalty = gradient_penalty(Plane(), real, fake.requires_grad_(), torch.full((2, 1, 1, 1), 0.5))
    assert penalty == pytest.approx((slope - 1) ** 2)


def test_the_penalty_has_a_gradient_in_the_discriminator_alone(discriminator, scenes, share):
    fake = scenes.left.clone().requires_grad_()
    gradient_penalty(discriminator, scenes.sharp, fake, share).backward()
    assert fake.grad is None
    assert discriminator.layers[0].weight.grad.abs().sum() > 0


def test_the_penalty_is_the_same_under_autocast(discriminator, scenes, share):
    plain = gradient_penalty(discriminator, scenes.sharp, scenes.left, share)
    with torch.autocast("cpu", torch.bfloat16):
        cast = gradient_penalty(discriminator, scenes.sharp, scenes.left, share)
    torch.testing.assert_close(cast, plain)
