"""Panels that are closed while something runs."""

import threading

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt

from napari_defocus import deblur, estimate_defocus

NAME = "napari-defocus"


@pytest.fixture
def held():
    """An event that a run waits for at its first step."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.mark.window
@pytest.mark.parametrize("step", ["Map", "Deblur", "Edit"])
def test_a_run_goes_on_without_its_panel_and_adds_its_result(
    window_viewer, finish, until, photo, held, step
):
    window_viewer.add_image(photo, rgb=True, name="photo")
    dock_widget, dock = window_viewer.window.add_plugin_dock_widget(NAME, "Defocus")
    if step == "Edit":
        finish(dock.step("Map").run())
        dock.step("Edit").paint().data[:20] = 3
    widget = dock.open_step(step)
    worker = widget.run()
    worker.yielded.connect(lambda _: held.wait(20), Qt.ConnectionType.DirectConnection)
    gone = []
    widget.native.destroyed.connect(lambda: gone.append(True))
    before = len(notification_manager.records)
    dock_widget.destroyOnClose()  # as its button does
    dock.native.deleteLater()
    until(lambda: bool(gone))
    held.set()
    name = {"Map": "photo defocus", "Edit": "photo edited defocus", "Deblur": "photo deblurred"}
    until(lambda: name[step] in window_viewer.layers)
    layer = window_viewer.layers[name[step]]
    if step == "Deblur":
        expected = deblur(photo, channel_axis=-1, bokeh_radius="auto")
        np.testing.assert_array_equal(layer.data, expected)
    elif step == "Map":
        np.testing.assert_array_equal(layer.data, estimate_defocus(photo, channel_axis=-1).radius)
    else:
        assert (layer.data[:10] > 2.5).all()
    until(lambda: not worker.is_running)
    messages = [str(note.message) for note in notification_manager.records[before:]]
    assert all("done" in message for message in messages)


@pytest.mark.window
def test_everything_can_be_closed_in_any_order(window_viewer, finish, photo):
    window_viewer.add_image(photo, rgb=True, name="photo")
    _, dock = window_viewer.window.add_plugin_dock_widget(NAME, "Defocus")
    finish(dock.open_step("Deblur").run())
    step = dock.step("Deblur")
    step.compare.split.value = True
    dock.step("Edit").paint()
    dock.step("Deblur").amount.value = 0.5
    window_viewer.layers.clear()
    assert not step.compare.split.value
    window_viewer.window.remove_dock_widget("all")
    window_viewer.add_image(photo, rgb=True)
