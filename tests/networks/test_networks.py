"""Networks: shapes, ranges and gates, which hold for any weights."""

import pytest
import torch
from torch.nn import functional

from napari_defocus.networks import ARCHITECTURES, build
from napari_defocus.networks.blocks import GatedBlock, box, local_statistics, normalize_locally
from napari_defocus.networks.generator import (
    KNOTS,
    confidence_gate,
    defocus_gate,
    half_size_condition,
)
from napari_defocus.optics.kernels import disks
from napari_defocus.optics.light import decode_srgb, encode_srgb
from napari_defocus.optics.reblur import interpolated_reblur


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_shapes_follow_the_descriptor(architecture):
    arguments = {"width": 8} if "generator" in architecture else {}
    network = build(architecture, arguments).eval()
    descriptor = network.descriptor
    size = 2 * descriptor.multiple
    with torch.inference_mode():
        result = network(torch.rand(2, descriptor.in_channels, size, size))
    assert result.shape == (2, descriptor.out_channels, size, size)
    assert result.dtype == torch.float32
    assert result.isfinite().all()


@pytest.mark.parametrize("architecture", ["single-estimator", "dual-estimator", "generator"])
def test_networks_do_not_change_their_input_and_are_differentiable(architecture, randomized):
    network = randomized(architecture)
    image = torch.rand(1, network.descriptor.in_channels, 64, 64)
    x = image.clone().requires_grad_()
    network(x).sum().backward()
    assert torch.equal(x, image)
    assert x.grad.isfinite().all()
    assert x.grad[:, :3].any()


@pytest.mark.parametrize("architecture", ["single-estimator", "dual-estimator"])
def test_confidence_is_a_probability(architecture, randomized):
    network = randomized(architecture)
    with torch.inference_mode():
        result = network(torch.rand(1, network.descriptor.in_channels, 64, 64))
    assert result[:, 1].min() >= 0
    assert result[:, 1].max() <= 1
    assert result[:, 0].abs().max() <= network.descriptor.max_radius


def test_single_radius_is_never_negative(randomized):
    network = randomized("single-estimator")
    with torch.inference_mode():
        assert network(torch.rand(1, 5, 64, 64))[:, 0].min() >= 0


@pytest.mark.parametrize("architecture", ["single-estimator", "dual-estimator"])
def test_an_estimator_takes_the_radius_of_the_neighbor_that_scores_highest(
    architecture, randomized
):
    alone = randomized(architecture, neighbors=())
    state = alone.state_dict()

    def prefer(neighbor):
        mixing = build(architecture, {"neighbors": (3,)}).eval()
        head = {}
        for name in ("trunk.head.weight", "trunk.head.bias"):
            head[name] = torch.zeros_like(mixing.state_dict()[name])
            head[name][: len(state[name])] = state[name]
        head["trunk.head.bias"][len(state["trunk.head.bias"]) + neighbor] = 100
        mixing.load_state_dict(state | head)
        return mixing

    upper_left, itself = prefer(0), prefer(4)
    chance = torch.Generator().manual_seed(0)
    x = torch.rand(1, alone.descriptor.in_channels, 64, 64, generator=chance)
    with torch.inference_mode():
        before, after, same = alone(x), upper_left(x), itself(x)
    torch.testing.assert_close(after[:, 0, 8:-2, 8:-2], before[:, 0, 2:-8, 2:-8])
    torch.testing.assert_close(same, before)
    assert torch.equal(after[:, 1], same[:, 1])


def generator_input(radius):
    chance = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 64, 64, generator=chance)
    return torch.cat([image, torch.full((1, 1, 64, 64), radius), torch.ones(1, 1, 64, 64)], 1)


def test_the_generator_does_not_change_pixels_in_focus(randomized):
    network = randomized("generator")
    x = generator_input(4.0)
    x[:, 3, :32] = 0
    with torch.inference_mode():
        result = network(x)
    assert torch.equal(result[:, :, :32], x[:, :3, :32])
    assert not torch.equal(result[:, :, 32:], x[:, :3, 32:])


def test_the_generator_does_not_change_pixels_of_low_confidence(randomized):
    network = randomized("generator")
    x = generator_input(4.0)
    x[:, 4, :32] = 0.1
    with torch.inference_mode():
        result = network(x)
    assert torch.equal(result[:, :, :32], x[:, :3, :32])
    assert not torch.equal(result[:, :, 32:], x[:, :3, 32:])


def test_a_cautious_generator_changes_less_at_lower_confidence(randomized):
    bold, cautious = randomized("generator"), randomized("generator", caution=0.5)
    x = generator_input(4.0)
    for confidence, share in ((1.0, 1.0), (0.6, 0.8), (0.4, 0.7)):
        x[:, 4] = confidence
        with torch.inference_mode():
            change, less = bold(x) - x[:, :3], cautious(x) - x[:, :3]
        torch.testing.assert_close(less, share * change, atol=1e-6, rtol=1e-4)


def sharp_image_and_input():
    """Return a sharp image, and a generator's input: blurred by 2.5 px, with a certain map."""
    x = generator_input(2.5)
    blurred = interpolated_reblur(decode_srgb(x[:, :3]), x[:, 3:4], disks(3))
    return x[:, :3], torch.cat([encode_srgb(blurred), x[:, 3:]], 1)


def test_consistency_brings_the_reblurred_result_closer_to_the_image(randomized):
    def residual(result):
        return plain.reblur_error(x[:, :3], result, x[:, 3:4]).square().mean()

    plain, some, more = (randomized("generator", consistency=share) for share in (0, 0.25, 0.5))
    _, x = sharp_image_and_input()
    with torch.inference_mode():
        assert residual(more(x)) < residual(some(x)) < residual(plain(x))


