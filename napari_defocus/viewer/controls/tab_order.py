"""Order in which the Tab key leads through a panel: that in which its controls stand."""

from collections.abc import Iterator
from itertools import pairwise

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QScrollArea, QTabWidget, QWidget


def order_tab_key(panel: QWidget) -> None:
    """Let the Tab key lead through a panel from top to bottom, and in rows from left to right.

    Parameters
    ----------
    panel : QWidget
        Widget whose controls stand in layouts, tabs and scroll areas. Controls that are added later
        are not in order.
    """
    for before, after in pairwise(_stops(panel)):
        QWidget.setTabOrder(before, after)


def _stops(widget: QWidget) -> Iterator[QWidget]:
    """Yield a widget and those in it, hidden ones too, if the Tab key can stop at them."""
    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None:
        yield widget
    for part in _parts(widget):
        yield from _stops(part)


def _parts(widget: QWidget) -> list[QWidget]:
    """Return the widgets within another one, in the order in which they stand.

    Items of a layout are not asked for them: with PyQt6 a script that ended during a run would end
    with a segmentation fault.
    """
    if isinstance(widget, QTabWidget):
        bar, pages = widget.tabBar(), [widget.widget(index) for index in range(widget.count())]
        return [part for part in (bar, *pages) if part is not None]
    if isinstance(widget, QScrollArea):
        content = widget.widget()
        return [] if content is None else [content]
    layout = widget.layout()
    if layout is None:
        return []
    children = (child for child in widget.children() if isinstance(child, QWidget))
    places = {child: layout.indexOf(child) for child in children}
    return sorted((child for child, place in places.items() if place >= 0), key=places.__getitem__)
