"""Losses: values, gradients, and independence of the parts of a batch."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from training.losses import (
    adversarial_loss,
    charbonnier,
    confidence_loss,
    cross_entropy,
    decibel_loss,
    discriminator_loss,
    edge_loss,
    flux_loss,
    fourier_loss,
    light_loss,
    radius_loss,
    reversal_loss,
    spread_loss,
)

FULL_WEIGHT = torch.ones(2)
IMAGE_LOSSES = [charbonnier, decibel_loss, light_loss, fourier_loss, edge_loss]


def images(seed, count=4, size=16):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, size, size, generator=generator)


@pytest.mark.parametrize("loss", [*IMAGE_LOSSES, flux_loss, reversal_loss])
def test_parts_of_a_batch_add_up_to_the_whole(loss):
    image, target = images(0), images(1)
    parts = [loss(image[i : i + 1], target[i : i + 1]) for i in range(len(image))]
    torch.testing.assert_close(torch.stack(parts).mean(), loss(image, target))


@pytest.mark.parametrize("loss", IMAGE_LOSSES)
@given(share=st.floats(0.01, 0.99))
def test_the_loss_falls_towards_the_target(loss, share):
    image, target = images(0), images(1)
    between = target + share * (image - target)
    assert loss(target, target) < loss(between, target) < loss(image, target)


@given(share=st.floats(0.05, 0.9))
def test_a_smaller_error_is_less_by_its_ratio_in_decibels(share):
    image, target = images(0), images(1)
    less = decibel_loss(target + share * (image - target), target, floor=0)
    gain = 20 * math.log10(share)
    assert (less - decibel_loss(image, target, floor=0)).item() == pytest.approx(gain, abs=1e-3)


def test_nearly_perfect_samples_have_a_bounded_decibel_loss():
    target = images(0)
    small = (target + 1e-3, target + 1e-5)
    first, second = (decibel_loss(image, target).item() for image in small)
    assert first - second == pytest.approx(0, abs=0.1)


def test_brightness_changes_the_pixel_loss_but_not_the_edge_loss():
    target = images(0)
    assert edge_loss(target + 0.1, target) == pytest.approx(0, abs=1e-6)
    assert charbonnier(target + 0.1, target) == pytest.approx(0.1, rel=1e-3)


def test_light_that_moves_within_a_window_is_no_loss_but_lost_light_is():
    target = torch.zeros(1, 3, 32, 32)
    target[..., 3, 4] = 1.0
    assert flux_loss(target.roll(5, -1), target, [16]) == 0
    assert flux_loss(target.roll(16, -1), target, [16]) > 0
    assert flux_loss(0.5 * target, target) > 0


def test_the_fourier_loss_of_a_single_pixel():
    target = torch.zeros(1, 1, 8, 8)
    dot = target.clone()
    dot[..., 0, 0] = 8.0  # its spectrum is 1 everywhere, real
    assert fourier_loss(dot, target) == pytest.approx(0.5)


def test_an_error_counts_less_where_the_radius_is_large_or_its_weight_small():
    near = radius_loss(torch.tensor([1.0]), torch.tensor([0.0]), torch.ones(1))
    far = radius_loss(torch.tensor([21.0]), torch.tensor([20.0]), torch.ones(1))
    light = radius_loss(torch.tensor([1.0]), torch.tensor([0.0]), torch.full((1,), 0.25))
    relieved = radius_loss(torch.tensor([21.0]), torch.tensor([20.0]), torch.ones(1), relief=0.5)
    assert relieved < far < near
    assert light == near / 4


def test_confidence_in_wrong_radii_costs_more():
    radius, truth = torch.tensor([1.0, 5.0]), torch.tensor([1.2, 1.0])
    right = confidence_loss(torch.tensor([0.9, 0.1]), radius, truth, FULL_WEIGHT)
    wrong = confidence_loss(torch.tensor([0.9, 0.9]), radius, truth, FULL_WEIGHT)
    assert right < wrong


def test_losses_of_the_confidence_have_no_gradient_in_the_radius():
    radius = torch.tensor([1.0, 5.0], requires_grad=True)
    confidence = torch.tensor([0.5, 0.5], requires_grad=True)
    arguments = confidence, radius, torch.tensor([1.2, 1.0]), FULL_WEIGHT
    (confidence_loss(*arguments) + spread_loss(*arguments)).backward()
    assert radius.grad is None
    assert confidence.grad.abs().min() > 0


@pytest.mark.parametrize("mean", [0.1, 0.25, 1.0, 4.0])
def test_the_best_confidence_corresponds_to_the_mean_error(mean):
    radius = -mean * torch.log1p(-(torch.arange(1000) + 0.5) / 1000)
    truth, weight = torch.zeros_like(radius), torch.ones_like(radius)

    def loss(expected):
        confidence = torch.full_like(radius, 1 - math.exp(-1 / expected))
        return spread_loss(confidence, radius, truth, weight).item()

    assert loss(mean) < loss(mean / 1.5)
    assert loss(mean) < loss(mean * 1.5)
    assert loss(mean) == pytest.approx(1 + math.log(mean), abs=0.01)


def test_confidences_of_zero_and_one_have_finite_losses():
    confidence = torch.tensor([0.0, 1.0], requires_grad=True)
    loss = spread_loss(confidence, torch.tensor([20.0, 20.0]), torch.zeros(2), FULL_WEIGHT)
    loss.backward()
    assert loss.isfinite()
    assert confidence.grad is not None
    assert confidence.grad.isfinite().all()
    assert not spread_loss(confidence, torch.ones(2), torch.zeros(2), 0 * FULL_WEIGHT)


@given(p=st.floats(0.01, 0.99), share=st.floats(0, 1))
def test_cross_entropy_equals_that_of_torch(p, share):
    probability, hits = torch.tensor([p]), torch.tensor([share])
    theirs = functional.binary_cross_entropy(probability, hits)
    torch.testing.assert_close(cross_entropy(probability, hits), theirs, atol=1e-4, rtol=1e-4)


@given(defocus=st.floats(0.01, 1))
def test_patches_out_of_focus_weigh_more_for_discriminator_and_generator(defocus):
    radius = torch.zeros(1, 1, 16, 16)
    radius[..., 8:] = -5.0  # signed: it is the size that counts
    in_focus, out_of_focus = torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    in_focus[..., 0], out_of_focus[..., 1] = 1.0, 1.0
    real = torch.zeros(1, 1, 2, 2)
    factor = 1 + 5 * defocus
    sharp, blurred = (
        discriminator_loss(real, fake, radius, defocus) for fake in (in_focus, out_of_focus)
    )
    assert sharp == pytest.approx(0.5)
    assert blurred == pytest.approx(0.5 * factor, rel=1e-5)
    assert adversarial_loss(out_of_focus, radius, defocus) == pytest.approx(-0.5 * factor, rel=1e-5)
    assert adversarial_loss(out_of_focus, radius, 0) == pytest.approx(-0.5)


def test_the_discriminator_s_loss_is_the_published_one():
    generator = torch.Generator().manual_seed(0)
    real, fake, radius = (torch.rand(2, 1, 4, 4, generator=generator) for _ in range(3))
    d = fake - real
    expected = d.mean() + 0.1 * (d * radius).mean()
    torch.testing.assert_close(discriminator_loss(real, fake, radius, 0.1), expected)


@pytest.mark.parametrize("period", [3, 6, 12])
def test_reversed_detail_costs_its_amplitude_and_missing_detail_nothing(period):
    wave = torch.cos(2 * math.pi / period * torch.arange(48)).expand(1, 3, 48, 48)
    target = 0.5 + 0.2 * wave
    costs = [reversal_loss(0.5 + share * wave, target).item() for share in (0.2, 0.0, -0.1, -0.2)]
    assert costs[0] == pytest.approx(0, abs=1e-6)
    assert costs[1] == pytest.approx(0, abs=1e-6)
    assert costs[2] > 0.03
    assert costs[3] == pytest.approx(2 * costs[2], rel=1e-3)


def test_a_doubled_line_costs_more_than_a_faint_one():
    target = torch.full((1, 3, 33, 33), 0.8)
    target[..., 16] = 0.2
    faint, doubled = torch.full_like(target, 0.8), torch.full_like(target, 0.8)
    faint[..., 14:19] = 0.68
    doubled[..., 16] = 0.9
    doubled[..., (14, 18)] = 0.5
    assert reversal_loss(doubled, target) > 3 * reversal_loss(faint, target)
