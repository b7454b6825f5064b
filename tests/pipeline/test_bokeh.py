"""Division of subject and background, and what is left alone by it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage.draw import polygon2mask

import napari_defocus
from napari_defocus import DefocusMap, deblur
from napari_defocus.pipeline.bokeh import subject_limit

SIZE = (64, 96)
SAMPLES = Path(napari_defocus.__file__).parent / "samples"


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


def test_pixels_that_are_left_alone_do_not_change_the_limit():
    radius = two_parts(3, 12)
    limit = subject_limit(radius, np.ones(SIZE, np.float32))
    painted = np.concatenate([np.zeros((48, SIZE[1]), np.float32), radius])
    assert subject_limit(painted, np.ones(painted.shape, np.float32)) == pytest.approx(limit)


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


#: Outlines (x, y) of sky, of a rock far behind the wren, and of one before it, in shares of the
#: picture's width and height.
BACKGROUND = [
    [(0, 0), (1, 0), (1, .25), (.92, .36), (.85, .53), (.81, .62), (.74, .58), (.62, .52),
     (.5, .45), (.44, .4), (.48, .2), (.38, .2), (.33, .37), (.27, .37), (.21, .39), (.13, .52),
     (.13, .61), (.17, .67), (.17, .74), (0, .74)],
    [(0, .77), (.13, .78), (.13, .9), (.07, .95), (0, 1)],
    [(1, .35), (.92, .48), (.86, .64), (.84, .77), (.77, .91), (.75, 1), (1, 1)],
]  # fmt: skip


@pytest.mark.parametrize("shrink", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_deblurring_the_subject_keeps_the_bokeh_of_a_photograph(shrink):
    with Image.open(SAMPLES / "canyon-wren.jpg") as file:
        photo = np.asarray(file.convert("RGB").reduce(shrink))
    result = deblur(photo, channel_axis=-1, bokeh_radius="auto")
    change = np.abs(result.astype(float) - photo).mean(-1)
    mask = np.zeros(photo.shape[:2], bool)
    for outline in BACKGROUND:
        mask |= polygon2mask(mask.shape, np.array(outline)[:, ::-1] * mask.shape)
    assert 0.4 < mask.mean() < 0.8
    assert change[mask].mean() < 1
    assert change[~mask].max() > 5
