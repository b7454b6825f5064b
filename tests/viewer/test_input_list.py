"""The list of files of a batch, and the dialogs that add to it."""

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_defocus.io import formats
from napari_defocus.viewer.input_list import InputList


@pytest.fixture
def offered(qtbot, monkeypatch):
    """The patterns by which the dialog for files finds what it offers."""
    asked = []

    def answer(parent, title, folder, patterns):
        asked.append(patterns)
        return ["/b.tif"], patterns

    monkeypatch.setattr(QFileDialog, "getOpenFileNames", answer)

    def _offered():
        inputs = InputList()
        qtbot.addWidget(inputs.native)
        inputs.value = ["/a.tif"]
        inputs.add_files.changed.emit(True)
        assert inputs.value == ["/a.tif", "/b.tif"]
        return asked.pop().removeprefix("Images (").removesuffix(")").split()

    return _offered


@pytest.mark.parametrize("readable", [True, False])
def test_raw_files_are_offered_where_they_can_be_read(offered, monkeypatch, readable):
    monkeypatch.setattr(formats, "find_spec", lambda name: readable or None)
    patterns = offered()
    assert {"*.tif", "*.TIF", "*.png", "*.JPG"} <= set(patterns)
    assert ({"*.cr2", "*.CR3", "*.nef"} <= set(patterns)) == readable
    assert ("*.dng" in patterns) == readable
