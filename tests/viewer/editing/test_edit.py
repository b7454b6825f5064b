"""Edit widget: brush, surfaces, and the map that results."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_defocus import DefocusMap, deblur
from napari_defocus.errors import OptionError
from napari_defocus.map_edits import LEAVE_ALONE, radius_label
from napari_defocus.viewer.layers.results import METADATA_KEY
from napari_defocus.viewer.maps.map_source import MAP_KEY


@pytest.fixture
def dock(open_widget, viewer, finish, photo):
    viewer.add_image(photo, rgb=True, name="photo", scale=(0.5, 0.5))
    dock = open_widget("Defocus")
    finish(dock.step("Map").run())
    return dock


def test_without_a_map_there_is_nothing_to_paint_on(open_widget, viewer, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    widget = open_widget("Defocus").step("Edit")
    with pytest.raises(OptionError, match="no map to edit yet"):
        widget.paint()
    widget.paint_button.native.click()
    assert "step Map first" in widget._status.value


def test_edits_are_used_by_the_next_step_and_the_rest_is_the_estimate(viewer, dock, finish, photo):
    estimate = viewer.layers["photo defocus"].metadata[MAP_KEY].map
    widget = dock.step("Edit")
    edits = widget.paint()
    widget.softness.value = 0
    edits.data[10:30, 20:60] = LEAVE_ALONE
    finish(widget.run())
    edited = viewer.layers["photo edited defocus"]
    np.testing.assert_array_equal(edited.data[40:], estimate.radius[40:])
    assert (edited.data[10:30, 20:60] == 0).all()
    record = edited.metadata[METADATA_KEY]
    assert record["estimate"] == viewer.layers["photo defocus"].metadata[METADATA_KEY]
    assert record["parameters"]["labels"].startswith("sha256:")
    step = dock.step("Deblur")
    assert step.defocus.value is edited
    finish(step.run())
    sharp = viewer.layers["photo deblurred"].data
    np.testing.assert_array_equal(sharp[10:30, 20:60], photo[10:30, 20:60])
    defocus = edited.metadata[MAP_KEY].map
    expected = deblur(photo, defocus, channel_axis=-1, bokeh_radius="auto")
    np.testing.assert_array_equal(sharp, expected)


def test_what_is_painted_where_nothing_shows_is_shown(viewer, open_widget, finish, photo):
    wide = np.full((64, 400, 3), 128, np.uint8)
    wide[:, :96] = photo
    viewer.add_image(wide, rgb=True, name="wide")
    dock = open_widget("Defocus")
    finish(dock.step("Map").run())
    widget = dock.step("Edit")
    widget.paint().data[:, 300:] = radius_label(3)
    finish(widget.run())
    featureless = viewer.layers["wide edited defocus"].metadata[MAP_KEY].featureless
    assert featureless[:, 220:300].all()
    assert not featureless[:, 300:].any()


def test_leaving_the_step_uses_what_was_painted(viewer, dock, until):
    widget = dock.open_step("Edit")
    widget.paint().data[:20] = radius_label(2.5)
    dock.open_step("Deblur")
    until(lambda: "photo edited defocus" in viewer.layers)
    dock.open_step("Edit")
    dock.open_step("Deblur")
    assert not widget.busy  # nothing was painted since
    widget.softness.value = 9
    dock.open_step("Edit")
    dock.open_step("Deblur")
    assert widget.busy


def test_edits_again_change_the_same_layers(viewer, dock, finish):
    widget = dock.step("Edit")
    widget.softness.value = 0
    edits = widget.paint()
    for radius in (2.5, 4.0):
        edits.data[:20] = radius_label(radius)
        finish(widget.run())
    count = sum("edited" in layer.name for layer in viewer.layers)
    edited = viewer.layers["photo edited defocus"]
    assert count == 3
    assert (edited.data[:20] == 4).all()
    assert isinstance(edited.metadata[MAP_KEY].map, DefocusMap)
    assert (edited.metadata[MAP_KEY].map.radius[:20] == 4).all()


def test_tools_set_brush_and_label(dock):
    widget = dock.step("Edit")
    edits = widget.paint()
    assert (edits.selected_label, edits.mode) == (LEAVE_ALONE, "paint")
    widget.tool.value, widget.radius.value, widget.brush.value = "set radius", 2.5, 17
    assert (edits.selected_label, edits.brush_size) == (radius_label(2.5), 17)
    widget.tool.value = "forget"
    assert edits.selected_label == 0
    widget.surface.value = True
    assert edits.mode == "pan_zoom"


def test_a_surface_of_like_radius_and_color_is_filled_and_undone(viewer, dock, until):
    widget = dock.step("Edit")
    edits = widget.paint()
    radius, picture = np.ones((64, 96), np.float32), np.zeros((64, 96, 3), np.uint8)
    radius[:, 50:], picture[32:] = 6, 200
    viewer.layers["photo defocus"].data, viewer.layers["photo"].data = radius, picture
    widget._tools.fill_around((64, 10))
    widget._tools.fill_around((10, 10))
    until(lambda: edits.data.any())
    assert (edits.data[:28, :50] == LEAVE_ALONE).all()
    assert not edits.data[36:].any()
    assert not edits.data[:, 50:].any()
    edits.undo()
    assert not edits.data.any()


def test_removed_edits_are_forgotten(viewer, dock):
    widget = dock.step("Edit")
    viewer.layers.remove(widget.paint())
    assert not widget.run_button.enabled
    with pytest.raises(OptionError, match="no edits yet"):
        widget.run()
    assert widget.paint() in viewer.layers


def test_edits_stay_those_of_their_image(viewer, dock, until, photo):
    other = viewer.add_image(photo[::-1].copy(), rgb=True, name="other")
    widget = dock.open_step("Edit")
    widget.paint().data[:20] = LEAVE_ALONE
    dock.image.value = other
    dock.open_step("Deblur")
    until(lambda: not widget.busy)
    assert "photo edited defocus" in viewer.layers
    assert dock.step("Deblur").defocus.value is None
    dock.image.value = viewer.layers["photo"]
    assert dock.step("Deblur").defocus.value is viewer.layers["photo edited defocus"]


def test_edits_are_there_again_after_another_image_and_in_a_new_panel(
    viewer, dock, open_widget, until, photo
):
    other = viewer.add_image(photo[::-1].copy(), rgb=True, name="other")
    widget = dock.open_step("Edit")
    edits = widget.paint()
    dock.image.value = other
    assert not widget.run_button.enabled
    dock.image.value = viewer.layers["photo"]
    assert widget.run_button.enabled
    assert widget.paint() is edits
    again = open_widget("Defocus")
    again.image.value = viewer.layers["photo"]
    assert again.step("Edit").paint() is edits


@pytest.mark.parametrize(
    ("label", "words"),
    [(0, "as estimated"), (LEAVE_ALONE, "leave alone"), (radius_label(2.5), "radius 2.5 px")],
)
def test_the_status_bar_tells_edits_in_words(dock, label, words):
    edits = dock.step("Edit").paint()
    edits.data[10:20, 10:20] = label
    status = edits.get_status((6.0, 7.0), view_direction=None, dims_displayed=[0, 1], world=True)
    assert status["value"] == words
    assert status["coordinates"].endswith(f": {words}")


def test_edits_lie_above_what_was_made_since(viewer, dock, finish):
    widget = dock.step("Edit")
    edits = widget.paint()
    edits.data[:20] = LEAVE_ALONE
    finish(widget.run())
    assert not viewer.layers["photo defocus (sure)"].visible
    assert viewer.layers[-1] is edits
    finish(dock.step("Deblur").run())
    assert viewer.layers.selection.active is viewer.layers["photo deblurred"]
    assert not edits.visible
    assert widget.paint() is edits
    assert edits.visible
    assert viewer.layers[-1] is viewer.layers.selection.active is edits


@pytest.mark.window
def test_the_brush_paints_with_the_mouse(window_viewer, dock_widget, finish, until, qtbot, photo):
    window_viewer.add_image(photo, rgb=True, name="photo")
    dock = dock_widget("Defocus")
    finish(dock.step("Map").run())
    edits = dock.open_step("Edit").paint()
    canvas = window_viewer.window._qt_viewer.canvas.native
    middle = QPoint(canvas.width() // 2, canvas.height() // 2)
    until(lambda: edits.corner_pixels[1].max() > 0)
    qtbot.mouseMove(canvas, middle)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(canvas, middle + QPoint(20, 0))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(20, 0))
    assert (edits.data == LEAVE_ALONE).sum() > 100
