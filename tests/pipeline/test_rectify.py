"""Vertical alignment of two views."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.data import astronaut

from napari_defocus.pipeline.rectify import rectify, vertical_offset

SCENE = np.ascontiguousarray(astronaut().transpose(2, 0, 1)[:, :160, 150:350], np.float32) / 255


@given(st.integers(-3, 3), st.integers(-6, 6), st.floats(0.8, 1.2))
def test_an_offset_is_removed_at_any_disparity_and_brightness(down, across, brightness):
    other = brightness * np.roll(SCENE, (down, across), axis=(1, 2))
    assert vertical_offset(SCENE, other) == down
    result = rectify(SCENE, other)
    expected = brightness * np.roll(SCENE, across, axis=2)
    np.testing.assert_allclose(result[:, 4:-4], expected[:, 4:-4])


def test_level_views_are_not_moved():
    other = np.roll(SCENE, 2, axis=2)
    assert rectify(SCENE, other) is other


@pytest.mark.parametrize("shape", [(3, 1, 1), (3, 20, 300), (3, 300, 5)])
def test_small_or_flat_views_are_not_moved(shape):
    left, right = np.zeros(shape, np.float32), np.full(shape, 0.5, np.float32)
    assert rectify(left, right) is right


def test_noise_is_not_moved():
    rng = np.random.default_rng(0)
    left, right = rng.random((2, 3, 128, 128), np.float32)
    assert vertical_offset(left, right) == 0
