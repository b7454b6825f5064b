"""Progress bar for napari's activity dock, with a Cancel button that acts at once."""

from collections.abc import Callable
from typing import Any

from napari.utils.progress import cancelable_progress


class ActivityBar(cancelable_progress):  # type: ignore[misc]  # tqdm has no types
    """Progress bar in the activity dock.

    napari's own bar reports Cancel only while it is iterated over; this one reports it at once.

    Parameters
    ----------
    description : str
        Text beside the bar.
    on_cancel : callable
        Called without arguments, in the GUI thread, when Cancel is pressed.
    """

    def __init__(self, description: str, on_cancel: Callable[[], Any]) -> None:
        self._on_cancel = on_cancel
        super().__init__(desc=description, total=0)

    def cancel(self) -> None:
        """Stop the work."""
        super().cancel()
        self._on_cancel()

    def advance(self, done: int, total: int) -> None:
        """Show that `done` of `total` is done; do nothing once the bar is closed."""
        if self.disable:
            return
        self.total: int = total
        if done > self.n:  # setting the total handles events, so a later step may have come first
            self.update(done - self.n)
