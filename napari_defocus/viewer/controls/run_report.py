"""What is told of a run at its end."""

from typing import Any

from ...errors import ValuesWarning
from .run_controls import RunControls


class RunReport:
    """Collects notes, outcome and failure of a run, and shows them at its end.

    Parameters
    ----------
    controls : RunControls
        Where they are shown.
    """

    def __init__(self, controls: RunControls) -> None:
        self._controls = controls
        self.notes: list[str] = []
        self.outcome = ""
        self._failure = ""

    def begin(self, notes: tuple[str, ...]) -> None:
        """Start with what the user may not expect of the run."""
        self.notes, self.outcome = list(notes), ""

    def take_error(self, error: Exception) -> None:
        """Keep why the run failed."""
        self._failure = str(error)

    def take_warning(self, warning: tuple[Any, ...]) -> None:
        """Keep what was assumed of the values."""
        message, category, *_ = warning
        if issubclass(category, ValuesWarning):
            self.notes.append(str(message))

    def show_end(self, ending: str) -> None:
        """Show how the run ended: "done", "canceled" or "failed"."""
        if ending == "failed":
            self._controls.show_error(self._failure)
            return
        notes = [f"Note: {note}." for note in dict.fromkeys(self.notes)]
        text = f"{ending}: {self.outcome}" if self.outcome else ending
        self._controls.show_end("\n".join([text, *notes]), complete=ending == "done")
