"""Channels of an image, deblurred in one run, by maps of their own or all by that of one."""

import numpy as np
import pytest

from napari_defocus import deblur, estimate_defocus
from napari_defocus.errors import OptionError


@pytest.fixture
def channels(viewer, stack):
    """Three channels, of which the first is drawn opaque and the others add to it."""
    looks = ["translucent_no_depth", "additive", "additive"]
    return [
        viewer.add_image(stack[number, 0], name=name, blending=look)
        for number, (name, look) in enumerate(zip(("DAPI", "GFP", "RFP"), looks, strict=True))
    ]


@pytest.fixture
def widget(channels, open_widget):
    widget = open_widget("Deblur")
    widget.image.value = channels[0]
    return widget


def names(viewer):
    return [layer.name for layer in viewer.layers]


def test_ticked_channels_are_deblurred_each_by_its_map_above_its_source(
    viewer, widget, channels, finish
):
    widget.channels.ticked = [channels[2]]
    code = widget.as_python()
    finish(widget.run())
    assert names(viewer) == ["DAPI", "DAPI deblurred", "GFP", "RFP", "RFP deblurred"]
    for number in (0, 2):
        result = viewer.layers[f"{channels[number].name} deblurred"]
        np.testing.assert_array_equal(result.data, deblur(channels[number].data))
        assert result.blending == channels[number].blending
    assert [channel.visible for channel in channels] == [True, True, False]  # none is added twice
    assert code.count("sharp = deblur(") == 2
    assert widget.as_command_line().count("napari-defocus deblur") == 2


def test_the_result_of_the_chosen_channel_is_the_one_to_save(viewer, widget, channels, finish):
    widget.channels.ticked = channels[1:]
    finish(widget.run())
    assert viewer.layers.selection.active.name == "DAPI deblurred"
    assert widget.compare.result().name == "DAPI deblurred"


@pytest.mark.parametrize("estimated", [False, True])
def test_one_map_serves_all_channels(viewer, widget, channels, open_widget, finish, estimated):
    if estimated:
        estimation = open_widget("Defocus Map")
        estimation.image.value = channels[1]
        finish(estimation.run())
        widget.image.value = channels[0]
    widget.channels.ticked = channels[1:]
    widget.channels.maps.value = channels[1]
    if not estimated:
        with pytest.raises(OptionError, match="the map of 'GFP'.*run once"):
            widget.as_python()
    finish(widget.run())
    defocus = estimate_defocus(channels[1].data)
    for channel in channels:
        result = viewer.layers[f"{channel.name} deblurred"]
        np.testing.assert_array_equal(result.data, deblur(channel.data, defocus))
    if estimated:
        variables = {"viewer": viewer}
        exec(widget.as_python(), variables)
        np.testing.assert_array_equal(variables["sharp"], viewer.layers["RFP deblurred"].data)


def test_the_amount_holds_for_all_channels(viewer, widget, channels, finish, until):
    widget.channels.ticked = channels[1:]
    finish(widget.run())
    widget.amount.value = 0.5
    until(lambda: "RFP deblurred (50 %)" in viewer.layers)
    for channel in channels:
        result = viewer.layers[f"{channel.name} deblurred (50 %)"]
        np.testing.assert_array_equal(result.data, deblur(channel.data, amount=0.5))


def test_only_channels_of_the_image_are_offered(viewer, widget, channels, photo):
    assert widget.channels.box.visible
    texts = [tick.text for tick in widget.channels.box]
    assert texts == ["GFP", "RFP"]
    widget.channels.ticked = [channels[2]]
    viewer.layers.remove(channels[1])
    assert widget.channels.ticked == [channels[2]]
    widget.image.value = viewer.add_image(photo, rgb=True)
    assert not widget.channels.box.visible
    assert widget.channels.ticked == []


def test_a_result_that_adds_up_is_shown_without_earlier_ones_of_its_image(
    viewer, widget, channels, finish
):
    widget.image.value = channels[1]
    finish(widget.run())
    first = viewer.layers.selection.active
    widget.protect_radius.value = 2.0
    finish(widget.run())
    second = viewer.layers.selection.active
    assert second is not first
    assert [layer.visible for layer in (channels[1], first, second)] == [False, False, True]
    assert channels[2].visible
