"""Entries of runs in the activity dock of a real window."""

import pytest
from napari._qt.widgets.qt_progress_bar import QtLabeledProgressBar
from qtpy.QtWidgets import QPushButton

from napari_defocus.viewer.threads.activity import ActivityEntry


@pytest.fixture
def dock(window_viewer):
    """The activity dock, open."""
    dialog = window_viewer.window._qt_window._activity_dialog
    dialog.show()
    return dialog


@pytest.fixture
def rows(dock):
    """Return a function that lists the rows of the dock."""
    return lambda: dock.findChildren(QtLabeledProgressBar)


def test_entry_shows_what_is_done(rows):
    entry = ActivityEntry("Deblurring photo", lambda: None)
    (row,) = rows()
    assert row.description_label.text() == "Deblurring photo: "
    entry.show_share(3, 4)
    assert (row.qt_progress_bar.value(), row.qt_progress_bar.maximum()) == (3, 4)
    entry.show_share(0, 0)
    assert row.qt_progress_bar.maximum() == 0
    entry.close()


def test_cancel_button_calls_back(rows):
    calls = []
    entry = ActivityEntry("Deblurring photo", lambda: calls.append("canceled"))
    (row,) = rows()
    row.findChild(QPushButton).click()
    assert calls == ["canceled"]
    entry.close()


def test_sign_of_activity_lasts_until_the_last_entry_is_closed(dock, rows, until):
    sign = dock._toggleButton._inProgressIndicator
    entries = [ActivityEntry(name, lambda: None) for name in ("first", "second")]
    until(sign.isVisible)
    entries[0].close()
    until(lambda: len(rows()) == 1)
    assert sign.isVisible()
    entries[1].close()
    until(lambda: not rows())
    assert not sign.isVisible()


def test_run_has_an_entry_until_it_is_canceled(window_viewer, dock_widget, rows, until, photo):
    window_viewer.add_image(photo, rgb=True, name="photo")
    dock_widget("Deblur").run()
    (row,) = rows()
    assert row.description_label.text() == "Deblurring photo: "
    row.findChild(QPushButton).click()
    until(lambda: not rows())


def test_entry_outlives_its_window(registered, make_napari_viewer, until):
    viewer = make_napari_viewer(show=True)
    gone = []
    entry = ActivityEntry("Deblurring photo", lambda: None)
    viewer.window._qt_window._activity_dialog.destroyed.connect(lambda: gone.append(True))
    viewer.close()
    until(lambda: bool(gone))
    entry.show_share(1, 2)
    entry.close()


def test_without_a_window_there_is_no_entry(qapp):
    entry = ActivityEntry("Deblurring photo", lambda: None)
    entry.show_share(1, 2)
    entry.close()
