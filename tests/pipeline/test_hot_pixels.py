"""Hot pixels are hidden from networks; what optics show is not."""

import numpy as np
import pytest

from napari_defocus import deblur
from napari_defocus.image.encoding import encode
from napari_defocus.inference.storage import DiskStorage, MemoryStorage
from napari_defocus.pipeline.hot_pixels import hide_hot_pixels, without_hot_pixels


def smooth_plane(side=48):
    y, x = np.mgrid[:side, :side].astype(np.float32)
    return (0.3 + 0.2 * np.sin(x / 5) * np.cos(y / 7))[None].astype(np.float32)


@pytest.mark.parametrize("place", [(20, 20), (0, 0), (0, 47), (47, 13)])
@pytest.mark.parametrize("value", [1.7, 9.0])
def test_a_lone_pixel_beyond_white_takes_a_neighbors_value(place, value):
    plane = smooth_plane()
    hot = plane.copy()
    hot[0, *place] = value
    hidden = hide_hot_pixels(hot)
    assert np.abs(hidden - plane).max() < 0.1
    assert (hidden != hot).sum() == 1


def test_a_point_that_optics_show_stays():
    y, x = np.mgrid[-20:21, -20:21]
    for sigma, shift in ((0.8, 0.0), (0.6, 0.5), (1.5, 0.2)):
        light = 8 * np.exp(-0.5 * ((y - shift) ** 2 + (x - shift) ** 2) / sigma**2)
        point = encode(light[None].astype(np.float32))
        assert point.max() > 1.5
        assert hide_hot_pixels(point) is point


def test_pixels_within_white_stay():
    plane = smooth_plane()
    plane[0, 20, 20] = 1.19
    assert hide_hot_pixels(plane) is plane


def test_blocks_do_not_show(tmp_path):
    plane = smooth_plane()
    plane[0, ::7, ::5] = 5
    plane[0, 15:17, 15:17] = 5
    whole = without_hot_pixels(plane, MemoryStorage())
    blocks = without_hot_pixels(plane, DiskStorage(tmp_path, 16))
    assert np.array_equal(whole[:, 0:48, 0:48], blocks[:, 0:48, 0:48])


def test_a_hot_pixel_changes_nothing_around_it_and_stays():
    rng = np.random.default_rng(0)
    light = np.zeros((96, 96))
    light[rng.integers(10, 86, 30), rng.integers(10, 86, 30)] = 1
    y, x = np.mgrid[-4:5, -4:5]
    disk = (np.hypot(y, x) <= 3.5).astype(float)
    blurred = np.real(np.fft.ifft2(np.fft.fft2(light) * np.fft.fft2(disk / disk.sum(), (96, 96))))
    counts = rng.poisson(100 + 8000 * blurred.clip(0)).astype(np.uint16)
    hot = counts.copy()
    hot[40, 50] = 30000
    settings = {"imaging": "microscopy", "model": "microscopy-faithful"}
    plain, result = (deblur(image, np.full((96, 96), 3.5), **settings) for image in (counts, hot))
    apart = np.abs(result.astype(float) - plain)
    apart[38:43, 48:53] = 0
    assert apart.max() <= 0.02 * np.ptp(plain.astype(float))
    assert np.abs(plain.astype(float) - counts).max() > 0.05 * np.ptp(counts)
    assert result[40, 50] > 20000
