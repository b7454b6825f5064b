"""Entry of a run in napari's activity dock, with progress and a Cancel button."""

from collections.abc import Callable
from typing import Any

import napari
from qtpy.QtCore import QTimer

from .progress_bar import set_share


class ActivityEntry:
    """Entry in the activity dock of the current viewer; nothing if it has no window.

    The public ``napari.utils.progress`` handles all pending events whenever an entry opens or its
    bar moves. That event loop within the event loop would draw layers and start other actions in
    the middle of a widget's own, so the entry is put into the dock directly.

    Parameters
    ----------
    description : str
        Text beside the bar.
    on_cancel : callable
        Called without arguments when Cancel is pressed.
    """

    def __init__(self, description: str, on_cancel: Callable[[], Any]) -> None:
        viewer = napari.current_viewer()
        self._row = None if viewer is None else _add_row(viewer, description)
        if self._row is not None:
            self._row.cancel_button.clicked.connect(lambda: on_cancel())
            self._row.destroyed.connect(self._forget)  # before the run ends if the window closes

    def show_share(self, done: int, total: int) -> None:
        """Show that `done` of `total` is done; a total of 0 stands for unknown."""
        if self._row is not None:
            set_share(self._row.qt_progress_bar, done, total)

    def close(self) -> None:
        """Remove the entry."""
        if self._row is not None:
            self._row.close()  # deletes it, and stops the sign of activity if it was the last
            self._row = None

    def _forget(self) -> None:
        self._row = None


def _add_row(viewer: Any, description: str) -> Any:
    """Add a row to the activity dock; return None if this napari builds its dock differently.

    A timer shows the sign of activity in the status bar, because Qt may lay the window out, and
    draw it, before a widget's ``show`` returns.
    """
    try:
        from napari._qt.widgets.qt_progress_bar import QtLabeledProgressBar

        dock = viewer.window._qt_window._activity_dialog
        row = QtLabeledProgressBar()
        row.description_label.setText(f"{description}: ")
        row.setRange(0, 0)
        row.cancel_button.show()
        dock._activityLayout.addWidget(row)
        row.destroyed.connect(dock.maybe_hide_progress_indicator)
        sign = dock._toggleButton._inProgressIndicator
        sign.movie().start()
        timer = QTimer(row)
        timer.setSingleShot(True)
        timer.timeout.connect(sign.show)
        timer.start(0)
    except (ImportError, AttributeError):
        return None
    return row
