"""Tab key: through all controls of the dock and of a step, in the order in which they stand."""

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QAbstractButton, QApplication, QComboBox, QRadioButton, QWidget

_MOST_STOPS = 120


def press_tab(qtbot, window, panel: QWidget, first: QWidget, last: QWidget) -> list[QWidget]:
    """Return the widgets that get the focus, from the first to the last; check their order."""
    QApplication.processEvents()  # which shows the panel
    window.activateWindow()
    first.setFocus()
    stops = [first]
    while stops[-1] is not last and len(stops) < _MOST_STOPS:
        qtbot.keyClick(stops[-1], Qt.Key.Key_Tab)
        stops.append(window.focusWidget())
        QApplication.processEvents()  # which scrolls to it
        assert panel.isAncestorOf(stops[-1]), stops
        assert lies_before(*stops[-2:], panel), stops
    assert stops[-1] is last
    return stops


def lies_before(one: QWidget, other: QWidget, within: QWidget) -> bool:
    """Return whether one widget stands above another, or left of it in the same row."""
    above, below = (widget.mapTo(within, QPoint(0, 0)) for widget in (one, other))
    in_one_row = abs(above.y() + one.height() / 2 - below.y() - other.height() / 2) < 8
    return above.x() < below.x() if in_one_row else above.y() < below.y()


def controls(panel: QWidget) -> set[QWidget]:
    """Return buttons and lists that can be used now; of buttons to choose from, the chosen one."""
    found = [*panel.findChildren(QAbstractButton), *panel.findChildren(QComboBox)]
    return {
        widget
        for widget in found
        if widget.isVisible()
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not (isinstance(widget, QRadioButton) and not widget.isChecked())
    }


@pytest.mark.window
@pytest.mark.parametrize("name", ["Map", "Edit", "Deblur", "Check", "Refocus", "Stack"])
def test_tab_leads_through_a_step_in_the_order_of_its_controls(
    window_viewer, dock_widget, qtbot, stack, name
):
    for channel in ("cells", "other cells"):
        window_viewer.add_image(stack, name=channel)
    window = window_viewer.window._qt_window
    dock = dock_widget("Defocus")
    step = dock.open_step(name)
    if hasattr(step, "more"):
        step.more.value = True
    stops = press_tab(qtbot, window, dock.native, dock.image.native, dock._batch.native)
    assert controls(dock.native) <= set(stops)


@pytest.mark.window
def test_tab_leads_through_channels_that_came_later(window_viewer, dock_widget, qtbot, stack):
    window_viewer.add_image(stack, name="cells")
    dock = dock_widget("Defocus")
    step = dock.open_step("Deblur")
    window_viewer.add_image(stack[::-1].copy(), name="other cells")
    window = window_viewer.window._qt_window
    stops = press_tab(qtbot, window, dock.native, dock.image.native, dock._batch.native)
    (tick,) = controls(step.channels.box.native)
    assert stops.index(tick) < stops.index(step.defocus.native)


@pytest.mark.window
def test_tab_leads_through_a_batch(window_viewer, dock_widget, qtbot):
    batch = dock_widget("Batch")
    window = window_viewer.window._qt_window
    first, last = batch._inputs.text.native, batch._controls.command_button.native
    press_tab(qtbot, window, batch.native, first, last)
