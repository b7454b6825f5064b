"""Start of napari with the dock and files."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import DefocusError
from .open_files import open_files


def launch(paths: Sequence[Path]) -> None:
    """Open napari with the dock *Defocus* and image files, and wait until it is closed.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Image files and zarr stores, one layer each; files that cannot be read are told in napari.

    Raises
    ------
    DefocusError
        If there is no screen.
    """
    if not _has_screen():
        raise DefocusError(
            "there is no screen to open napari on; set DISPLAY, or use the other commands, which "
            "need none"
        )
    import napari
    from napari.utils.notifications import show_error
    from qtpy.QtCore import QTimer

    viewer = napari.Viewer(title="napari-defocus")
    try:
        open_files(viewer, paths)
    except DefocusError as error:
        show_error(str(error))
    viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus")
    QTimer.singleShot(0, viewer.reset_view)  # the dock has narrowed the canvas
    napari.run()


def _has_screen() -> bool:
    """Return whether Qt finds a screen; without one it ends the process on Linux."""
    if not sys.platform.startswith("linux"):
        return True
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return any(os.environ.get(name) for name in names)
