"""Markers, the screen and the evaluation data, for all tests.

Tests are marked here where that follows from what they use: ``window`` where they open a viewer
window, ``process`` where they start processes. ``slow`` stands at the tests themselves.
"""

import ctypes.util
import inspect
import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_TESTS = Path(__file__).resolve().parent
_CHECKOUT = _TESTS.parent
# All of whose tests start processes, by way of fixtures and helpers.
_PROCESS_FILES = {
    "batch/test_cluster.py",
    "batch/test_kills.py",
    "cli/test_process.py",
    "inference/test_executor.py",
    "inference/test_malloc.py",
    "test_import.py",
    "training/engine/test_interruptions.py",
    "training/engine/test_processes.py",
}
_PROCESS_FIXTURES = {"client", "distributions", "executor"}
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that open windows or start processes."""
    missing = [name for name in sorted(_PROCESS_FILES) if not (_TESTS / name).exists()]
    if missing:
        raise pytest.UsageError(f"tests/conftest.py marks files that do not exist: {missing}")
    paths = {_TESTS / name for name in _PROCESS_FILES}
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if "make_napari_viewer" in fixtures:
            item.add_marker("window")
        if item.path in paths or fixtures & _PROCESS_FIXTURES or _starts_process(item):
            item.add_marker("process")


def _starts_process(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function):
        return False
    source = inspect.getsource(item.function)
    return any(name in source for name in ("subprocess.", "multiprocessing.", "os.fork"))


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
