"""What windows of a micrograph say, and how they are interpolated."""

import numpy as np
import pytest

from napari_defocus.evidence.spectrum import RADII
from napari_defocus.inference.tiles import Box
from napari_defocus.pipeline.spectral_windows import (
    SpectralWindows,
    agreed,
    log_odds_within_a_pixel,
)


@pytest.mark.parametrize("place", [(0, 0), (1, 1), (2, 0), (0, 2)])
def test_a_window_that_its_neighbors_contradict_follows_them(place):
    shifts = np.linspace(-1.3, -1.1, 12).reshape(3, 4)
    misled = shifts.copy()
    misled[place] = 0.6
    assert np.abs(agreed(misled) - shifts).max() < 0.2


def test_windows_that_agree_and_a_single_one_stay():
    slope = np.tile(np.linspace(0, 1, 5), (4, 1))
    assert np.array_equal(agreed(slope), slope)
    assert agreed(np.array([[0.6]])).item() == 0.6


def test_an_even_likelihood_speaks_against_every_radius_alike():
    odds = log_odds_within_a_pixel(np.zeros(len(RADII)))
    assert odds[20:] == pytest.approx(odds[-1])
    assert odds[-1] < 0


def test_what_is_said_of_a_block_is_what_is_said_of_the_whole():
    rng = np.random.default_rng(0)
    image = rng.uniform(0.2, 0.8, (1, 300, 700)).astype(np.float32)
    estimate = np.full((2, 300, 700), np.float32(3))
    estimate[1] = 0.5
    windows = SpectralWindows(estimate, image)
    whole, block = Box(0, 0, 300, 700), Box(40, 200, 220, 650)
    radius = rng.uniform(0, 9, (300, 700))
    part = windows.log_odds_at(block, radius[block.slices])
    assert part == pytest.approx(windows.log_odds_at(whole, radius)[block.slices])
    shift = windows.shift_at(*block.slices)
    assert shift == pytest.approx(windows.shift_at(*whole.slices)[block.slices])
