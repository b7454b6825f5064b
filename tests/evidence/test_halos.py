"""Halos of unstained cells in phase contrast, told from what shines or absorbs."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_defocus import estimate_defocus
from napari_defocus.evidence.halos import halos

SIDE = 256


def shapes(seed=0):
    rng = np.random.default_rng(seed)
    return np.clip(20 * gaussian_filter(rng.standard_normal((SIDE, SIDE)), 8) - 0.4, 0, 1)


def phase_contrast(distance=2.0, ring=0.5j, seed=0):
    """Return cells whose direct light a ring weakens and delays; the ground is 1."""
    square = np.add.outer(np.fft.fftfreq(SIDE) ** 2, np.fft.fftfreq(SIDE) ** 2)
    transfer = np.exp(-1j * np.pi * distance * square) * (square < 0.16)
    transfer = np.where(square < 0.01**2, ring, transfer)
    light = np.abs(np.fft.ifft2(np.fft.fft2(np.exp(0.8j * shapes(seed))) * transfer)) ** 2
    return light / np.median(light)


def counted(light, photons=3000):
    """Return a linear image of black 0 and white 1, of so many photons where light is 1."""
    counts = np.random.default_rng(1).poisson(photons * light).astype(np.float32)
    black, white = counts.min(), np.quantile(counts, 0.9999)
    return (counts - black) / (white - black)


@pytest.mark.parametrize("distance", [2.0, 20.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_phase_contrast_shows_halos(distance, seed):
    assert halos(counted(phase_contrast(distance, seed=seed))) > 0.9


def test_uneven_illumination_hides_no_halos():
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    assert halos(counted(phase_contrast() * (1 - 0.15 * (x**2 + y**2)))) > 0.9


@pytest.mark.parametrize("background", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("photons", [100, 20_000])
@pytest.mark.parametrize("blur", [0.5, 6.0])
def test_what_shines_shows_none_however_bright_its_ground_is(background, photons, blur):
    assert halos(counted(background + gaussian_filter(shapes(), blur), photons)) == 0


def test_what_absorbs_shows_none():
    assert halos(counted(np.exp(-2 * shapes()))) == 0


def test_a_plane_without_light_or_noise_shows_none():
    assert halos(np.zeros((SIDE, SIDE), np.float32)) == 0
    assert halos(np.full((SIDE, SIDE), 0.5, np.float32)) == 0
    assert halos(counted(np.ones((SIDE, SIDE)))) == 0


def test_maps_of_phase_contrast_are_hardly_trusted():
    rng = np.random.default_rng(2)
    unstained, stained = (
        (100 + rng.poisson(light)).astype(np.uint16)
        for light in (2000 * phase_contrast(), 2000 * (0.05 + gaussian_filter(shapes(), 2)))
    )
    assert estimate_defocus(unstained).confidence.mean() < 0.15
    assert estimate_defocus(stained).confidence.mean() > 0.4
