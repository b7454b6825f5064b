"""Progress bars that are painted by the event loop."""

from qtpy.QtWidgets import QProgressBar


def set_share(bar: QProgressBar, done: int, total: int) -> None:
    """Show in a bar that `done` of `total` is done; a total of 0 stands for unknown.

    By itself Qt paints the bar, and with it a canvas that has changed, before a setter returns.
    """
    bar.setUpdatesEnabled(False)
    bar.setRange(0, total)
    bar.setValue(done)
    bar.setUpdatesEnabled(True)
