"""Fixtures: viewers with the plugin registered from its real manifest, and waits for threads."""

import numpy as np
import pytest
from napari.components import ViewerModel
from superqt.utils._qthreading import WorkerBase

NAME = "napari-defocus"
_TIMEOUT = 120_000  # milliseconds


@pytest.fixture
def registered(npe2pm, plugin_settings, monkeypatch):
    """Register the plugin by its manifest, with settings of napari and plugin of its own."""
    import napari.settings
    from npe2 import PluginManifest

    own = napari.settings.NapariSettings(config_path=None)
    monkeypatch.setattr(napari.settings, "_SETTINGS", own)

    for name in ("napari", NAME):  # napari's own manifest reads files
        npe2pm.register(PluginManifest.from_distribution(name))
    return npe2pm


@pytest.fixture
def viewer(registered, qapp):
    """A viewer without a window."""
    return ViewerModel()


@pytest.fixture
def open_widget(registered, viewer, qtbot, until):
    """Return a function that opens a widget of the plugin by its name, without a viewer window."""
    widgets = []

    def open_one(name):
        (contribution,) = (
            widget
            for widget in registered.get_manifest(NAME).contributions.widgets
            if widget.display_name == name
        )
        widget = contribution.get_callable()(viewer)
        qtbot.addWidget(widget.native)
        widget.native.show()
        widgets.append(widget)
        return widget

    yield open_one
    _wait_for_threads(widgets, until)


@pytest.fixture
def window_viewer(registered, make_napari_viewer):
    """A viewer with a visible window, whose layers are drawn and so have ``corner_pixels``."""
    return make_napari_viewer(show=True)


@pytest.fixture
def dock_widget(window_viewer, until):
    """Return a function that docks a widget of the plugin in the viewer's window."""

    def dock(name):
        _, widget = window_viewer.window.add_plugin_dock_widget(NAME, name)
        return widget

    yield dock
    _wait_for_threads(window_viewer.window.dock_widgets.values(), until)


def _wait_for_threads(widgets, until):
    for widget in widgets:
        widget.cancel()
    until(lambda: not WorkerBase._worker_set)


@pytest.fixture
def finish(until):
    """Return a function that waits for a worker and returns its result, or None."""

    def wait(worker):
        results = []
        worker.returned.connect(results.append)
        until(lambda: worker not in WorkerBase._worker_set)
        return results[0] if results else None

    return wait


@pytest.fixture
def until(qtbot):
    """Return a function that lets the window work until a condition holds."""

    def wait(condition):
        qtbot.waitUntil(condition, timeout=_TIMEOUT)

    return wait


@pytest.fixture
def photo():
    """A small color picture with some structure (64, 96, 3)."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 255, (8, 12, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=0).repeat(8, axis=1)


@pytest.fixture
def stack():
    """A small gray 16-bit stack (3, 2, 48, 64) whose planes differ in brightness."""
    rng = np.random.default_rng(4)
    planes = rng.integers(0, 4000, (3, 2, 6, 8), dtype=np.uint16)
    brightness = np.arange(1, 7, dtype=np.uint16).reshape(3, 2, 1, 1)
    return (planes * brightness).repeat(8, axis=-2).repeat(8, axis=-1)
