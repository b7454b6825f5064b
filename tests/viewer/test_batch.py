"""The Batch widget: files in, results out, run by run, as a user would."""

import numpy as np
import pytest
from PIL import Image

from napari_defocus import deblur
from napari_defocus.errors import FileError, OptionError
from napari_defocus.io import read_picture


@pytest.fixture
def folder(tmp_path, photo):
    """Three pictures and a file that is none."""
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


def test_files_are_done_one_by_one_and_told(widget, finish, folder, tmp_path):
    outcomes = finish(widget.run())
    assert states(widget) == ["done", "done", "done", "failed"]
    assert [outcome.state for outcome in outcomes] == states(widget)
    assert "not an image of a known kind" in widget.table.texts(3)[-1]
    assert widget._summary.value == "4 of 4 files: 3 done, 1 failed"
    image = read_picture(folder / "1.png").data
    result = read_picture(tmp_path / "out" / "1-deblurred.png").data
    assert np.array_equal(result, deblur(image, channel_axis=-1))
    assert (tmp_path / "out" / "report.html").exists()


def test_cancelled_runs_go_on(widget, finish, until, tmp_path):
    worker = widget.run()
    until(lambda: states(widget)[0] == "done")
    widget.cancel()
    finish(worker)
    assert "not reached" in (tmp_path / "out" / "report.csv").read_text(encoding="utf-8")
    finish(widget.run())
    assert states(widget)[0] == "verified"
    assert states(widget)[1:] == ["done", "done", "failed"]


def test_paused_runs_rest_until_told(widget, finish, until):
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


def test_double_click_on_a_broken_file_says_what_is_wrong_with_it(widget, finish, viewer):
    from napari.utils.notifications import notification_manager

    finish(widget.run())
    said = []
    notification_manager.notification_ready.connect(lambda told: said.append(told.message))
    widget.table.cellDoubleClicked.emit(3, 0)
    assert len(said) == 1
    assert "bad.png is not an image of a known kind" in said[0]
    assert not viewer.layers


def test_python_and_command_say_what_was_set(widget, folder, tmp_path, finish):
    widget.task.value, widget.strength.value = "both", 0.5
    widget.dual_pixel.value, widget.tile.value = True, 256
    out = str(tmp_path / "out")
    code = widget.as_python()
    said = {}
    exec(code, said)
    written = read_picture(tmp_path / "out" / "0-deblurred.png").data
    finish(widget.run())
    assert states(widget) == ["verified", "verified", "verified", "failed"]
    assert np.array_equal(read_picture(tmp_path / "out" / "0-deblurred.png").data, written)
    assert widget.as_command_line() == (
        f"napari-defocus batch {folder} {out} --task both --strength 0.5 --dual-pixel --tile 256"
    )


def test_what_is_missing_is_said(open_widget, folder, tmp_path):
    widget = open_widget("Batch")
    with pytest.raises(OptionError, match="no file is given"):
        widget.run()
    widget.inputs.value = [folder]
    widget.out.line_edit.value = ""
    with pytest.raises(OptionError, match="no folder for the results"):
        widget.run()
    widget.out.value = tmp_path / "out"
    widget.inputs.value = ["none.tif"]
    with pytest.raises(FileError, match="none.tif"):
        widget.run()
