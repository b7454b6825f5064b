"""Scenes kept in a file come back as they were rendered."""

import numpy as np
import torch

from training.data.scene import render
from training.data.sensor import SensorOptions, photograph


def test_scenes_come_back(corpus, pool, options):
    assert len(pool) == 16
    rendered = render(corpus, 8, 2, options)
    kept = pool.take(np.arange(8, 16), options.size, np.random.default_rng(0))
    torch.testing.assert_close(kept.sharp, rendered.sharp, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(kept.radius, rendered.radius, atol=1e-2, rtol=2e-3)


def test_draws_are_reproducible_and_cropped(pool):
    first, again = (pool.draw(4, 32, np.random.default_rng(7)) for _ in range(2))
    assert first.left.shape == (4, 3, 32, 32)
    assert torch.equal(first.left, again.left)
    assert torch.equal(first.radius, again.radius)


def test_photographs_are_display_values(pool):
    scenes = pool.draw(8, 48, np.random.default_rng(0))
    photos = photograph(scenes, np.random.default_rng(1), SensorOptions(), views=True)
    for image in (photos.sharp, photos.centre, photos.left, photos.right):
        assert image.min() >= 0
        assert image.max() <= 1
        assert image.isfinite().all()
    assert not torch.equal(photos.left, photos.right)


def test_noise_follows_the_options(pool):
    scenes = pool.draw(8, 48, np.random.default_rng(0))

    def roughness(read):
        sensor = SensorOptions(shot=(1e-9, 1e-9), read=(read, read), grey_share=0, jpeg_share=0)
        photos = photograph(scenes, np.random.default_rng(1), sensor, views=False)
        return photos.centre.diff(dim=-1).abs().mean()

    assert roughness(0.05) > 1.5 * roughness(1e-5)


def test_grey_scenes_are_grey(pool):
    scenes = pool.draw(4, 32, np.random.default_rng(0))
    sensor = SensorOptions(grey_share=1.0, jpeg_share=0)
    photos = photograph(scenes, np.random.default_rng(1), sensor, views=False)
    assert torch.equal(photos.centre[:, 0], photos.centre[:, 2])
