"""Batch widget: runs over folders of pictures."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QObject, Qt, QThreadPool, QUrl, Slot
from qtpy.QtGui import QColor, QDesktopServices
from qtpy.QtWidgets import QMessageBox
from superqt.utils._qthreading import WorkerBase

from napari_defocus import deblur
from napari_defocus.errors import OptionError
from napari_defocus.io import read_picture, write_picture
from napari_defocus.viewer.controls.run_controls import ERROR_COLOR
from napari_defocus.viewer.threads.runner import Worker


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
    return [widget.table.texts(file)[1] for file in sorted(widget.table.files)]


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


def test_a_batch_that_ends_before_the_window_works_again_is_shown_whole(
    widget, finish, monkeypatch
):
    start = Worker.start

    def start_and_wait(worker):
        start(worker)
        assert QThreadPool.globalInstance().waitForDone(120_000)

    monkeypatch.setattr(Worker, "start", start_and_wait)
    finish(widget.run())
    assert states(widget) == ["done", "done", "done", "failed"]
    assert widget._summary.value == "4 of 4 files: 3 done, 1 failed"


def test_run_continues_after_cancellation(widget, finish, until, tmp_path):
    worker = widget.run()
    until(lambda: states(widget)[:1] == ["done"])
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


def test_double_click_opens_file_and_result(widget, finish, viewer, until):
    finish(widget.run())
    double_click(widget, 1)
    until(lambda: len(viewer.layers) == 2)
    assert [layer.name for layer in viewer.layers] == ["1", "1-deblurred"]


def test_enter_opens_file_and_result(widget, finish, viewer, until, qtbot):
    finish(widget.run())
    widget.table.setCurrentCell(row_of(widget, 1), 0)
    qtbot.keyClick(widget.table, Qt.Key.Key_Return)
    until(lambda: [layer.name for layer in viewer.layers] == ["1", "1-deblurred"])


def row_of(widget, file):
    """Return the first row of a file."""
    return widget.table._files.index(file)


def double_click(widget, file):
    """Double-click the row of a file."""
    widget.table.cellDoubleClicked.emit(row_of(widget, file), 0)


def test_maps_are_opened_as_maps(widget, finish, viewer, folder):
    widget.inputs.value = [folder / "0.png"]
    widget.task.value = "map"
    finish(widget.run())
    finish(widget.open(0))
    assert [layer.name for layer in viewer.layers] == [
        "0", "0 confidence", "0 defocus (sure)", "0 defocus",
    ]  # fmt: skip


def test_double_click_on_a_broken_file_shows_its_error(widget, finish, viewer, until):
    finish(widget.run())
    double_click(widget, 3)
    until(lambda: "bad.png is not an image of a known kind" in widget._controls.status.value)
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


def press(widget, text, until):
    """Press a button of the question that the widget shows when it has looked for files."""
    until(lambda: not widget.busy)
    (box,) = widget.native.findChildren(QMessageBox)
    (button,) = (button for button in box.buttons() if text in button.text())
    button.click()
    return box.text()


def test_the_button_asks_about_results_of_other_settings(widget, finish, until, folder, tmp_path):
    widget.inputs.value = [folder / "0.png"]
    widget.task.value = "map"
    finish(widget.run())
    result = tmp_path / "out" / "0-defocus.tif"
    before = result.read_bytes()
    widget.downscale.value = 2
    widget.run_button.changed.emit(True)
    text = press(widget, "Keep them", until)
    assert text == "2 results were made with other settings: 0-defocus.tif and others."
    finish(widget._worker)
    assert (states(widget), result.read_bytes()) == (["kept"], before)
    widget.run_button.changed.emit(True)
    press(widget, "Keep both", until)
    finish(widget._worker)
    assert (states(widget), result.read_bytes()) == (["done"], before)
    assert (tmp_path / "out" / "0-defocus-2.tif").exists()
    widget.downscale.value = 4
    widget.run_button.changed.emit(True)
    press(widget, "Replace them", until)
    finish(widget._worker)
    assert states(widget) == ["done"]
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


def test_missing_files_or_folder_are_errors(open_widget, finish, folder, tmp_path):
    widget = open_widget("Batch")
    with pytest.raises(OptionError, match="no files"):
        widget.run()
    widget.inputs.value = [folder]
    widget.out.line_edit.value = ""
    with pytest.raises(OptionError, match="no folder for the results"):
        widget.run()
    widget.out.value = tmp_path / "out"
    widget.inputs.value = ["none.tif"]
    finish(widget.run())
    assert widget._controls.status.value.startswith("none.tif is neither a file nor a folder")
    assert widget.run_button.enabled


def test_a_search_for_files_can_be_canceled_before_anything_is_written(
    open_widget, finish, until, folder, tmp_path
):
    for number in range(200):
        (folder / f"{number}.tif").write_bytes(b"nothing")
    widget = open_widget("Batch")
    widget.inputs.value, widget.out.value = [folder], tmp_path / "out"
    worker, texts = widget.run(), []
    worker.yielded.connect(lambda progress: texts.append(widget._controls.status.value))
    until(lambda: bool(texts))
    assert texts[0].startswith("looking for files")
    assert not widget.run_button.enabled
    widget.cancel()
    finish(worker)
    assert widget._controls.status.value == "canceled; run again to continue"
    assert widget.run_button.enabled
    assert not widget.pause_button.enabled
    assert not (tmp_path / "out").exists()


def test_failed_files_come_first_in_red_with_their_message_below(widget, finish):
    finish(widget.run())
    assert widget.table.files == [3, 0, 1, 2]
    name, message = (widget.table.item(row, 0) for row in range(2))
    assert (name.text(), widget.table.columnSpan(1, 0)) == ("bad.png", 5)
    assert "not an image of a known kind" in message.text()
    assert name.foreground().color() == message.foreground().color() == QColor(ERROR_COLOR)
    assert widget.table.item(2, 0).foreground().color() != QColor(ERROR_COLOR)


def test_only_files_folder_and_run_are_shown_until_settings_are_unfolded(open_widget):
    widget = open_widget("Batch")
    folded = [control.name for control in widget if control.visible]
    assert folded == ["inputs", "out"]
    widget.unfold_button.value = True
    assert widget.task.visible
    assert widget.strength.visible
    assert not widget.tile.visible
    widget.unfold_button.value = False
    assert [control.name for control in widget if control.visible] == folded


def test_every_control_says_what_it_does(open_widget):
    widget = open_widget("Batch")
    silent = [each.name for each in widget if not each.tooltip and not hasattr(each, "text")]
    assert [name for name in silent if name not in ("inputs", "model", "map_model")] == []


def test_the_folder_is_preset_beside_the_files(open_widget, folder, tmp_path):
    widget = open_widget("Batch")
    widget.inputs.value = [folder / "0.png"]
    assert widget.out.value == folder / "deblurred"
    widget.inputs.value = [folder]
    assert widget.out.value == folder / "deblurred"
    widget.inputs.value = [f"{tmp_path}/*/*.png"]
    assert widget.out.value == tmp_path / "deblurred"
    widget.out.value = tmp_path / "mine"
    widget.inputs.value = [folder / "1.png"]
    assert widget.out.value == tmp_path / "mine"


def test_report_and_folder_are_opened_by_the_system(widget, finish, tmp_path, desktop):
    assert not widget.opening.report.enabled
    finish(widget.run())
    widget.opening.report.changed.emit(True)
    widget.opening.folder.changed.emit(True)
    assert desktop == [tmp_path / "out" / "report.html", tmp_path / "out"]


@pytest.fixture
def desktop(qapp):
    """A list that the files opened by the system are added to, none of which really is."""

    class Handler(QObject):
        @Slot(QUrl)
        def take(self, url):
            paths.append(Path(url.toLocalFile()))

    paths, handler = [], Handler()
    QDesktopServices.setUrlHandler("file", handler, "take")
    yield paths
    QDesktopServices.unsetUrlHandler("file")


def test_neighboring_planes_are_chosen_for_what_is_restored(
    dock_widget, window_viewer, stack, tmp_path
):
    write_picture(tmp_path / "cells.tif", stack[:, 0])
    batch = dock_widget("Batch")
    batch.inputs.value, batch.out.value = [tmp_path / "cells.tif"], tmp_path / "out"
    window_viewer.add_image(stack[:, 0], name="cells")
    dock_widget("Defocus").open_step("Deblur").stack_axis.value = 0
    batch.same_as_deblur.changed.emit(True)
    assert batch._settings.values().stack_axis == "auto"
    assert "--stack-axis auto" in batch.as_command_line()
    exec(batch.as_python(), {})
    expected = deblur(stack[:, 0], stack_axis=0)
    np.testing.assert_array_equal(read_picture(tmp_path / "out/cells-deblurred.tif").data, expected)
    batch.task.value = "map"
    assert batch._settings.values().stack_axis is None


def test_settings_of_deblur_are_taken_over(dock_widget, window_viewer, photo):
    window_viewer.add_image(photo)
    batch = dock_widget("Batch")
    batch.same_as_deblur.changed.emit(True)
    assert "Deblur is not open" in batch._controls.status.value
    step = dock_widget("Defocus").open_step("Deblur")
    step.strength.value, step.protect_radius.value, step.tile.value = 0.4, 2.5, 256
    step.bokeh_radius.value = 9.0
    batch.same_as_deblur.changed.emit(True)
    settings = batch._settings.values()
    assert settings.deblurring.strength == pytest.approx(0.4)
    assert settings.deblurring.protect_radius == pytest.approx(2.5)
    assert settings.deblurring.bokeh_radius == pytest.approx(9.0)
    assert settings.options.tile == 256


def test_a_canceled_run_writes_its_report_in_its_own_thread(widget, finish, until, tmp_path):
    worker = widget.run()
    until(lambda: states(widget)[:1] == ["done"])
    widget.cancel()
    finish(worker)
    assert widget.opening.report.enabled
