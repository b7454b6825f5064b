"""Detection of enlarged images, and work on them at their original size."""

import io
from functools import cache

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage import data
from skimage.transform import resize
from torch import nn

from napari_defocus import deblur, estimate_defocus, reblur
from napari_defocus.inference.resample import downsample, upsample
from napari_defocus.inference.storage import ComputedPlanes
from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.pipeline.deblur_levels import deblur_at_levels
from napari_defocus.pipeline.upsampling import detect_upsampling
from napari_defocus.viewer.files.samples import dual_pixel_pair

from .runs import drain_steps, levels_of, plane_run

DISPLAY = {"channel_axis": -1, "encoding": "srgb", "value_range": (0, 1)}
PILLOW = [Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BILINEAR]


@cache
def coffee(side=256):
    """Return the middle of a sharp photograph, (side, side, 3)."""
    return middle(data.coffee()[100:356, 200:456], side)


@cache
def astronaut(side=256):
    """Return the middle of a sharp photograph, (side, side, 3)."""
    return middle(data.astronaut()[:256, 100:356], side)


@cache
def stairs(side=256):
    """Return the middle of a photograph that is blurred in places, (side, side, 3)."""
    return middle(dual_pixel_pair()[-1][0][100:356, 300:556], side)


def middle(image, side):
    margin = (len(image) - side) // 2
    inner = slice(margin, margin + side)
    return np.asarray(image)[inner, inner].astype(np.float32) / 255


def planes(image):
    return np.ascontiguousarray(image.transpose(2, 0, 1), np.float32)


def by_spline(image, times):
    shape = (times * image.shape[0], times * image.shape[1])
    return resize(image, shape, order=3).clip(0, 1).astype(np.float32)


def by_pillow(image, times, how):
    size = (times * image.shape[1], times * image.shape[0])
    channels = [Image.fromarray(channel).resize(size, how) for channel in planes(image)]
    return np.stack([np.asarray(channel) for channel in channels], -1).clip(0, 1)


def as_8_bits(image):
    return np.round(image * 255) / np.float32(255)


def as_jpeg(image, quality):
    buffer = io.BytesIO()
    Image.fromarray(np.round(image * 255).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer), np.float32) / 255


@cache
def enlarged(part, times):
    """Return a picture of 512 x 512 pixels, enlarged by several interpolations."""
    small = part(512 // times)
    return [by_spline(small, times), *(by_pillow(small, times, how) for how in PILLOW)]


@pytest.mark.parametrize("part", [coffee, astronaut, stairs])
@pytest.mark.parametrize(("times", "rounded"), [(2, False), (4, True)])
def test_enlarged_images_are_detected_for_any_interpolation(part, times, rounded):
    images = [as_8_bits(image) if rounded else image for image in enlarged(part, times)]
    assert [detect_upsampling(planes(image)) for image in images] == [times] * 4


@pytest.mark.parametrize("part", [coffee, astronaut, stairs])
@pytest.mark.parametrize("radius", [1.5, 3.0, 5.0])
def test_blur_is_not_detected_as_enlarging_even_without_noise(part, radius):
    sharp = part()
    blurred = [
        reblur(sharp, np.full(sharp.shape[:2], radius), **DISPLAY),
        gaussian_filter(sharp, (radius / 2, radius / 2, 0)),
    ]
    for image in [sharp, *blurred]:
        assert detect_upsampling(planes(image)) == detect_upsampling(planes(as_8_bits(image))) == 1


@pytest.mark.parametrize("quality", [40, 75, 95])
def test_jpeg_blocks_are_not_detected_as_enlarging(quality):
    sharp = coffee()
    for image in (sharp, gaussian_filter(sharp, (2, 2, 0))):
        assert detect_upsampling(planes(as_jpeg(image, quality))) == 1


def test_an_image_with_a_sharp_part_is_not_detected_as_enlarged():
    image = by_spline(coffee(128), 4)
    image[128:384, 128:384] = coffee()
    assert detect_upsampling(planes(image)) == 1


@pytest.mark.parametrize("shape", [(3, 300, 300), (1, 40, 400), (1, 128, 128)])
def test_flat_images_are_not_detected_as_enlarged(shape):
    assert detect_upsampling(np.full(shape, 0.3, np.float32)) == 1


def test_radii_of_an_enlarged_photograph_are_enlarged_with_it():
    small, large = stairs(128), by_spline(stairs(128), 4)
    one, four = (np.asarray(estimate_defocus(image, **DISPLAY).radius) for image in (small, large))
    assert np.median(np.abs(four[2::4, 2::4] / 4 - one)) < 0.25


class Doubling(nn.Module):
    """Doubles the image, and counts its pixels."""

    descriptor = Descriptor("deblur", receptive_radius=1, multiple=8)

    def __init__(self):
        super().__init__()
        self.pixels = 0

    def __deepcopy__(self, memo):
        return self

    def forward(self, x):
        self.pixels += x.shape[-2] * x.shape[-1]
        return 2 * x[:, :3]


def test_an_enlarged_photograph_is_deblurred_at_its_original_size():
    network, image = Doubling(), planes(by_spline(coffee(128), 4))
    shape = image.shape[1:]
    estimate = np.stack([np.full(shape, 8.0), np.ones(shape)]).astype(np.float32)
    run = plane_run(expected=shape[0] * shape[1])
    needed = np.ones(shape, bool)
    steps = deblur_at_levels(network, levels_of(image, run), estimate, needed, run)
    change, _ = drain_steps(steps)
    assert network.pixels < 1.3 * image[0].size / 16
    smooth = upsample(downsample(image, [4])[0], 4, shape, cubic=True)
    np.testing.assert_allclose(change, smooth, atol=1e-5)


@pytest.mark.parametrize("work", [estimate_defocus, deblur])
def test_progress_of_an_enlarged_photograph_reaches_its_total(work):
    progress = []
    image = by_spline(stairs(128), 2)
    work(
        image,
        progress=lambda done, total: progress.append((done, total)),
        tile=128,
        **DISPLAY,
    )
    assert progress[-2][0] == progress[-2][1]


def test_lazily_read_images_are_detected_too():
    image = planes(by_spline(coffee(128), 4))
    lazy = ComputedPlanes(image.shape, lambda rows, columns: image[:, rows, columns])
    assert detect_upsampling(lazy) == 4
