"""What every test shares: where the evaluation data lie, and whether there is a screen."""

import ctypes.util
import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_CHECKOUT = Path(__file__).resolve().parents[1]
_XCB = ("EGL", "xcb-cursor", "xcb-icccm", "xcb-image", "xcb-keysyms", "xcb-render-util")


def _has_screen() -> bool:
    """Whether Qt can open windows: a missing library of its xcb platform aborts the process."""
    if sys.platform != "linux":
        return True
    screen = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    libraries = all(ctypes.util.find_library(name) for name in _XCB)
    return libraries and (screen or shutil.which("Xvfb") is not None)


SCREEN = _has_screen()
if not SCREEN:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests of a whole viewer where there is no screen: it cannot start without OpenGL."""
    if not SCREEN and "make_napari_viewer" in getattr(item, "fixturenames", ()):
        pytest.skip("no screen: .ci/run installs Xvfb and the libraries that Qt needs")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The evaluation data (``dpdd``, ``photos``, ``pixel4``, ``real``), or skip.

    ``NAPARI_DEFOCUS_DATA`` names the folder; without it, ``../shared/data`` beside the checkout.
    """
    folder = Path(os.environ.get("NAPARI_DEFOCUS_DATA", _CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no evaluation data: {folder} is not a folder (set NAPARI_DEFOCUS_DATA)")
    return folder