def test_what_the_blur_erases_is_not_added_back_in_landweber_steps():
    checkers = torch.zeros(1, 3, 64, 64) + (torch.arange(64) % 2).float()
    image, plain = 0.4 + 0.2 * checkers, torch.full((1, 3, 64, 64), 0.5)
    radius = torch.full((1, 1, 64, 64), 4.0)
    some, none = (
        build("generator", {"landweber": each}).reblur_error(image, plain, radius)
        for each in (False, True)
    )
    inner = (..., slice(16, 48), slice(16, 48))
    assert some[inner].std() > 0.09
    assert none[inner].std() < 0.01


def test_a_sharp_image_explains_its_blurred_image():
    sharp, x = sharp_image_and_input()
    assert build("generator", {}).reblur_error(x[:, :3], sharp, x[:, 3:4]).abs().max() < 1e-5


@pytest.mark.parametrize(("radius", "confidence"), [(0.5, 1.0), (4.0, 0.1), (10.0, 1.0)])
def test_nothing_is_added_back_in_focus_at_low_confidence_or_at_large_radii(
    randomized, radius, confidence
):
    plain, consistent = randomized("generator"), randomized("generator", consistency=0.5)
    x = generator_input(radius)
    x[:, 4] = confidence
    with torch.inference_mode():
        assert torch.equal(consistent(x), plain(x))


def test_the_result_depends_on_the_map(randomized):
    network = randomized("generator")
    with torch.inference_mode():
        small, large = network(generator_input(2.0)), network(generator_input(6.0))
    assert (small - large).abs().max() > 1e-3


def test_a_new_generator_changes_little():
    network = build("generator", {}).eval()
    x = generator_input(3.0)
    with torch.inference_mode():
        assert (network(x) - x[:, :3]).abs().mean() < 1


def test_bins_of_the_radius_sum_to_one_beside_the_confidence():
    radius = torch.linspace(0, 30, 302).repeat(1, 1, 64, 1)
    confidence = torch.linspace(0, 1, 302).repeat(1, 1, 64, 1)
    condition = half_size_condition(radius, confidence)
    bins = condition[:, :-1]
    assert bins.min() >= 0
    torch.testing.assert_close(bins.sum(1), torch.ones(1, 32, 151))
    torch.testing.assert_close(condition[:, -1:], functional.avg_pool2d(confidence, 2))
    at_knots = half_size_condition(torch.full((1, 1, 4, 4), KNOTS[3]), torch.ones(1, 1, 4, 4))
    assert at_knots[0, :-1, 0, 0].argmax() == 3


def test_the_defocus_gate_opens_defocus_gate():
    assert defocus_gate(torch.tensor([0.0, 0.25])).tolist() == [0.0, 0.0]
    assert defocus_gate(torch.tensor([0.75, 20.0])).tolist() == [1.0, 1.0]


def test_the_confidence_gate_opens_with_confidence():
    assert confidence_gate(torch.tensor([0.0, 0.1, 0.3, 1.0])).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_local_normalization_removes_brightness_and_contrast():
    gray = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        normalize_locally(gray, 4),
        normalize_locally(0.5 * gray + 0.2, 4),
        atol=0.02,
        rtol=0.02,
    )


@pytest.mark.parametrize("channels", [2, 9])
@pytest.mark.parametrize("half", [0, 3])
def test_blocks_and_boxes_do_not_change_their_input(channels, half):
    x = torch.rand(1, channels, 16, 16)
    before = x.clone()
    GatedBlock(channels, 2 * channels)(x)
    box(x, half)
    assert torch.equal(x, before)


def test_local_statistics_are_mean_and_deviation_of_a_square():
    gray = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    mean, deviation = local_statistics(gray, 3, floor=0)
    around = gray[..., 7:14, 10:17]
    torch.testing.assert_close(mean[..., 10, 13], around.mean((-2, -1)))
    torch.testing.assert_close(deviation[..., 10, 13], around.std((-2, -1), correction=0))
    assert local_statistics(0 * gray, 3)[1].min() == pytest.approx(0.02)


def test_guidance_of_zero_ignores_the_map():
    network = build("paper-generator", {"width": 8}).eval()
    image = torch.rand(1, 3, 128, 128)
    ones = torch.ones(1, 1, 128, 128)
    with torch.inference_mode():
        near, far = (network(torch.cat([image, r * ones, ones], 1)) for r in (1.0, 7.0))
        assert torch.equal(near, far)
        network.guidance = 1.0
        near, far = (network(torch.cat([image, r * ones, ones], 1)) for r in (1.0, 7.0))
    assert not torch.equal(near, far)


def test_unrolled_steps_do_not_change_pixels_in_focus(randomized):
    network = randomized("unrolled-generator")
    x = generator_input(4.0)
    x[:, 3, :32] = 0
    with torch.inference_mode():
        result = network(x)
    assert torch.equal(result[:, :, :32], x[:, :3, :32])
    assert not torch.equal(result[:, :, 32:], x[:, :3, 32:])


def test_each_unrolled_step_explains_more_of_the_image():
    _, x = sharp_image_and_input()

    def residual(steps):
        network = build("unrolled-generator", {"steps": steps}).eval()
        with torch.inference_mode():
            return network.reblur_error(x[:, :3], network(x), x[:, 3:4]).square().mean()

    one, two, three = map(residual, (1, 2, 3))
    assert three < two < one


def test_the_steps_of_an_unrolled_network_share_their_weights():
    one, three = (build("unrolled-generator", {"steps": steps}) for steps in (1, 3))
    assert one.state_dict().keys() == three.state_dict().keys()
