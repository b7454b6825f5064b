"""Jobs: refused arguments, and arguments that the public functions pass on."""

import numpy as np
import pytest

from napari_defocus import (
    DeblurJob,
    MapError,
    OptionError,
    Options,
    RefocusJob,
    deblur,
    estimate_defocus,
    measure_range,
    reblur,
    refocus,
)

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


@pytest.mark.parametrize("focus", [200.0, 1e300])
def test_blur_wider_than_the_image_is_refused(focus):
    with pytest.raises(MapError, match="the image has 48 x 64.*focus"):
        RefocusJob(np.zeros((48, 64), np.uint8), np.ones((48, 64)), focus=focus).run()


def test_one_radius_beyond_the_image_is_refused():
    radius = np.full((48, 64), 2.0)
    radius[5, 5] = 1e30
    with pytest.raises(MapError, match="radius of 1e\\+30 pixels"):
        RefocusJob(np.zeros((48, 64), np.uint8), radius).run()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"downscale": 20000}, "downscale is 20000.*48 x 64 pixels; a number up to 48"),
        ({"value_range": (-1e30, 1e30)}, "value_range is .*2e\\+30 wide; for an image of uint8"),
        ({"value_range": (0, 10**400)}, "value_range is"),
    ],
)
def test_options_that_no_image_can_have_are_refused(options, words):
    image = np.zeros((48, 64), np.uint8)
    with pytest.raises(OptionError, match=words):
        DeblurJob(image, np.ones((48, 64)), options=Options(**options)).run()


def test_read_only_outputs_are_refused_before_the_work():
    image = np.zeros((48, 64), np.uint8)
    image.flags.writeable = False
    with pytest.raises(OptionError, match="out is a read-only array"):
        DeblurJob(image, np.ones((48, 64)), out=image).run()


def test_an_empty_map_is_refused():
    with pytest.raises(MapError, match=r"the map has shape \(0, 64\)"):
        DeblurJob(np.zeros((48, 64), np.uint8), np.ones((0, 64))).run()
