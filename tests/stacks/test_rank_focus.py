"""Images ranked by focus."""

import numpy as np
import pytest

from napari_defocus import ImageError, OptionError, rank_focus

from .scenes import rendered_stack


@pytest.fixture(scope="module")
def images():
    """Three views of one scene, the second in focus; one of another; one that shows nothing."""
    scene = (rendered_stack(5, 1.0)[[3, 1, 2]] * 255).clip(0, 255).astype(np.uint8)
    return [*scene, scene[2][::-1], np.full((64, 64), 9, np.uint8)]


@pytest.fixture(scope="module")
def ranked(images):
    return rank_focus(images)


def test_the_sharpest_comes_first_and_what_shows_nothing_last(ranked):
    assert ranked[0].index == 1
    assert [image.index for image in ranked][-2:] == [0, 4]
    assert ranked[0].radius < ranked[1].radius < ranked[-2].radius
    assert ranked[-1].statement == "nothing to judge by"


def test_near_duplicates_are_grouped_under_their_sharpest(ranked):
    groups = {image.index: image.group for image in ranked}
    assert groups == {0: 1, 1: 1, 2: 1, 3: 3, 4: 4}
    by_index = {image.index: image for image in ranked}
    assert by_index[1].is_best
    assert by_index[1].statement.endswith("the sharpest of 3 alike")
    assert by_index[0].statement.endswith("another one of 3 alike is sharper")
    assert by_index[3].alike == 1


def test_colors_are_ranked_as_gray(images, ranked):
    colors = (np.repeat(image[..., None], 3, -1) for image in images)
    again = rank_focus(colors, channel_axis=-1)
    assert [image.index for image in again] == [image.index for image in ranked]


def test_stacks_and_nothing_are_refused():
    with pytest.raises(ImageError, match=r"image 0 has shape \(2, 16, 16\), which holds several"):
        rank_focus([np.zeros((2, 16, 16), np.uint8)])
    with pytest.raises(OptionError, match="there is no image"):
        rank_focus([])
