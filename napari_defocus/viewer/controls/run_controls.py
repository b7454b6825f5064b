"""Controls that start, stop and document a run, and show its progress."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from magicgui.widgets import Container, Label, ProgressBar, PushButton, Widget
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QDockWidget, QScrollArea, QWidget

from ...errors import DefocusError
from ...inference.engine import Progress
from ..threads.phases import TimeLeft
from ..threads.progress_bar import set_share

#: Red that can be read on light and on dark ground.
ERROR_COLOR = "#e5533d"


class RunControls:
    """Buttons to run and cancel, progress, and buttons to copy the run as Python or command line.

    Parameters
    ----------
    verb : str
        Text of the Run button.
    run, cancel : callable
        Called without arguments.
    as_python, as_command_line : callable
        Return the text for the clipboard.
    beside : sequence of widgets
        Further buttons beside Cancel.
    """

    def __init__(
        self,
        verb: str,
        *,
        run: Callable[[], Any],
        cancel: Callable[[], Any],
        as_python: Callable[[], str],
        as_command_line: Callable[[], str],
        beside: Sequence[Widget] = (),
    ) -> None:
        self.run_button = PushButton(text=verb, tooltip="Results become new layers")
        self.cancel_button = PushButton(text="Cancel", enabled=False)
        self.python_button = PushButton(
            text="Copy Python", tooltip="Copy Python code that does the same"
        )
        self.command_button = PushButton(
            text="Copy command line", tooltip="Copy a command for the terminal that does the same"
        )
        self.progress = ProgressBar(value=0, min=0, max=1, visible=False)
        self._time_left = TimeLeft()
        self.status = WrappedLabel()
        self._scrolling = QTimer(self.status.native)  # once the area has taken the new height
        self._scrolling.setSingleShot(True)
        self._scrolling.timeout.connect(self._scroll_to_status)
        self.run_button.changed.connect(lambda: self.attempt(run))
        self.cancel_button.changed.connect(lambda: cancel())
        self.python_button.changed.connect(lambda: self._copy("Python code", as_python))
        self.command_button.changed.connect(lambda: self._copy("Command line", as_command_line))
        self.container: Container[Widget] = Container(
            widgets=[
                row(self.run_button, self.cancel_button, *beside),
                self.progress,
                self.status,
                row(self.python_button, self.command_button),
            ],
            labels=False,
        )
        self.container.margins = (0, 0, 0, 0)

    def add_results(self, *widgets: Widget | QWidget) -> None:
        """Put widgets that show results or go on from them below the status."""
        layout = self.container.native.layout()
        for widget in widgets:
            native = widget.native if isinstance(widget, Widget) else widget
            layout.insertWidget(layout.count() - 1, native)  # above the buttons to copy

    def show_running(self) -> None:
        """Show that a run has started."""
        self._set_busy(True)
        self.progress.visible = True  # from now on, so that no result moves what lies below
        self.status.native.setStyleSheet("")
        set_share(self.progress.native, 0, 0)
        self._time_left = TimeLeft()
        self.status.set_text("starting…")

    def show_progress(self, progress: Progress) -> None:
        """Show how much is done, in which phase, and how long it takes; a total of 0: unknown."""
        set_share(self.progress.native, progress.done, progress.total)
        self.status.set_text(self._time_left.describe(progress))

    def show_note(self, text: str) -> None:
        """Show a note, unless a run is in progress."""
        if self.run_button.enabled:
            self.status.set_text(text)

    def forget(self, *_: Any) -> None:
        """Tell no more how the last run ended, unless one is in progress."""
        if self.run_button.enabled:
            self.show_end("", complete=False)

    def show_error(self, message: str) -> None:
        """Show why a run failed or could not start."""
        self.show_end(message, complete=False)
        self.status.native.setStyleSheet(f"color: {ERROR_COLOR}")
        self._scrolling.start()

    def _scroll_to_status(self) -> None:
        parent = self.status.native.parentWidget()
        while parent is not None and not isinstance(parent, QScrollArea):
            parent = parent.parentWidget()
        if parent is not None:
            parent.ensureWidgetVisible(self.status.native)

    def show_end(self, text: str, *, complete: bool) -> None:
        """Show how the run ended."""
        self._set_busy(False)
        self.status.native.setStyleSheet("")
        set_share(self.progress.native, int(complete), 1)
        self.status.set_text(text)

    def _set_busy(self, busy: bool) -> None:
        self.run_button.enabled = not busy
        self.cancel_button.enabled = busy

    def _copy(self, what: str, text: Callable[[], str]) -> None:
        from qtpy.QtWidgets import QApplication

        def copy() -> None:
            clipboard = QApplication.clipboard()
            if clipboard is not None:
                clipboard.setText(text())
                self.status.set_text(f"{what} copied")

        self.attempt(copy)

    def attempt(self, action: Callable[[], Any]) -> None:
        """Call `action` for a button; show a DefocusError here, or beside a run in progress."""
        from napari.utils.notifications import show_error

        try:
            action()
        except DefocusError as error:
            if self.run_button.enabled:
                self.show_error(str(error))
            else:
                show_error(str(error))


class WrappedLabel(Label):
    """Label that wraps its text to its width."""

    def __init__(self) -> None:
        from qtpy.QtWidgets import QSizePolicy

        super().__init__(value="")
        self.native.setWordWrap(True)
        self.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._resizing = _ResizeFilter(self.native, self._fit)

    def set_text(self, text: str) -> None:
        """Show `text`, which may be broken after commas without a space too."""
        self.value = re.sub(r",(?=\S)", ",\u200b", text)
        self._fit()

    def _fit(self) -> None:
        """Make room for all lines: layouts of docks ignore that these depend on the width."""
        height = self.native.heightForWidth(max(200, self.native.width())) if self.value else 0
        if height != self.native.minimumHeight():
            self.native.setMinimumHeight(height)
            _lay_out(self.native)


def _lay_out(widget: QWidget) -> None:
    """Lay out what surrounds a widget within its area or dock, which Qt may put off."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QScrollArea | QDockWidget):
        layout = parent.layout()
        if layout is not None:
            layout.activate()
        parent = parent.parentWidget()


class _ResizeFilter(QObject):
    """Event filter that reports when a widget has got another width, as by a scroll bar."""

    def __init__(self, widget: QWidget, on_resize: Callable[[], object]) -> None:
        super().__init__(widget)
        self._on_resize = on_resize
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Report the event and let it pass."""
        if isinstance(event, QResizeEvent) and event.size().width() != event.oldSize().width():
            self._on_resize()
        return False


def row(*widgets: Widget) -> Container[Widget]:
    """Return widgets side by side, without labels."""
    container: Container[Widget] = Container(widgets=widgets, layout="horizontal", labels=False)
    container.margins = (0, 0, 0, 0)
    return container
