"""Reblurring: exact on planes, plausible at occlusions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.data import astronaut
from torch.nn import functional

from napari_defocus.optics.convolution import convolve
from napari_defocus.optics.kernels import disk
from napari_defocus.optics.reblur import interpolated_reblur, reblur_layers


@pytest.fixture(scope="module")
def image():
    return torch.from_numpy(astronaut()[100:164, 200:270]).permute(2, 0, 1)[None] / 255


def constant(image, radius):
    return torch.full_like(image[:, :1], radius)


def test_an_image_in_focus_does_not_change(image):
    torch.testing.assert_close(reblur_layers(image, constant(image, 0.0)), image, atol=1e-5, rtol=0)


@settings(max_examples=15)
@given(st.floats(-9, 9))
def test_flat_light_stays_flat(radius):
    flat = torch.full((1, 3, 20, 24), 0.4)
    torch.testing.assert_close(reblur_layers(flat, constant(flat, radius)), flat, atol=1e-4, rtol=0)


@pytest.mark.parametrize("radius", [3, -3, 7])
def test_one_depth_is_one_convolution(image, radius):
    expected = convolve(image, disk(abs(radius))[None])[:, 0]
    inner = (..., slice(8, -8), slice(8, -8))
    torch.testing.assert_close(
        reblur_layers(image, constant(image, float(radius)))[inner],
        expected[inner],
        atol=1e-4,
        rtol=0,
    )


def test_layers_and_interpolation_agree_on_a_plane(image):
    radius = constant(image, 2.5)
    bank = torch.stack([disk(float(r), 4) for r in range(4)])
    inner = (..., slice(8, -8), slice(8, -8))
    torch.testing.assert_close(
        reblur_layers(image, radius)[inner],
        interpolated_reblur(image, radius, bank)[inner],
        atol=1e-4,
        rtol=0,
    )


def scene_with_edge(near_radius, far_radius):
    """White in front on the left half, black behind on the right half."""
    sharp = torch.zeros(1, 1, 40, 40)
    sharp[..., :20] = 1
    radius = torch.full((1, 1, 40, 40), far_radius)
    radius[..., :20] = near_radius
    return reblur_layers(sharp, radius)[0, 0, 20]


def test_a_sharp_foreground_keeps_its_edge():
    row = scene_with_edge(near_radius=0.0, far_radius=-6.0)
    assert row[:20].min() > 0.999
    assert row[20:].max() < 1e-3


def test_a_blurred_foreground_spreads_over_a_sharp_background():
    row = scene_with_edge(near_radius=6.0, far_radius=0.0)
    assert 0.05 < row[22] < 0.6
    assert row[30] < 1e-3


def test_gradients_reach_image_map_and_kernels(image):
    sharp = image.clone().requires_grad_()
    radius = constant(image, 1.5).requires_grad_()
    bank = torch.stack([disk(float(r), 3) for r in range(3)]).requires_grad_()
    (interpolated_reblur(sharp, radius, bank) ** 2).sum().backward()
    for tensor in (sharp, radius, bank):
        assert tensor.grad.abs().sum() > 0


@pytest.mark.parametrize("radius", [17.0, 30.0, 37.0, 50.0])
def test_radii_between_distant_layers_look_as_their_own_disk(radius):
    image = torch.rand(1, 1, 256, 256, generator=torch.Generator().manual_seed(3))
    image = functional.interpolate(image[..., ::16, ::16], size=(256, 256), mode="bicubic")
    expected = convolve(image, disk(radius)[None])[:, 0]
    inner = (..., slice(64, -64), slice(64, -64))
    error = (reblur_layers(image, constant(image, radius)) - expected)[inner]
    contrast = expected[inner].std()
    assert error.square().mean().sqrt() < 0.05 * contrast
