"""Photographs of scenes: noise, colours, encoding."""

import torch

from training.data.chance import Chance
from training.data.sensor import SensorOptions, photograph

PICTURES = ("sharp", "centre", "left", "right")


def chance(*samples):
    return Chance.of(1, samples=samples)


def test_photographs_are_display_values(pool):
    photos = photograph(pool.fixed(0, 8), chance(*range(8)), SensorOptions(), views=True)
    for name in PICTURES:
        image = getattr(photos, name)
        assert image.min() >= 0
        assert image.max() <= 1
        assert image.isfinite().all()
    assert not torch.equal(photos.left, photos.right)


def test_a_photograph_does_not_depend_on_its_batch(pool):
    sensor = SensorOptions(jpeg_share=0.5)
    whole = photograph(pool.fixed(0, 4), chance(0, 1, 2, 3), sensor, views=True)
    parts = [
        photograph(pool.fixed(first, 2), chance(first, first + 1), sensor, views=True)
        for first in (0, 2)
    ]
    for name in PICTURES:
        together = torch.cat([getattr(part, name) for part in parts])
        torch.testing.assert_close(getattr(whole, name), together, atol=1e-5, rtol=1e-5)


def test_noise_follows_the_options(pool):
    def roughness(read):
        sensor = SensorOptions(shot=(1e-9, 1e-9), read=(read, read), grey_share=0, jpeg_share=0)
        photos = photograph(pool.fixed(0, 8), chance(*range(8)), sensor, views=False)
        return photos.centre.diff(dim=-1).abs().mean()

    assert roughness(0.05) > 1.5 * roughness(1e-5)


def test_grey_scenes_are_grey(pool):
    sensor = SensorOptions(grey_share=1.0, jpeg_share=0)
    photos = photograph(pool.fixed(0, 4), chance(*range(4)), sensor, views=False)
    assert torch.equal(photos.centre[:, 0], photos.centre[:, 2])
