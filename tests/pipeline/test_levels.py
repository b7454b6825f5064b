"""Resolution levels: the choice of a downscale, and smaller pictures made once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.inference.resample import downsample
from napari_defocus.inference.storage import DiskStorage, MemoryStorage
from napari_defocus.pipeline.levels import ImageLevels, choose_downscale


@given(st.floats(0.1, 400), st.floats(8, 32))
def test_downscale_brings_radii_into_the_networks_range(radius, limit):
    factor = choose_downscale(np.full((9, 9), radius), np.ones((9, 9)), limit)
    assert radius / factor <= limit / 3
    assert factor == 1 or radius / (factor // 2) > limit / 3


def test_downscale_follows_confident_radii_and_ignores_a_few():
    radius = np.ones((100, 100))
    radius[:20] = 90
    confidence = np.where(radius > 1, 0, 1)
    assert choose_downscale(radius, confidence, 24) == 1
    assert choose_downscale(radius, np.ones_like(radius), 24) == 16
    assert choose_downscale(-radius, np.ones_like(radius), 24) == 16
    radius[:] = 1
    radius[0, :30] = 90
    assert choose_downscale(radius, np.ones_like(radius), 24) == 1
    assert choose_downscale(radius, np.zeros_like(radius), 24) == 1


class CountingPlanes:
    """Planes that count how often each pixel is read."""

    def __init__(self, image):
        self.image, self.shape = image, image.shape
        self.reads = np.zeros(image.shape[-2:], int)

    def __getitem__(self, index):
        self.reads[index[-2:]] += 1
        return self.image[index]


@pytest.mark.parametrize("on_disk", [False, True])
def test_levels_are_made_once(tmp_path, on_disk):
    image = CountingPlanes(np.random.default_rng(0).random((3, 300, 420), np.float32))
    levels = ImageLevels(image, DiskStorage(tmp_path, 128) if on_disk else MemoryStorage())
    first = levels.at([1, 2, 4, 8])
    assert image.reads.max() == 1
    again = levels.at([1, 2])
    assert image.reads.max() == 1
    assert all(one is other for one, other in zip(first, again, strict=False))
    for picture, expected in zip(first[1:], downsample(image.image, [2, 4, 8]), strict=True):
        np.testing.assert_allclose(picture[:, :, :], expected, atol=1e-6)
