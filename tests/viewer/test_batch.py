"""Batch widget: runs over folders of pictures."""

import sys

import numpy as np
import pytest
from PIL import Image
from qtpy.QtWidgets import QMessageBox
from superqt.utils._qthreading import WorkerBase

from napari_defocus import deblur
from napari_defocus.errors import FileError, OptionError
from napari_defocus.io import read_picture


@pytest.fixture
def folder(tmp_path, photo):
    """Folder with three pictures and a broken file."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(np.roll(photo, number, 0)).save(folder / f"{number}.png")
    (folder / "bad.png").write_bytes(b"nothing")
    return folder


@pytest.fixture
def widget(open_widget, folder, tmp_path):
    widget = open_widget("Batch")
    widget.inputs.value = [folder]
    widget.out.value = tmp_path / "out"
    return widget


def states(widget):
    return [widget.table.texts(row)[1] for row in range(widget.table.rowCount())]


def test_table_and_outcomes_agree_for_good_and_broken_files(widget, finish, folder, tmp_path):
    outcomes = finish(widget.run())
    assert states(widget) == ["done", "done", "done", "failed"]
    assert [outcome.state for outcome in outcomes] == states(widget)
    assert "not an image of a known kind" in widget.table.texts(3)[-1]
    assert widget._summary.value == "4 of 4 files: 3 done, 1 failed"
    image = read_picture(folder / "1.png").data
    result = read_picture(tmp_path / "out" / "1-deblurred.png").data
    assert np.array_equal(result, deblur(image, channel_axis=-1))
    assert (tmp_path / "out" / "report.html").exists()


def test_run_continues_after_cancellation(widget, finish, until, tmp_path):
    worker = widget.run()
    until(lambda: states(widget)[0] == "done")
    widget.cancel()
    finish(worker)
    assert "not reached" in (tmp_path / "out" / "report.csv").read_text(encoding="utf-8")
    finish(widget.run())
    assert states(widget)[0] == "verified"
    assert states(widget)[1:] == ["done", "done", "failed"]


def test_paused_run_waits_until_it_is_resumed(widget, finish, until):
    worker = widget.run()
    widget.pause_button.changed.emit(True)
    until(lambda: worker.is_paused)
    widget.pause_button.changed.emit(True)
    finish(worker)
    assert states(widget) == ["done", "done", "done", "failed"]


def test_double_click_opens_file_and_result(widget, finish, viewer):
    finish(widget.run())
    widget.table.cellDoubleClicked.emit(1, 0)
    assert [layer.name for layer in viewer.layers] == ["1", "1-deblurred"]


def test_double_click_on_a_broken_file_shows_its_error(widget, finish, viewer):
    from napari.utils.notifications import notification_manager

    finish(widget.run())
    messages = []
    notification_manager.notification_ready.connect(lambda note: messages.append(note.message))
    widget.table.cellDoubleClicked.emit(3, 0)
    assert len(messages) == 1
    assert "bad.png is not an image of a known kind" in messages[0]
    assert not viewer.layers


def test_copied_python_and_command_contain_the_settings(widget, folder, tmp_path, finish):
    widget.task.value, widget.strength.value = "both", 0.5
    widget.dual_pixel.value, widget.tile.value = True, 256
    out = str(tmp_path / "out")
    code = widget.as_python()
    exec(code, {})
    written = read_picture(tmp_path / "out" / "0-deblurred.png").data
    finish(widget.run())
    assert states(widget) == ["verified", "verified", "verified", "failed"]
    assert np.array_equal(read_picture(tmp_path / "out" / "0-deblurred.png").data, written)
    assert widget.as_command_line() == (
        f"napari-defocus batch {folder} {out} --task both --dual-pixel --strength 0.5 --tile 256"
    )


def press(widget, text):
    """Press a button of the question that the widget shows."""
    (box,) = widget.native.findChildren(QMessageBox)
    (button,) = (button for button in box.buttons() if text in button.text())
    button.click()
    return box.text()


def test_the_button_asks_about_results_of_other_settings(widget, finish, folder, tmp_path):
    widget.inputs.value = [folder / "0.png"]
    widget.task.value = "map"
    finish(widget.run())
    result = tmp_path / "out" / "0-defocus.tif"
    before = result.read_bytes()
    widget.downscale.value = 2
    widget.run_button.changed.emit(True)
    assert not widget.busy
    assert "0-defocus.tif was made with other settings" in press(widget, "Keep them")
    finish(widget._worker)
    assert (states(widget), result.read_bytes()) == (["kept"], before)
    widget.run_button.changed.emit(True)
    press(widget, "Replace them")
    finish(widget._worker)
    assert states(widget) == ["done"]
    assert result.read_bytes() != before
    assert widget.existing.value == "refuse"


def test_closing_during_a_run_shows_nothing_more(
    registered, make_napari_viewer, until, folder, tmp_path, monkeypatch
):
    errors = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, traceback: errors.append(error))
    viewer = make_napari_viewer(show=True)
    _, widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Batch")
    widget.inputs.value, widget.out.value = [folder], tmp_path / "out"
    worker = widget.run()
    viewer.close()
    until(lambda: worker not in WorkerBase._worker_set)
    assert errors == []


def test_missing_files_or_folder_are_errors(open_widget, folder, tmp_path):
    widget = open_widget("Batch")
    with pytest.raises(OptionError, match="no files"):
        widget.run()
    widget.inputs.value = [folder]
    widget.out.line_edit.value = ""
    with pytest.raises(OptionError, match="no folder for the results"):
        widget.run()
    widget.out.value = tmp_path / "out"
    widget.inputs.value = ["none.tif"]
    with pytest.raises(FileError, match="none.tif"):
        widget.run()
