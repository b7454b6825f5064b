"""Classical methods recover radii and detail."""

import numpy as np
import pytest
from scipy.ndimage import fourier_shift
from skimage.data import astronaut, chelsea
from skimage.transform import downscale_local_mean

from napari_defocus import reblur
from training.evaluation.baselines import DEBLURRING, block_matching
from training.evaluation.deblurring import DISPLAY
from training.metrics import psnr

RADIUS = 2.5


@pytest.fixture(scope="module")
def sharp():
    image = downscale_local_mean(astronaut(), (2, 2, 1)) / 255
    return np.clip(image, 0, 1).astype(np.float32)


def test_views_apart_have_a_radius(sharp):
    right = sharp.mean(-1)
    disparity = 3.5
    left = np.fft.ifft2(fourier_shift(np.fft.fft2(right), (0, disparity))).real
    radius = block_matching(left, right)[32:-32, 32:-32]
    assert np.median(radius) == pytest.approx(disparity * 3 * np.pi / 8, abs=0.15)
    assert np.median(block_matching(right, left)[32:-32, 32:-32]) < -3.5


def test_views_of_odd_size_and_different_brightness():
    view = chelsea().mean(-1)[:151, :203]
    radius = block_matching(view, view + 20)
    assert radius.shape == view.shape
    np.testing.assert_allclose(radius, 0, atol=0.1)


@pytest.mark.parametrize("method", ["Richardson-Lucy", "Wiener"])
def test_a_disk_of_the_right_radius_is_undone_in_part(sharp, method):
    blurred = reblur(sharp, np.full(sharp.shape[:2], RADIUS), **DISPLAY)
    restored = DEBLURRING[method](blurred, RADIUS)
    assert psnr(restored, sharp) > psnr(blurred, sharp) + 0.5


@pytest.mark.parametrize("method", DEBLURRING)
def test_shape_range_and_plain_areas_stay(sharp, method):
    restored = DEBLURRING[method](sharp, RADIUS)
    assert restored.shape == sharp.shape
    assert restored.dtype == np.float32
    assert 0 <= restored.min() <= restored.max() <= 1
    plain = np.full((40, 50, 3), 0.5, np.float32)
    np.testing.assert_allclose(DEBLURRING[method](plain, RADIUS), plain, atol=0.01)
