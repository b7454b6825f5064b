"""The command as a process: encodings, progress, cancellation, imports."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_defocus import __version__
from napari_defocus.io import read_picture, write_picture

from .conftest import blobs

pty = pytest.importorskip("pty")
COMMAND = [sys.executable, "-c", "from napari_defocus.cli import main; main()"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are any bytes on Linux only")
def test_names_that_are_invalid_unicode_are_printed_unchanged(tmp_path):
    (tmp_path / "in").mkdir()
    write_picture(tmp_path / "in" / "\udcff é.tif", blobs(40, 48).astype(np.float32))
    completed = subprocess.run(
        [*COMMAND, "batch", "--task", "map", tmp_path / "in", tmp_path / "out"],
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        capture_output=True,
        check=True,
    )
    assert os.fsencode(tmp_path / "out" / "\udcff é-defocus.tif\n") in completed.stdout


def interruptible():
    """Undo what a shell does to what it runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(*arguments):
    """Start the command with its stderr on a terminal; return both."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        preexec_fn=interruptible,
    )
    os.close(theirs)
    return process, ours


def read_until(terminal, words):
    """Return the output of the terminal up to `words`, or all of it."""
    shown = b""
    while words not in shown:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # closed at the other side
            break
        if not part:
            break
        shown += part
    return shown.decode()


@pytest.fixture
def picture(tmp_path) -> Path:
    """A stack of so many planes that with small tiles the work takes some seconds."""
    write_picture(tmp_path / "a.tif", (blobs(40, 96, 96) * 255).astype(np.uint8))
    return tmp_path / "a.tif"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_without_leaving_files(picture, sent):
    process, terminal = start("map", picture, "--tile", 16)
    shown = read_until(terminal, b"1 %")
    process.send_signal(sent)
    shown += read_until(terminal, b"nothing ends with this")
    out, _ = process.communicate(timeout=60)
    os.close(terminal)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[sent]
    assert ("Canceled; nothing more is written." in shown) == (sent is signal.SIGINT)
    assert "Traceback" not in shown
    assert out == b""
    assert [path.name for path in picture.parent.iterdir()] == ["a.tif"]


def test_progress_is_shown_on_a_terminal(tmp_path):
    write_picture(tmp_path / "a.tif", (blobs(24, 32) * 255).astype(np.uint8))
    process, terminal = start("map", tmp_path / "a.tif")
    shown = read_until(terminal, b"nothing ends with this")
    process.communicate(timeout=60)
    os.close(terminal)
    assert process.returncode == 0
    assert "map a.tif" in shown
    assert "100 %" in shown


def test_version():
    shown = subprocess.run([*COMMAND, "--version"], check=True, capture_output=True, text=True)
    assert shown.stdout == f"napari-defocus {__version__}\n"


@pytest.mark.parametrize("command", [[], ["map"], ["deblur"], ["refocus"], ["models"], ["info"]])
def test_help_imports_nothing_heavy(command):
    code = (
        "import sys\nfrom napari_defocus.cli import main\n"
        f"sys.argv = ['napari-defocus', *{command!r}, '--help']\n"
        "try:\n    main()\nfinally:\n"
        "    print({'torch', 'numpy', 'napari', 'tifffile', 'PIL'} & {*sys.modules})"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "Usage" in shown.stdout
    assert shown.stdout.endswith("set()\n")


def shell(line, folder):
    line = line.replace("COMMAND", f"{sys.executable} -c '{COMMAND[-1]}'")
    return subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True)


def test_closed_streams_end_in_no_file(photo):
    done = shell("COMMAND map photo.jpg <&- >&- 2>&-", photo.parent)
    assert done.returncode == 0
    assert read_picture(photo.parent / "photo-defocus.tif").data.shape == (40, 48)


@pytest.mark.parametrize(
    ("line", "status", "error"),
    [
        ("COMMAND models 2>&1 >/dev/full", 2, "Error: the output cannot be written: No space"),
        ("COMMAND --version 2>&1 >/dev/full", 2, "Error: the output cannot be written: No space"),
        ("COMMAND info none.tif 2>/dev/full", 2, ""),
        ("COMMAND models 2>&1 >&-", 0, ""),
        ("mkdir a; cd a; rmdir ../a; COMMAND models 2>&1", 2, "Error: the working directory"),
    ],
)
def test_streams_and_folders_that_are_gone(tmp_path, line, status, error):
    done = shell(line, tmp_path)
    assert done.stdout.startswith(error)
    assert (done.stdout.count("\n"), done.stderr) == (bool(error), "")
    assert done.returncode == status


def test_an_interruption_while_modules_are_imported():
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'typer': signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from napari_defocus.cli import main; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "Canceled; nothing more is written.\n")
