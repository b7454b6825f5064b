"""Fringes of unstained objects, told from what shines or absorbs."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_defocus.evidence.fringes import fringes

SIDE = 256


def unstained(distance, seed=0):
    """Return cells that only delay light, at a wavelength times distance in squared pixels."""
    rng = np.random.default_rng(seed)
    shapes = np.clip(20 * gaussian_filter(rng.standard_normal((SIDE, SIDE)), 8), 0, 1)
    square = np.add.outer(np.fft.fftfreq(SIDE) ** 2, np.fft.fftfreq(SIDE) ** 2)
    transfer = np.exp(-1j * np.pi * distance * square) * (square < 0.16)
    return np.abs(np.fft.ifft2(np.fft.fft2(np.exp(0.8j * shapes)) * transfer)) ** 2


def shining(seed=0):
    """Return bright cells on a dark ground."""
    rng = np.random.default_rng(seed)
    return np.clip(20 * gaussian_filter(rng.standard_normal((SIDE, SIDE)), 8), 0, 1)


def counted(light, photons=10_000):
    light = photons * light
    return np.random.default_rng(1).poisson(light + 2).astype(np.float32) / photons


@pytest.mark.parametrize("distance", [4.0, 15.0, 50.0])
def test_unstained_cells_show_fringes(distance):
    assert fringes(counted(unstained(distance))) == 1


def test_uneven_illumination_hides_no_fringes():
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    vignette = 1 - 0.2 * (x**2 + (y - 0.3) ** 2)
    assert fringes(counted(unstained(15.0) * vignette)) == 1


@pytest.mark.parametrize("light", [shining(), 1 - 0.7 * shining(), np.exp(-2 * shining(3))])
def test_what_shines_or_absorbs_shows_none(light):
    assert fringes(counted(light)) == 0


def test_points_show_none_however_few_photons_there_are():
    places = np.random.default_rng(2).random((SIDE, SIDE)) < 2e-3
    light = gaussian_filter(places.astype(float), 1.5)
    for photons in (10, 100, 1000):
        assert fringes(counted(light / light.max(), photons)) == 0


def test_neither_noise_nor_evenness_shows_any():
    assert fringes(counted(np.full((SIDE, SIDE), 0.5))) == 0
    assert fringes(np.zeros((SIDE, SIDE), np.float32)) == 0
