"""Division of subject and background, and what is left alone by it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus import DefocusMap, deblur
from napari_defocus.pipeline.bokeh import subject_limit

SIZE = (64, 96)


def two_parts(near, far):
    """Return radii of a subject to the left, and of a background to the right."""
    rng = np.random.default_rng(0)
    radius = np.where(np.arange(SIZE[1]) < 48, near, far) * rng.uniform(0.9, 1.1, SIZE)
    return radius.astype(np.float32)


@given(near=st.floats(0.3, 4), ratio=st.floats(3.5, 10))
def test_the_limit_lies_between_subject_and_background(near, ratio):
    far = max(6.0, near * ratio)
    limit = subject_limit(two_parts(near, far), np.ones(SIZE, np.float32))
    assert near < limit < far


@pytest.mark.parametrize("radius", [two_parts(4, 4), two_parts(0.3, 2), np.zeros(SIZE, np.float32)])
def test_without_a_strongly_blurred_background_there_is_no_limit(radius):
    assert subject_limit(radius, np.ones(SIZE, np.float32)) == 0


def test_unsure_radii_do_not_count():
    confidence = np.ones(SIZE, np.float32)
    confidence[:, 48:] = 0.1
    assert subject_limit(two_parts(1, 12), confidence) == 0


@pytest.mark.parametrize("bokeh_radius", [8.0, "auto"])
def test_bokeh_stays_bit_for_bit_and_the_subject_is_deblurred(bokeh_radius):
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (8, 12, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    radius = np.where(np.arange(SIZE[1]) < 48, 2, 12) * np.ones(SIZE, np.float32)
    defocus = DefocusMap(radius, np.ones(SIZE, np.float32))
    everything = deblur(image, defocus, channel_axis=-1)
    result = deblur(image, defocus, channel_axis=-1, bokeh_radius=bokeh_radius)
    assert (everything[:, 48:] != image[:, 48:]).any()
    np.testing.assert_array_equal(result[:, 48:], image[:, 48:])
    assert (result[:, :48] != image[:, :48]).any()
