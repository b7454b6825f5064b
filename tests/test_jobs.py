"""Jobs: refused arguments, and arguments that the public functions pass on."""

import numpy as np
import pytest

from napari_defocus import OptionError, deblur, estimate_defocus, measure_range, reblur, refocus

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 48), np.uint8)
RADIUS = np.full(IMAGE.shape, 3.0, np.float32)


def test_a_strength_given_as_text_is_refused():
    with pytest.raises(OptionError, match="strength is '0'"):
        deblur(IMAGE, RADIUS, strength="0")


def test_a_map_and_a_model_for_it_are_refused():
    with pytest.raises(OptionError, match="map_model is 'single'"):
        deblur(IMAGE, RADIUS, map_model="single")


def test_a_stack_whose_last_axis_is_short_may_have_no_color():
    stack = np.zeros((5, 64, 4), np.uint16)
    stack[2] = 7
    assert measure_range(stack, channel_axis="none") == (0, 7)


def test_rendered_pictures_are_written_to_out():
    options = {"focus": 1.0, "aperture": 0.5}
    out = np.zeros_like(IMAGE)
    assert reblur(IMAGE, RADIUS, out=out) is out
    np.testing.assert_array_equal(out, reblur(IMAGE, RADIUS))
    assert refocus(IMAGE, RADIUS, out=out, **options) is out
    np.testing.assert_array_equal(out, refocus(IMAGE, RADIUS, **options))


def test_out_shares_no_memory_with_what_is_read():
    image, radius = IMAGE.copy(), RADIUS.copy()
    both = np.zeros((2, *IMAGE.shape), np.float32)
    for call in (
        lambda: reblur(image, radius, out=image),
        lambda: reblur(image, radius, out=image[::-1]),
        lambda: deblur(image, radius, out=image),
        lambda: reblur(both[0], both[1], value_range=(0, 1), out=both[1]),
        lambda: estimate_defocus(image, out=(both[0], both[0])),
        lambda: estimate_defocus(both[0], value_range=(0, 1), out=(both[1], both[0])),
    ):
        with pytest.raises(OptionError, match="out shares memory"):
            call()
    np.testing.assert_array_equal(image, IMAGE)
    reblur(both[0], RADIUS, value_range=(0, 1), out=both[1])
