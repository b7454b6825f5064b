"""Removal of the network's grid from even surfaces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.inference.storage import DiskStorage, MemoryStorage
from napari_defocus.pipeline.grid import remove_grid

SHAPE = (150, 200)


def without_grid(radius, storage=None):
    confidence = np.full_like(radius, 0.5)
    estimate = np.stack([radius, confidence])
    remove_grid(estimate, storage or MemoryStorage())
    np.testing.assert_array_equal(estimate[1], confidence)
    return estimate[0]


def slope():
    rows, columns = np.meshgrid(*map(np.arange, SHAPE), indexing="ij")
    return (2 + 0.003 * rows + 0.002 * columns).astype(np.float32)


@pytest.mark.parametrize("period", [2, 4, 8, 16])
def test_waves_on_a_slope_vanish(period):
    wave = 0.005 * np.cos(2 * np.pi / period * np.arange(SHAPE[1]) + 0.5)
    result = without_grid((slope() + wave).astype(np.float32))
    assert np.abs(result - slope())[20:-20, 20:-20].max() < 2e-4


def test_edges_in_depth_stay_sharp():
    radius = slope()
    radius[:, 100:] += 1
    result = without_grid(radius)
    np.testing.assert_array_equal(result[:, 90:110], radius[:, 90:110])


def test_visible_texture_stays():
    texture = np.random.default_rng(1).normal(0, 0.3, SHAPE)
    radius = (3 + texture).astype(np.float32)
    np.testing.assert_array_equal(without_grid(radius), radius)


@given(st.integers(0, 99), st.floats(0, 0.1))
def test_radii_stay_within_those_around_them(seed, spread):
    rng = np.random.default_rng(seed)
    radius = np.abs(rng.normal(0, spread, (40, 30))).astype(np.float32)
    result = without_grid(radius)
    assert result.min() >= 0
    assert result.max() <= radius.max() + 1e-6


def test_results_do_not_depend_on_blocks(tmp_path):
    rng = np.random.default_rng(2)
    radius = (slope() + rng.normal(0, 0.01, SHAPE)).astype(np.float32)
    blocks = DiskStorage(tmp_path, 64)
    np.testing.assert_array_equal(without_grid(radius, blocks), without_grid(radius))
