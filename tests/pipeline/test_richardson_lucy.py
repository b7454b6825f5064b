"""Richardson-Lucy steps: blur that varies, its transpose, and what the steps restore."""

import numpy as np
import pytest
import torch

from napari_defocus import Objective
from napari_defocus.evidence.photon_noise import PhotonNoise
from napari_defocus.image.encoding import encode
from napari_defocus.inference.tiles import Box
from napari_defocus.pipeline.consistency import SupportedChange
from napari_defocus.pipeline.richardson_lucy import USUAL_OPTICS, DefocusBlur, refine

SIDE = 48


@pytest.fixture
def slanted():
    return torch.linspace(1.0, 6.0, SIDE).expand(SIDE, SIDE)


@pytest.fixture
def specimen():
    rng = np.random.default_rng(3)
    light = np.full((SIDE, SIDE), 0.02, np.float32)
    for row, column in rng.integers(6, SIDE - 6, (12, 2)):
        light[row - 2 : row + 3, column - 1 : column + 2] += rng.uniform(0.3, 1)
    return torch.from_numpy(light)[None, None]


def observed(specimen, radius, photons=2000.0):
    """What is seen in focus, and what is counted out of focus."""
    blur = DefocusBlur(radius, USUAL_OPTICS, float(radius.max()))
    padded = blur.pad(specimen)
    sharp, blurred = blur.cut(blur.focus(padded)), blur.cut(blur.blur(padded))
    generator = torch.Generator().manual_seed(1)
    counts = torch.poisson(photons * blurred.clamp(min=0), generator)
    return sharp, counts / photons


def error(image, sharp):
    return float((image - sharp).square().mean())


def test_blur_keeps_light_and_an_even_plane(slanted, specimen):
    blur = DefocusBlur(slanted, USUAL_OPTICS, float(slanted.max()))
    even = torch.full((1, 1, SIDE, SIDE), 0.7)
    assert blur.cut(blur.blur(blur.pad(even))).numpy() == pytest.approx(0.7, abs=1e-4)
    assert blur.cut(blur.back(blur.pad(even))).numpy() == pytest.approx(0.7, abs=1e-4)


def test_back_is_the_transpose_of_blur(slanted):
    blur = DefocusBlur(slanted, USUAL_OPTICS, float(slanted.max()))
    light, ratio = torch.rand(2, 1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    light[..., :2, :] = light[..., -2:, :] = light[..., :2] = light[..., -2:] = 0
    forward = (blur.cut(blur.blur(blur.pad(light))) * ratio).sum()
    backward = (blur.pad(light) * blur.back(blur.pad(ratio)) * blur.total).sum()
    assert float(forward) == pytest.approx(float(backward), rel=1e-4)


def test_wider_radii_blur_more(specimen):
    widths = [
        observed(specimen, torch.full((SIDE, SIDE), radius))[1].std() for radius in (0.0, 2.0, 6.0)
    ]
    assert widths == sorted(widths, reverse=True)


def test_steps_bring_a_plane_nearer_to_the_specimen(slanted, specimen):
    sharp, blurred = observed(specimen, slanted)
    errors = [
        error(refine([(blurred, slanted[None, None])], blurred, 1e-4, steps, USUAL_OPTICS), sharp)
        for steps in (3, 16)
    ]
    assert errors[1] < errors[0]
    assert errors[1] < 0.6 * error(blurred, sharp)


def test_the_truth_stays(slanted, specimen):
    sharp, _ = observed(specimen, slanted)
    blur = DefocusBlur(slanted, USUAL_OPTICS, float(slanted.max()))
    blurred = blur.cut(blur.blur(blur.pad(specimen)))
    kept = refine([(blurred, slanted[None, None])], specimen, 1e-4, 10, USUAL_OPTICS)
    assert error(kept, sharp) < 1e-5


def supported(specimen, radius, photons, confidence=0.8, optics=USUAL_OPTICS):
    _, blurred = observed(specimen, radius, photons)
    image = encode(blurred[0].numpy().astype(np.float32))
    change = np.full((3, SIDE, SIDE), 1e-3, np.float32)
    estimate = torch.stack([radius, torch.full_like(radius, confidence)]).numpy()
    return SupportedChange(image, estimate, change, optics).at(Box(0, 0, SIDE, SIDE)), change


def test_steps_follow_photons_and_need_confidence(specimen):
    radius = torch.full((SIDE, SIDE), 4.0)
    changes = [
        np.abs(supported(specimen, radius, *options)[0]).mean()
        for options in ((4000.0,), (4.0,), (4000.0, 0.05))
    ]
    assert changes[0] > 0.01
    assert changes[1] < 0.1 * changes[0]
    assert changes[2] < 0.1 * changes[0]


def test_small_radii_are_spared_where_many_photons_show_an_unknown_microscope(specimen):
    radius = torch.full((SIDE, SIDE), 2.0)
    kept = torch.from_numpy(supported(specimen, radius, 20000.0)[1][:1])
    changes = [
        np.abs(supported(specimen, radius, photons, 0.8, optics)[0] - kept.numpy()).mean()
        for photons, optics in ((20000.0, None), (20000.0, USUAL_OPTICS), (200.0, None))
    ]
    assert changes[0] < 1e-3
    assert min(changes[1:]) > 1e-2


def test_the_microscope_matters(specimen):
    radius = torch.full((SIDE, SIDE), 4.0)
    fine = Objective(na=0.3, wavelength_um=0.6, pixel_size_um=0.35)
    usual, known = (
        supported(specimen, radius, 4000.0, 0.8, optics)[0] for optics in (USUAL_OPTICS, fine)
    )
    assert np.abs(usual - known).max() > 1e-3


def test_photons_are_those_of_the_noise():
    assert PhotonNoise(0.0, 0.01).photons == pytest.approx(100)
    assert PhotonNoise(0.01, 0.0).photons == pytest.approx(100)
    assert PhotonNoise(1e-3, 1e-2).ground == pytest.approx(0.1)
    assert PhotonNoise(1e-3, 0.0).ground == 1


def test_blocks_do_not_show():
    side = 224
    rng = np.random.default_rng(0)
    light = np.full((side, side), 0.02, np.float32)
    for row, column in rng.integers(4, side - 8, (60, 2)):
        light[row : row + 4, column : column + 3] += 0.6
    blur = DefocusBlur(torch.full((side, side), 2.0), USUAL_OPTICS, 2.0)
    blurred = blur.cut(blur.blur(blur.pad(torch.from_numpy(light)[None, None])))
    image = encode(rng.poisson(3000 * blurred[0].numpy()).astype(np.float32) / 3000)
    change = np.full((3, side, side), 1e-3, np.float32)
    estimate = np.stack([np.full((side, side), 2.0), np.full((side, side), 0.8)])
    result = SupportedChange(image, estimate.astype(np.float32), change)
    whole = result.at(Box(0, 0, side, side))
    for part in (Box(0, 0, 64, 64), Box(64, 100, 128, 164), Box(160, 160, side, side)):
        assert np.abs(result.at(part) - whole[:, *part.slices]).max() < 1e-4
