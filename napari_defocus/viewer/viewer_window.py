"""State of the window of a viewer."""

from typing import TYPE_CHECKING

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
