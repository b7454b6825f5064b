"""Refocus widget: the picture of the API, focus by a click, and copied code."""

import shlex

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QPoint, Qt
from typer.testing import CliRunner

from napari_defocus import refocus
from napari_defocus.cli.commands import app
from napari_defocus.errors import OptionError
from napari_defocus.io import read_picture, write_picture

RADIUS = np.where(np.arange(96) < 48, 0.0, 5.0) * np.ones((64, 96), np.float32)


@pytest.fixture
def widget(open_widget, viewer, photo):
    viewer.add_image(photo, rgb=True, name="photo", scale=(0.5, 0.5))
    viewer.add_image(RADIUS.astype(np.float32), name="map", scale=(0.5, 0.5))
    widget = open_widget("Refocus")
    widget.image.value, widget.defocus.value = viewer.layers["photo"], viewer.layers["map"]
    widget.focus.value, widget.aperture.value, widget.pupil.value = 5.0, 0.8, "polygon:6"
    return widget


def test_result_is_the_same_as_from_the_api_and_from_copied_code(viewer, widget, finish, photo):
    code = widget.as_python()
    finish(widget.run())
    result = viewer.layers["photo refocused (aperture 0.8, focus 5 px)"]
    expected = refocus(photo, RADIUS, focus=5.0, aperture=0.8, pupil="polygon:6", channel_axis=-1)
    np.testing.assert_array_equal(result.data, expected)
    assert np.allclose(result.extent.world, viewer.layers["photo"].extent.world)
    assert result.metadata["napari-defocus"]["function"] == "refocus"
    names = {"viewer": viewer}
    exec(code, names)
    np.testing.assert_array_equal(names["view"], expected)


def test_copied_command_does_the_same(viewer, widget, finish, photo, tmp_path, monkeypatch):
    write_picture(tmp_path / "photo.tif", photo, channel_axis=-1)
    write_picture(tmp_path / "map.tif", RADIUS.astype(np.float32))
    finish(widget.run())
    _, *words = shlex.split(widget.as_command_line(), comments=True)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    written = read_picture(tmp_path / "photo-refocused.tif").data
    np.testing.assert_array_equal(written, viewer.layers.selection.active.data)


def test_a_focus_pull_is_a_stack_over_the_image_as_from_the_api_and_the_command(
    viewer, widget, finish, photo, tmp_path, monkeypatch
):
    image = viewer.layers["photo"]
    image.rotate, image.shear, image.translate = 20, [0.1], (3, 4)
    viewer.layers["map"].rotate, viewer.layers["map"].shear = 20, [0.1]
    viewer.layers["map"].translate = (3, 4)
    widget.focus.value, widget.pull.value, widget.pictures.value = 0.0, True, 3
    assert widget.last_focus.value == 5.0  # the farthest of the map
    finish(widget.run())
    layer = viewer.layers["photo refocused (aperture 0.8, focus 0 to 5 px)"]
    settings = {"aperture": 0.8, "pupil": "polygon:6", "channel_axis": -1}
    expected = [refocus(photo, RADIUS, focus=focus, **settings) for focus in (0.0, 2.5, 5.0)]
    np.testing.assert_array_equal(layer.data, expected)
    np.testing.assert_allclose(layer.extent.world[:, 1:], image.extent.world)
    assert layer.axis_labels[0] == "focus"
    names = {"viewer": viewer}
    exec(widget.as_python(), names)
    np.testing.assert_array_equal(names["view"], expected)
    write_picture(tmp_path / "photo.tif", photo, channel_axis=-1)
    write_picture(tmp_path / "map.tif", RADIUS.astype(np.float32))
    _, *words = shlex.split(widget.as_command_line(), comments=True)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    np.testing.assert_array_equal(read_picture("photo-refocused.tif").data, expected)


