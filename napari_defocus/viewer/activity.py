"""A bar in napari's activity dock whose Cancel button acts at once."""

from collections.abc import Callable
from typing import Any

from napari.utils.progress import cancelable_progress


class ActivityBar(cancelable_progress):  # type: ignore[misc]  # tqdm has no types
    """A progress bar in the activity dock.

    napari's own bar calls back only while it is iterated over; this one does when Cancel is
    pressed.

    Parameters
    ----------
    description : str
        What is being done.
    on_cancel : callable
        Called without arguments, in the window's thread, when Cancel is pressed.
    """

    def __init__(self, description: str, on_cancel: Callable[[], Any]) -> None:
        self._on_cancel = on_cancel
        super().__init__(desc=description, total=0)

    def cancel(self) -> None:
        """Stop the work."""
        super().cancel()
        self._on_cancel()

    def advance(self, done: int, total: int) -> None:
        """Show that `done` of `total` is done; does nothing once closed."""
        if self.disable:
            return
        self.total: int = total
        if done > self.n:  # setting the total may have let later steps overtake this one
            self.update(done - self.n)
