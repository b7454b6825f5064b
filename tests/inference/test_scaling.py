"""Scales are aligned, and shrinking adds light."""

import numpy as np
import pytest

from napari_defocus.arrays import encode
from napari_defocus.inference import scaling


@pytest.mark.parametrize("level", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("shape", [(64, 48), (67, 45)])
def test_levels_are_aligned(level, shape):
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    planes = np.stack([y, x])
    small = scaling.averaged(planes, level)
    assert small.shape[1:] == scaling.level_shape(shape, level)
    large = scaling.enlarged(small, level, shape)
    inside = np.s_[:, level : -2 * level, level : -2 * level]
    np.testing.assert_allclose(large[inside], planes[inside], atol=1e-3)


def test_shrinking_adds_light_not_display_values():
    light = np.zeros((3, 8, 8), np.float32)
    light[:, ::2, ::2] = 1
    np.testing.assert_allclose(
        scaling.shrunk(encode(light), [2])[0],
        encode(np.full((3, 4, 4), 0.25, np.float32)),
        rtol=1e-5,
    )
