"""Event filter that reports when a panel is shown or hidden."""

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget


class VisibilityFilter(QObject):
    """Reports when a panel is shown or hidden, but not when its window is minimized.

    Parameters
    ----------
    panel : QWidget
        Widget to watch, and parent of this object.
    on_show, on_hide : callable, optional
        Called without arguments.
    """

    def __init__(
        self,
        panel: QWidget,
        *,
        on_show: Callable[[], object] | None = None,
        on_hide: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(panel)
        self._callbacks = {QEvent.Type.Show: on_show, QEvent.Type.Hide: on_hide}
        panel.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Report an event and let it pass."""
        if event is not None and not event.spontaneous():
            callback = self._callbacks.get(event.type())
            if callback is not None:
                callback()
        return False
