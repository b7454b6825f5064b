"""List of input files and the dialogs that add to it."""

import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_defocus.io import formats
from napari_defocus.viewer.batches.input_list import InputList

#: PySide 6.12 deprecates this way to make the event, and PyQt 6.11 has no other.
PYSIDE_DEPRECATES = pytest.mark.filterwarnings("ignore:.*QDragEnterEvent:DeprecationWarning")


@pytest.fixture
def offered_patterns(qtbot, monkeypatch):
    """Return a function that opens the file dialog and returns its file patterns."""
    filters = []

    def answer(parent, title, folder, patterns):
        filters.append(patterns)
        return ["/b.tif"], patterns

    monkeypatch.setattr(QFileDialog, "getOpenFileNames", answer)

    def open_dialog():
        inputs = InputList()
        qtbot.addWidget(inputs.native)
        inputs.value = ["/a.tif"]
        inputs.add_files.changed.emit(True)
        assert inputs.value == ["/a.tif", "/b.tif"]
        return filters.pop().removeprefix("Images (").removesuffix(")").split()

    return open_dialog


@pytest.fixture
def inputs(qtbot):
    inputs = InputList()
    qtbot.addWidget(inputs.native)
    inputs.native.show()
    return inputs


@pytest.mark.parametrize("readable", [True, False])
def test_raw_files_are_listed_only_where_they_can_be_read(offered_patterns, monkeypatch, readable):
    monkeypatch.setattr(formats, "find_spec", lambda name: readable or None)
    patterns = offered_patterns()
    assert {"*.tif", "*.TIF", "*.png", "*.JPG"} <= set(patterns)
    assert ({"*.cr2", "*.CR3", "*.nef"} <= set(patterns)) == readable
    assert ("*.dng" in patterns) == readable


def drop(field, data):
    """Drop data on a text field, as a mouse does."""
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    copy = Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPoint(5, 5), copy, data, left, none)
    QApplication.sendEvent(field.viewport(), enter)
    assert enter.isAccepted()
    QApplication.sendEvent(field.viewport(), QDropEvent(QPointF(5, 5), copy, data, left, none))


@PYSIDE_DEPRECATES
def test_dropped_files_and_folders_are_added(inputs, tmp_path):
    inputs.value = ["a.tif"]
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in ("b c.tif", "d")])
    drop(inputs.text.native, data)
    assert inputs.value == ["a.tif", str(tmp_path / "b c.tif"), str(tmp_path / "d")]


@PYSIDE_DEPRECATES
def test_dropped_text_is_typed(inputs):
    data = QMimeData()
    data.setText("e.tif")
    drop(inputs.text.native, data)
    assert inputs.value == ["e.tif"]


def test_an_empty_list_says_what_to_do(inputs):
    assert "Drop files" in inputs.text.native.placeholderText()
