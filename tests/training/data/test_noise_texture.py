"""Noise texture of all sizes, periodic at its borders."""

import torch

from training.data.noise_texture import noise_texture
from training.data.rng import SampleRNG


def fields(count=8, side=96):
    return noise_texture(SampleRNG.from_key(3, samples=range(4)), count, side)


def test_grain_has_mean_0_and_deviation_1():
    field = fields()
    assert field.shape == (4, 8, 96, 96)
    torch.testing.assert_close(field.mean((-2, -1)), torch.zeros(4, 8), atol=1e-5, rtol=0)
    torch.testing.assert_close(field.std((-2, -1)), torch.ones(4, 8))


def test_some_grain_is_fine_and_some_is_coarse():
    step = fields().diff(dim=-1).std((-2, -1))
    assert step.min() < 0.8
    assert step.max() > 1.2


def test_grain_is_periodic_at_its_borders():
    field = fields()
    across = (field[..., 0] - field[..., -1]).std()
    assert across < 1.2 * field.diff(dim=-1).std()
