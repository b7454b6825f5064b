"""Labels of magicgui containers, aligned once the window's style is applied."""

from magicgui.widgets import Container, Widget
from qtpy.QtWidgets import QLabel, QWidget


def align_labels(container: Container[Widget]) -> None:
    """Make all labels of a vertical container as wide as the widest.

    magicgui measures them too early, before napari's style has set the font.
    """
    labels = [label for row in _rows(container) if (label := _label(row)) is not None]
    for label in labels:
        label.ensurePolished()
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