def test_a_refocused_picture_and_a_focus_pull_are_saved(viewer, widget, finish, tmp_path):
    widget._saving.button.native.click()
    assert "no refocused picture yet" in widget._controls.status.value
    widget.aperture.value = 0.0
    finish(widget.run())
    widget.focus.value, widget.aperture.value = 0.0, 1.0
    widget.pull.value, widget.pictures.value = True, 3
    finish(widget.run())
    newest = viewer.layers.selection.active
    viewer.layers.selection.active = viewer.layers["photo"]
    finish(widget.save(tmp_path / "pull.tif"))
    written = read_picture(tmp_path / "pull.tif")
    assert written.axes == "QYXS"
    np.testing.assert_array_equal(written.data, newest.data)
    assert (tmp_path / "pull.tif.json").exists()
    finish(widget.save(tmp_path / "pull.webp"))
    with Image.open(tmp_path / "pull.webp") as film:
        assert film.n_frames == 4  # to the last focus and back
    viewer.layers.selection.active = viewer.layers["photo refocused (aperture 0, focus 5 px)"]
    finish(widget.save(tmp_path / "single.png"))
    assert read_picture(tmp_path / "single.png").axes == "YXS"


def test_a_background_that_is_blurred_twice_is_noted(viewer, widget, finish, photo):
    record = {"function": "deblur", "parameters": {"bokeh_radius": "auto"}}
    sharp = viewer.add_image(photo, name="sharp", metadata={"napari-defocus": record})
    widget.sharp.value = sharp
    finish(widget.run())
    assert "which is blurred once more" in widget._controls.status.value
    record["parameters"]["bokeh_radius"] = 0.0
    finish(widget.run())
    assert widget._controls.status.value == "done"


def test_a_picture_deblurred_everywhere_has_no_background_to_note(viewer, open_widget, finish):
    plain = viewer.add_image(np.full((64, 96), 90, np.uint8), name="plain")
    deblurring = open_widget("Deblur")
    deblurring.image.value = plain
    deblurring.keep_maps()
    deblurring.bokeh_radius.value = "auto"
    finish(deblurring.run())
    assert "shows no subject" in deblurring._controls.status.value
    widget = open_widget("Refocus")
    widget.image.value = plain
    finish(widget.run())
    assert "blurred once more" not in widget._controls.status.value


def test_the_end_of_a_focus_pull_stays_as_the_user_chose_it(viewer, widget):
    widget.pull.value = True
    widget.last_focus.value = 2.0
    widget.defocus.value = viewer.add_image(RADIUS * 2, name="other")
    assert widget.last_focus.value == 2.0


def test_without_a_map_a_sentence_says_what_to_do(open_widget, viewer, photo):
    viewer.add_image(photo, rgb=True, name="photo")
    widget = open_widget("Refocus")
    with pytest.raises(OptionError, match="no map yet"):
        widget.run()


def test_the_deblurred_picture_and_the_map_are_taken_by_themselves(
    open_widget, viewer, finish, photo
):
    viewer.add_image(photo, rgb=True, name="photo")
    dock = open_widget("Defocus")
    finish(dock.step("Deblur").run())
    step = dock.step("Refocus")
    assert step.sharp.value is viewer.layers["photo deblurred"]
    assert step.defocus.value is viewer.layers["photo defocus"]


@pytest.mark.window
def test_a_click_takes_the_focus_from_the_map(window_viewer, dock_widget, until, qtbot, photo):
    image = window_viewer.add_image(photo, rgb=True, name="photo")
    window_viewer.add_image(RADIUS.astype(np.float32), name="map")
    widget = dock_widget("Refocus")
    widget.image.value, widget.defocus.value = image, window_viewer.layers["map"]
    widget.pick.value = True
    canvas = window_viewer.window._qt_viewer.canvas.native
    until(lambda: image.corner_pixels[1].max() > 0)
    place = QPoint(canvas.width() // 2 + 30, canvas.height() // 2)
    qtbot.mouseMove(canvas, place)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=place)
    assert widget.focus.value == 5.0
