"""Start of napari with the dock and files."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DefocusError
from .files.open_files import open_files

if TYPE_CHECKING:
    from napari.viewer import Viewer

#: Share of the screen that the window takes, and its largest width and height in pixels.
_SHARE, _LARGEST = 0.95, (1920, 1200)


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
    _enlarge(viewer)
    try:
        open_files(viewer, paths)
    except DefocusError as error:
        show_error(str(error))
    viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus")
    QTimer.singleShot(0, viewer.reset_view)  # the dock has narrowed the canvas
    napari.run()


def _enlarge(viewer: "Viewer") -> None:
    """Let the window take most of the screen, for the dock needs a third of napari's own size."""
    from qtpy.QtGui import QGuiApplication

    screen = QGuiApplication.primaryScreen()
    if screen is not None:
        free = screen.availableGeometry()
        width, height = (
            min(round(_SHARE * side), largest)
            for side, largest in zip((free.width(), free.height()), _LARGEST, strict=True)
        )
        left, top = (free.width() - width) // 2, (free.height() - height) // 2
        viewer.window.set_geometry(free.x() + left, free.y() + top, width, height)


def _has_screen() -> bool:
    """Return whether Qt finds a screen; without one it ends the process on Linux."""
    if not sys.platform.startswith("linux"):
        return True
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return any(os.environ.get(name) for name in names)
