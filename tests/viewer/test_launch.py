"""The command that opens napari with the dock and files."""

import sys

import napari
import numpy as np
import pytest
from qtpy.QtGui import QGuiApplication

from napari_defocus.errors import DefocusError
from napari_defocus.io import write_picture
from napari_defocus.viewer.launch import launch


@pytest.mark.window
def test_files_and_the_dock_are_open(make_napari_viewer, registered, tmp_path, monkeypatch):
    write_picture(tmp_path / "photo.png", np.zeros((32, 48), np.uint8))
    (tmp_path / "notes.png").write_bytes(b"no picture")
    viewers = []

    def make(**arguments):
        viewers.append(make_napari_viewer(**arguments))
        return viewers[0]

    monkeypatch.setattr(napari, "Viewer", make)
    monkeypatch.setattr(napari, "run", lambda: None)
    launch([tmp_path / "photo.png", tmp_path / "notes.png"])
    (viewer,) = viewers
    assert [layer.name for layer in viewer.layers] == ["photo"]
    assert list(viewer.window.dock_widgets) == ["Defocus (napari-defocus)"]
    (dock,) = viewer.window.dock_widgets.values()
    assert dock.image.value is viewer.layers["photo"]
    screen, window = QGuiApplication.primaryScreen().availableGeometry(), viewer.window.geometry()
    assert window[2] > 0.9 * min(screen.width(), 1920)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have a screen")
def test_without_a_screen_a_sentence_says_so(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DefocusError, match="no screen"):
        launch([])
