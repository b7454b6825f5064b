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
        self._on_show, self._on_hide = on_show, on_hide
        panel.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Report an event and let it pass."""
        if event is not None and not event.spontaneous():
            if event.type() == QEvent.Type.Show and self._on_show is not None:
                self._on_show()
            elif event.type() == QEvent.Type.Hide and self._on_hide is not None:
                self._on_hide()
        return False
