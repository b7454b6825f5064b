"""Window of the command `app`."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from ..errors import DefocusError


def open_window(files: Sequence[Path]) -> None:
    """Open napari with image files, and wait until it is closed.

    Raises
    ------
    DefocusError
        If napari is not installed, or there is no screen.
    """
    if find_spec("napari") is None:
        raise DefocusError(
            'napari is not installed; install it with: pip install "napari-defocus[all]"'
        )
    from ..viewer.launch import launch

    launch(files)
