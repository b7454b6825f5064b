"""Rendering of a plane with the blur of another focus: block by block, and beside the truth."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_defocus import DefocusMap, refocus
from napari_defocus.image.encoding import decode, encode
from napari_defocus.image.layout import read_layout
from napari_defocus.inference.storage import DiskStorage, MemoryStorage
from napari_defocus.optics.convolution import convolve
from napari_defocus.optics.pupil import make_pupil
from napari_defocus.options import Options
from napari_defocus.pipeline.plane import PlaneRun
from napari_defocus.pipeline.progress import ProgressMeter
from napari_defocus.pipeline.render import PlaneRenderer
from napari_defocus.steps import run_to_end

from ..evidence.scenes import DISPLAY, smooth_noise

SHAPE = (260, 300)


def render(storage, plane, downscale):
    layout = read_layout(plane[0] if len(plane) == 1 else np.moveaxis(plane, 0, -1),
                         None if len(plane) == 1 else -1)  # fmt: skip
    radius = np.linspace(0, 6, SHAPE[1], dtype=np.float32) * np.ones((1, SHAPE[0], 1), np.float32)
    process = PlaneRenderer(layout, signed=False, focus=1.5, aperture=0.8)
    run = PlaneRun(Options(device="cpu", downscale=downscale), ProgressMeter(0), storage)
    steps = process.steps(plane, radius, np.ones_like(radius), value_range=(0, 4000), run=run)
    return run_to_end(steps)[:, :, :]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("downscale", ["auto", 2])
def test_blocks_on_disk_give_the_result_of_the_whole(tmp_path, channels, downscale):
    plane = np.random.default_rng(0).integers(0, 4000, (channels, *SHAPE)).astype(np.uint16)
    whole = render(MemoryStorage(), plane, downscale)
    blocks = render(DiskStorage(tmp_path, 128), plane, downscale)
    assert whole.dtype == blocks.dtype == np.uint16
    np.testing.assert_allclose(blocks.astype(int), whole.astype(int), atol=1)
    assert np.abs(whole.astype(int) - plane).mean() > 100


def truly_layered(near, far, mask, radii, kernel):
    """Return a near plane in front of a whole far one, each blurred on its own, in display values.

    What the near plane hides is known here.
    """

    def blur(light, radius):
        values = torch.from_numpy(np.ascontiguousarray(light, np.float32))[None, None]
        return convolve(values, kernel(radius)[None])[0, 0, 0].numpy() if radius else light

    covered, light = blur(mask, radii[0]), blur(mask * decode(near), radii[0])
    return encode(light + (1 - covered) * blur(decode(far), radii[1]))


def psnr(result, truth):
    return -10 * np.log10(((result - truth) ** 2).mean())


def two_planes(seed, side=160):
    """Return a textured disk in front of a textured background, and the mask of the disk."""
    rng = np.random.default_rng(seed)
    near, far = (
        (0.5 + 0.12 * sum(smooth_noise(rng, side, width) for width in (0.8, 2.0, 6.0)))
        .clip(0, 1)
        .astype(np.float32)
        for _ in range(2)
    )
    rows, columns = np.mgrid[:side, :side] - side / 2
    mask = (np.hypot(rows, columns) < side / 4).astype(np.float32)
    return near, far, mask


@pytest.mark.parametrize("pupil", ["disk", "polygon:6"])
@pytest.mark.parametrize("radii", [(0.0, -5.0), (5.0, 0.0), (3.0, -4.0)])
def test_refocusing_by_known_depth_is_near_the_truth(radii, pupil):
    near, far, mask = two_planes(0)
    sharp = np.where(mask > 0, near, far)
    radius = np.where(mask > 0, *radii).astype(np.float32)
    truth = truly_layered(near, far, mask, radii, make_pupil(pupil).kernel)
    signed = DefocusMap(radius, np.ones_like(radius), signed=True)
    view = refocus(sharp, signed, focus=0, aperture=1, pupil=pupil, **DISPLAY)
    assert psnr(view, truth) >= 32
    by_depth = gaussian_by_depth(sharp, np.abs(radius))
    assert psnr(view, truth) > psnr(by_depth, truth) + 3


def gaussian_by_depth(sharp, radius):
    """Blur every pixel by a Gaussian of its own radius, without layers."""
    levels = np.arange(np.ceil(radius.max()) + 2)
    blurred = [gaussian_filter(sharp, level / 2) for level in levels]
    weights = [np.clip(1 - np.abs(radius - level), 0, 1) for level in levels]
    return sum(weight * part for weight, part in zip(weights, blurred, strict=True))


def test_a_sharp_edge_does_not_bleed_into_the_blur_behind_it():
    side = 96
    sharp = np.full((side, side), 0.2, np.float32)
    sharp[:, :48] = 0.9
    radius = np.zeros_like(sharp)
    radius[:, 48:] = 6
    view = refocus(sharp, radius, focus=0, aperture=1, **DISPLAY)
    assert np.abs(view - sharp).max() < 0.01
    assert gaussian_by_depth(sharp, radius)[:, 48:].max() > 0.4  # which bleeds


def test_a_closed_aperture_gives_the_sharp_picture():
    sharp = np.where(two_planes(1)[2] > 0, *two_planes(1)[:2])
    radius = np.linspace(-8, 8, sharp.size).reshape(sharp.shape)
    signed = DefocusMap(radius.astype(np.float32), np.ones_like(sharp), signed=True)
    for pupil in ("disk", "ring:0.5"):
        view = refocus(sharp, signed, focus=3, aperture=0, pupil=pupil, **DISPLAY)
        np.testing.assert_allclose(view, sharp, atol=1e-5)
