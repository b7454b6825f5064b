"""The part of the widgets that starts, stops and documents a run."""

from collections.abc import Callable, Sequence
from typing import Any

from magicgui.widgets import Container, Label, ProgressBar, PushButton, Widget

from ..errors import DefocusError


class RunControls:
    """Run and Cancel, progress, and the same run as Python or as a command line.

    Parameters
    ----------
    verb : str
        What the Run button says.
    run, cancel : callable
        Called without arguments.
    as_python, as_command_line : callable
        Return the text to copy.
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
        self.run_button = PushButton(text=verb, tooltip="Results come as new layers")
        self.cancel_button = PushButton(text="Cancel", enabled=False)
        self.python_button = PushButton(text="Copy Python", tooltip="The same run as Python code")
        self.shell_button = PushButton(text="Copy command", tooltip="The same run in a terminal")
        self.progress = ProgressBar(value=0, min=0, max=1)
        self.status = Remark()
        self.run_button.changed.connect(lambda: attempt(run))
        self.cancel_button.changed.connect(lambda: cancel())
        self.python_button.changed.connect(lambda: self._copy("Python code", as_python))
        self.shell_button.changed.connect(lambda: self._copy("Command line", as_command_line))
        self.container: Container[Widget] = Container(
            widgets=[
                _row(self.run_button, self.cancel_button, *beside),
                self.progress,
                self.status,
                _row(self.python_button, self.shell_button),
            ],
            labels=False,
        )
        self.container.margins = (0, 0, 0, 0)

    def show_running(self) -> None:
        """Show that a run has begun."""
        self._set_busy(True)
        self.progress.min, self.progress.max = 0, 0
        self.status.say("starting…")

    def show_progress(self, done: int, total: int) -> None:
        """Show that `done` of `total` is done; 0 in all if that is unknown."""
        self.progress.max = total
        self.progress.value = done
        self.status.say("computing…" if total else "reading…")

    def show_note(self, text: str) -> None:
        """Show a remark, unless a run is under way."""
        if self.run_button.enabled:
            self.status.say(text)

    def show_end(self, text: str, *, complete: bool) -> None:
        """Show that the run has ended, and how."""
        self._set_busy(False)
        self.progress.max = 1
        self.progress.value = 1 if complete else 0
        self.status.say(text)

    def _set_busy(self, busy: bool) -> None:
        self.run_button.enabled = not busy
        self.cancel_button.enabled = busy

    def _copy(self, what: str, text: Callable[[], str]) -> None:
        from qtpy.QtWidgets import QApplication

        def copy() -> None:
            clipboard = QApplication.clipboard()
            if clipboard is not None:
                clipboard.setText(text())
                self.status.say(f"{what} copied")

        attempt(copy)


class Remark(Label):
    """Text over as many lines as it needs, in the width there is."""

    def __init__(self) -> None:
        from qtpy.QtWidgets import QSizePolicy

        super().__init__(value="")
        self.native.setWordWrap(True)
        self.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)

    def say(self, text: str) -> None:
        """Show `text`."""
        self.value = text
        # the layouts of docks do not ask how high a label gets at their width
        height = self.native.heightForWidth(max(200, self.native.width())) if text else 0
        self.native.setMinimumHeight(height)


def _row(*widgets: Widget) -> Container[Widget]:
    row: Container[Widget] = Container(widgets=widgets, layout="horizontal", labels=False)
    row.margins = (0, 0, 0, 0)
    return row


def attempt(action: Callable[[], Any]) -> None:
    """Run what a button asks for; what the user got wrong becomes a notification."""
    from napari.utils.notifications import show_error

    try:
        action()
    except DefocusError as error:
        show_error(str(error))
