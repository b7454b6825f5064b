"""Grid on even surfaces of a map."""

import numpy as np
import pytest

from training.evaluation.map_grid import PERIODS, grid_peaks


def even_map(period=None, amplitude=0.02, side=256):
    """A slope with noise of 0.01 px and, with a period, waves along y and x."""
    rng = np.random.default_rng(0)
    along = np.arange(side)
    radius = 3 + 0.0005 * along[:, None] + rng.normal(0, 0.01, (side, side))
    if period:
        wave = amplitude * np.cos(2 * np.pi * along / period + 1)
        radius = radius + wave[:, None] + wave
    return radius.astype(np.float32)


def test_noise_has_no_peak():
    assert max(grid_peaks(even_map()).values()) < 2


@pytest.mark.parametrize("period", PERIODS[1:])
def test_a_grid_is_a_peak_at_its_period_alone(period):
    peaks = grid_peaks(even_map(period))
    assert peaks.pop(period) > 30
    assert max(peaks.values()) < 2


def test_an_invisible_grid_is_no_peak():
    smooth = np.full((128, 128), 3.0)
    smooth += 5e-4 * np.cos(np.pi / 4 * np.arange(128))
    assert grid_peaks(smooth)[8] < 0.1


def test_uneven_maps_have_no_peaks():
    radius = even_map(8)
    radius[:, ::64] += 20
    radius[:, 60:68] += 3
    assert np.isnan(list(grid_peaks(radius[:128, :128]).values())).all()
