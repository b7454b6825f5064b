"""Runs during which layers, viewers, other runs or torch's defaults change."""

import threading
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt

import napari_defocus.viewer
from napari_defocus import deblur, estimate_defocus
from napari_defocus.inference.engine import Progress
from napari_defocus.viewer.threads.runner import Worker

NAMES = ["Defocus Map", "Deblur"]


@pytest.fixture(autouse=True)
def notifications():
    """Notifications during a test."""
    before = len(notification_manager.records)
    return lambda: [str(shown.message) for shown in notification_manager.records[before:]]


def expected(name, photo):
    """Return what a widget adds last."""
    if name == "Deblur":
        return deblur(photo, channel_axis=-1)
    return estimate_defocus(photo, channel_axis=-1).radius


@pytest.mark.parametrize("name", NAMES)
def test_new_data_of_the_layer_leave_the_run_to_the_old(viewer, open_widget, finish, photo, name):
    layer = viewer.add_image(photo, rgb=True)
    worker = open_widget(name).run()
    layer.data = photo[:40, ::-1].copy()
    finish(worker)
    assert np.array_equal(viewer.layers[-1].data, expected(name, photo))


@pytest.mark.parametrize("name", NAMES)
def test_pixels_changed_in_place_during_the_run_are_an_error(
    viewer, open_widget, finish, photo, name, notifications
):
    layer = viewer.add_image(photo, rgb=True, name="photo")
    widget = open_widget(name)
    worker = widget.run()
    worker.yielded.connect(
        lambda _: layer.data.__setitem__(0, layer.data[0] + 1), Qt.ConnectionType.DirectConnection
    )
    assert finish(worker) is None
    assert len(viewer.layers) == 1
    (message,) = notifications()
    assert "'photo'" in message
    assert "run again" in message


def test_two_widgets_run_at_once(viewer, open_widget, finish, until, photo):
    image = viewer.add_image(photo, rgb=True, name="photo")
    widgets = [open_widget(name) for name in NAMES]
    workers = [widget.run() for widget in widgets]
    for worker in workers:
        finish(worker)
    until(lambda: not any(widget.busy for widget in widgets))
    results = {layer.name: layer.data for layer in viewer.layers if layer is not image}
    assert np.array_equal(results["photo defocus"], expected("Defocus Map", photo))
    assert np.array_equal(results["photo deblurred"], expected("Deblur", photo))


def test_overlapping_workers_leave_the_warning_filters_as_they_were(qapp, finish):
    gates = [threading.Event(), threading.Event()]
    before = list(warnings.filters), warnings.showwarning

    def wait_for(gate):
        def steps():
            yield Progress(0, 0)
            gate.wait()

        return steps

    workers = [Worker(wait_for(gate)) for gate in gates]
    for worker in workers:
        started = threading.Event()
        worker.yielded.connect(lambda _, started=started: started.set())
        worker.start()
    for gate, worker in zip(gates, workers, strict=True):
        gate.set()
        finish(worker)
    assert (list(warnings.filters), warnings.showwarning) == before


@pytest.mark.parametrize("name", NAMES)
def test_defaults_of_torch_do_not_matter(viewer, open_widget, finish, photo, name):
    result = expected(name, photo)
    viewer.add_image(photo, rgb=True)
    widget = open_widget(name)
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    try:
        finish(widget.run())
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
    assert np.array_equal(viewer.layers[-1].data, result)


def test_second_viewer_works_after_the_first_was_closed_during_a_run(
    registered, make_napari_viewer, until, finish, photo, notifications
):
    first = make_napari_viewer(show=True)
    first.add_image(photo, rgb=True)
    _, widget = first.window.add_plugin_dock_widget("napari-defocus", "Defocus Map")
    worker = widget.run()
    first.close()
    second = make_napari_viewer(show=True)
    second.add_image(photo, rgb=True)
    _, widget = second.window.add_plugin_dock_widget("napari-defocus", "Deblur")
    finish(widget.run())
    until(lambda: not worker.is_running)
    assert np.array_equal(second.layers[-1].data, expected("Deblur", photo))
    assert notifications() == []


@pytest.mark.parametrize(
    "name", [NAMES[0], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])]
)
def test_run_after_run_is_drawn_by_the_event_loop_alone(
    window_viewer, dock_widget, finish, until, photo, name
):
    package = str(Path(napari_defocus.viewer.__file__).parent)
    drawn, nested = [], []

    def note(_):
        drawn.append(len(window_viewer.layers))
        nested.extend(
            line for line in traceback.extract_stack() if line.filename.startswith(package)
        )

    source = window_viewer.add_image(photo, rgb=True)
    canvas = window_viewer.window._qt_viewer.canvas._scene_canvas
    canvas.events.draw.connect(note)
    widget = dock_widget(name)
    for _ in range(2):
        drawn.clear()
        finish(widget.run())
        until(lambda: len(window_viewer.layers) in drawn)
        for layer in [layer for layer in window_viewer.layers if layer is not source]:
            window_viewer.layers.remove(layer)
        until(lambda: 1 in drawn)
    assert nested == [], "".join(traceback.format_list(nested))
