"""Entry of a run in napari's activity dock, with a Cancel button that acts at once."""

from collections.abc import Callable
from typing import Any

from napari.utils.progress import cancelable_progress
from qtpy.QtCore import QTimer

#: Milliseconds that a run must last to be worth an entry.
_DELAY = 500


class ActivityEntry:
    """Entry in the activity dock for a run that lasts.

    napari handles all pending events, in an event loop within the event loop, whenever it opens an
    entry or moves its bar. So the entry is opened by a timer, when nothing else is in progress, and
    shows progress as text beside a bar that only says "busy".

    Parameters
    ----------
    description : str
        Text beside the bar.
    on_cancel : callable
        Called without arguments, in the GUI thread, when Cancel is pressed.
    """

    def __init__(self, description: str, on_cancel: Callable[[], Any]) -> None:
        self._description, self._on_cancel = description, on_cancel
        self._bar: _Bar | None = None
        self._closed = False
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._open)
        self._timer.start(_DELAY)

    def show_share(self, done: int, total: int) -> None:
        """Show that `done` of `total` is done; a total of 0 stands for unknown."""
        if self._bar is not None and total:
            self._bar.events.eta(value=f"{done / total:.0%}")

    def close(self) -> None:
        """Remove the entry, or do not open it."""
        self._closed = True
        self._timer.stop()
        if self._bar is not None:
            self._bar.close()

    def _open(self) -> None:
        bar = _Bar(self._description, self._on_cancel)
        self._bar = bar
        if self._closed:  # by one of the events that napari has handled
            bar.close()


class _Bar(cancelable_progress):  # type: ignore[misc]  # tqdm has no types
    """napari's bar, which itself reports Cancel only while it is iterated over."""

    def __init__(self, description: str, on_cancel: Callable[[], Any]) -> None:
        self._on_cancel = on_cancel
        super().__init__(desc=description, total=0)

    def cancel(self) -> None:
        """Stop the work."""
        super().cancel()
        self._on_cancel()
