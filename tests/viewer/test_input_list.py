"""List of input files and the dialogs that add to it."""

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_defocus.io import formats
from napari_defocus.viewer.input_list import InputList


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


@pytest.mark.parametrize("readable", [True, False])
def test_raw_files_are_listed_only_where_they_can_be_read(offered_patterns, monkeypatch, readable):
    monkeypatch.setattr(formats, "find_spec", lambda name: readable or None)
    patterns = offered_patterns()
    assert {"*.tif", "*.TIF", "*.png", "*.JPG"} <= set(patterns)
    assert ({"*.cr2", "*.CR3", "*.nef"} <= set(patterns)) == readable
    assert ("*.dng" in patterns) == readable
