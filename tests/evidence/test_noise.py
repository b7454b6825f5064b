"""Noise of an image at several scales."""

import numpy as np
import pytest
import torch

from napari_defocus.evidence.bands import octave_bands
from napari_defocus.evidence.noise import estimate_noise

from .scenes import smooth_noise


def true_energies(noise):
    return (octave_bands(torch.from_numpy(noise)[None])[:, 0] ** 2).mean((1, 2))


@pytest.mark.parametrize("softness", [0, 0.5])
def test_noise_of_a_flat_image_is_found_at_every_scale(softness):
    noise = 0.01 * smooth_noise(np.random.default_rng(0), 256, softness).astype(np.float32)
    model = estimate_noise([torch.from_numpy(0.5 + noise)], 0, even=True)
    ratio = (model.energies.mean(0) / true_energies(noise)).sqrt()
    assert ((ratio > 0.7) & (ratio < 1.4)).all()


def test_detail_does_not_count_as_noise_where_some_place_is_flat():
    rng = np.random.default_rng(0)
    noise = (0.01 * rng.standard_normal((256, 256))).astype(np.float32)
    detail = 0.1 * smooth_noise(rng, 256, 2).astype(np.float32)
    detail[:, 128:] *= 0.01
    model = estimate_noise([torch.from_numpy(0.5 + detail + noise)], 0, even=True)
    ratio = (model.energies.mean(0) / true_energies(noise)).sqrt()
    assert ((ratio > 0.7) & (ratio < 2)).all()


def test_noise_depends_on_brightness_where_light_is_counted():
    light = np.broadcast_to(np.linspace(0.1, 0.9, 256), (256, 256))
    noise = 0.02 * np.sqrt(light) * np.random.default_rng(0).standard_normal((256, 256))
    model = estimate_noise([torch.from_numpy((light + noise).astype(np.float32))], 0, even=False)
    dark, bright = model.at(torch.tensor([0.2, 0.8]))[0]
    assert 2 < bright / dark < 8


def test_rounding_is_the_least_noise():
    flat = torch.full((64, 64), 0.5)
    coarse, fine = (estimate_noise([flat], step, even=True).energies[0, 0] for step in (0.1, 1e-9))
    assert coarse > 100 * fine > 0
