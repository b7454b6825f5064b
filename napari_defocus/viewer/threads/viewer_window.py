"""Window of a viewer: whether it is open, and its canvas."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.viewer import Viewer


def is_open(viewer: "Viewer") -> bool:
    """Return whether layers can be added to a viewer: it has no window, or one that is not closed.

    napari closes a window without a public sign of it.
    """
    # napari passes a viewer to plugins without its private parts
    window = getattr(getattr(viewer, "__wrapped__", viewer), "window", None)
    if window is None:
        return True
    try:
        return bool(window._qt_window.isVisible())
    except (AttributeError, RuntimeError):  # deleted by napari, or by Qt
        return False


def find_canvas(viewer: "Viewer") -> Any:
    """Return the canvas of a viewer's window, which draws its layers; None without a window.

    napari offers no public way to it.
    """
    # napari passes a viewer to plugins without its private parts
    window = getattr(getattr(viewer, "__wrapped__", viewer), "window", None)
    return None if window is None else window._qt_viewer.canvas
