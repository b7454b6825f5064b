"""Amount: a blend of image and result at once, whose metadata describe its pixels."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSlider

from napari_defocus import DeblurJob, DeblurSettings, Options, deblur, measure_range
from napari_defocus.provenance_record import provenance
from napari_defocus.viewer.layers.results import METADATA_KEY


@pytest.fixture
def widget(open_widget, viewer, finish, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    widget = open_widget("Deblur")
    finish(widget.run())
    return widget


@pytest.fixture
def mixed(viewer, until):
    """Return a function that waits for the newest layer to have an amount, and returns it."""

    def wait(amount):
        layer = viewer.layers[-1]
        until(lambda: layer.metadata[METADATA_KEY]["parameters"]["amount"] == amount)
        return layer

    return wait


def test_the_amount_changes_the_result_at_once_to_what_the_api_gives(viewer, widget, mixed, photo):
    for amount in (0.4, 0.0, 1.0, 0.75):
        widget.amount.value = amount
        result = mixed(amount)
        expected = deblur(photo, channel_axis=-1, amount=amount, bokeh_radius="auto")
        np.testing.assert_array_equal(result.data, expected)
    assert not widget.busy
    assert len(viewer.layers) == 2
    assert result.name == "photo deblurred (75 %)"
    assert widget.as_python().splitlines()[-1] == (
        "sharp = deblur(image, channel_axis=-1, bokeh_radius='auto', amount=0.75)"
    )
    settings = DeblurSettings(amount=0.75, bokeh_radius="auto")
    record = provenance(DeblurJob(photo, settings=settings, options=Options(channel_axis=-1)))
    assert result.metadata[METADATA_KEY]["parameters"] == record["parameters"]


def test_the_slider_shows_percent_and_is_moved_by_keys(widget, mixed, qtbot):
    slider = widget.amount.slider
    qtbot.keyClick(slider.native.findChild(QSlider), Qt.Key.Key_Left)
    assert widget.amount.value == 0.99
    mixed(0.99)
    slider.value = 55
    assert widget.amount.value == 0.55
    widget.amount.value = 0.123
    assert (slider.value, widget.amount.value) == (12, 0.123)
    mixed(0.123)


def test_boost_exaggerates_and_shows_what_exceeds_the_result(widget, finish, viewer, photo):
    assert (widget.strength.slider.value, widget.strength.slider.min) == (0, 0)
    widget.strength.slider.value = 50
    assert widget.strength.value == 1.5
    finish(widget.run())
    expected = deblur(photo, channel_axis=-1, strength=1.5, bokeh_radius="auto")
    np.testing.assert_array_equal(viewer.layers[-1].data, expected)
    assert viewer.layers[-1].name == "photo deblurred (boost 50 %)"


def test_a_run_with_an_amount_can_be_raised_later(widget, finish, viewer, mixed, photo):
    widget.amount.value = 0.0
    finish(widget.run())
    np.testing.assert_array_equal(viewer.layers[-1].data, photo)
    widget.amount.value = 1.0
    full = deblur(photo, channel_axis=-1, bokeh_radius="auto")
    np.testing.assert_array_equal(mixed(1.0).data, full)


def test_an_amount_chosen_during_a_run_holds_for_its_result(widget, finish, viewer, mixed, photo):
    worker = widget.run()
    widget.amount.value = 0.5
    finish(worker)
    expected = deblur(photo, channel_axis=-1, amount=0.5, bokeh_radius="auto")
    np.testing.assert_array_equal(mixed(0.5).data, expected)


def test_the_last_result_is_replaced_on_request_with_its_name(widget, finish, viewer, photo):
    layer = viewer.layers[-1]
    widget.replace_last.value, widget.detail.value = True, "natural"
    finish(widget.run())
    assert viewer.layers[-1] is layer
    assert len(viewer.layers) == 2
    assert layer.name == "photo deblurred (natural)"
    assert layer.metadata[METADATA_KEY]["parameters"]["detail"] == "natural"
    expected = deblur(photo, channel_axis=-1, detail="natural", bokeh_radius="auto")
    np.testing.assert_array_equal(layer.data, expected)
    layer.name, widget.detail.value = "mine", "faithful"
    finish(widget.run())
    assert layer.name == "mine"


def test_a_plane_of_a_stack_is_named(viewer, open_widget, finish, stack):
    labels = ("c", "z", "y", "x")
    viewer.add_image(stack, name="cells", axis_labels=labels)
    widget = open_widget("Deblur")
    viewer.dims.set_point((0, 1), (2, 1))
    widget.planes.value = "current"
    code = widget.as_python()
    finish(widget.run())
    result = viewer.layers[-1]
    assert result.name == "cells deblurred (c 2, z 1)"
    value_range = measure_range(stack, range_axis=0)[2:3, 1:2]
    expected = deblur(stack[2:3, 1:2], range_axis=0, value_range=value_range)
    np.testing.assert_array_equal(result.data, expected)
    variables = {"viewer": viewer}
    exec(code, variables)
    np.testing.assert_array_equal(result.data, variables["sharp"])
