"""Resampling: aligned levels, parts of the whole, averages of light."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.image.encoding import encode
from napari_defocus.inference.resample import (
    block_mean,
    downsample,
    level_shape,
    upsample,
    upsample_window,
)
from napari_defocus.inference.tiles import Box


@pytest.mark.parametrize("level", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("shape", [(64, 48), (67, 45)])
def test_levels_are_aligned(level, shape):
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    planes = np.stack([y, x])
    small = block_mean(planes, level)
    assert small.shape[1:] == level_shape(shape, level)
    large = upsample(small, level, shape)
    inside = np.s_[:, level : -2 * level, level : -2 * level]
    np.testing.assert_allclose(large[inside], planes[inside], atol=1e-3)


@pytest.mark.parametrize("cubic", [False, True])
@given(st.integers(0, 36), st.integers(0, 46), st.sampled_from([1, 2, 4]))
def test_a_part_is_enlarged_as_in_the_whole(cubic, top, left, level):
    small = np.random.default_rng(top).random((2, 40, 50), dtype=np.float32)
    whole = upsample(small, level, (40 * level, 50 * level), cubic=cubic)
    part = Box(top, left, min(top + 37, whole.shape[1]), min(left + 30, whole.shape[2]))
    window = upsample_window(small, level, part, cubic=cubic)
    np.testing.assert_allclose(window, whole[:, *part.slices], atol=1e-5)


def test_shrinking_averages_light_not_display_values():
    light = np.zeros((3, 8, 8), np.float32)
    light[:, ::2, ::2] = 1
    np.testing.assert_allclose(
        downsample(encode(light), [2])[0],
        encode(np.full((3, 4, 4), 0.25, np.float32)),
        rtol=1e-5,
    )
