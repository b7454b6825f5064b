"""Rows of a container: their labels, aligned once the window's style is known."""

from collections.abc import Callable

from magicgui.widgets import Container, Widget
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QLabel, QWidget


def align_labels(container: Container[Widget]) -> None:
    """Make all labels of a vertical container as wide as the widest.

    magicgui measures them before napari's style has set the font.
    """
    labels = [label for row in _rows(container) if (label := _label(row)) is not None]
    widest = max((label.sizeHint().width() for label in labels), default=0)
    for label in labels:
        label.setMinimumWidth(widest)


def _rows(container: Container[Widget]) -> list[QWidget]:
    layout = container.native.layout()
    items = (layout.itemAt(index) for index in range(layout.count()))
    return [item.widget() for item in items if item.widget() is not None]


def _label(row: QWidget) -> QLabel | None:
    layout = row.layout()
    first = layout.itemAt(0) if layout is not None and layout.count() == 2 else None
    widget = first.widget() if first is not None else None
    return widget if isinstance(widget, QLabel) else None


class Visibility(QObject):
    """Tells when a panel is shown and hidden, but not when its window is minimized.

    Parameters
    ----------
    panel : QWidget
        What to watch; owns this object.
    shown, hidden : callable
        Called without arguments.
    """

    def __init__(
        self, panel: QWidget, *, shown: Callable[[], None], hidden: Callable[[], None]
    ) -> None:
        super().__init__(panel)
        self._shown, self._hidden = shown, hidden
        panel.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Watch; keep no event from anyone."""
        if event is not None and not event.spontaneous():
            if event.type() == QEvent.Type.Show:
                self._shown()
            elif event.type() == QEvent.Type.Hide:
                self._hidden()
        return False
