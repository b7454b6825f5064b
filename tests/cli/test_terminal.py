"""Signals, and names that could steer a terminal."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from napari_defocus.cli import process
from napari_defocus.io import write_picture

from .conftest import blobs

#: Clears the screen, in two ways; turns the direction of writing.
HOSTILE = "a\x1b[2J\x9b2J\u202e[red]"
ESCAPED = r"a\x1b[2J\x9b2J\u202e[red]"

posix = pytest.mark.skipif(os.name != "posix", reason="shells and signals of POSIX")


@pytest.fixture
def handlers():
    """Heed signals, and put the handlers back that an ended command leaves ignored."""
    before = {each: signal.getsignal(each) for each in process._ENDING}
    for number in before:
        default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, default)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_the_work_once(handlers, name):
    number = getattr(signal, name)
    tidied = []

    def work():
        with process.ending_signals():
            try:
                signal.raise_signal(number)
            finally:
                signal.raise_signal(number)
                tidied.append(True)

    with pytest.raises((KeyboardInterrupt, SystemExit)) as end:
        work()
    assert tidied
    assert name == "SIGINT" or end.value.code == 128 + number


@posix
def test_ignored_signals_stay_ignored(handlers):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with process.ending_signals():
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


@posix
def test_interruptions_spare_processes_that_are_started(handlers):
    code = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    signal.signal(signal.SIGINT, signal.default_int_handler)
    printed = b""
    with pytest.raises(KeyboardInterrupt), process.interrupts_blocked():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        printed = subprocess.check_output([sys.executable, "-c", code])
    assert printed.strip() == b"True"


def test_names_in_errors_and_tables_do_not_steer_a_terminal(run, tmp_path):
    assert f"{ESCAPED}.tif cannot be read" in run("info", tmp_path / f"{HOSTILE}.tif").error
    write_picture(tmp_path / f"{HOSTILE}.tif", (blobs(24, 32) * 255).astype(np.uint8))
    assert f"{ESCAPED}.tif" in run("info", tmp_path / f"{HOSTILE}.tif").out.replace("\n", "")


def test_names_in_reports_do_not_steer_a_terminal(run, tmp_path):
    (tmp_path / f"{HOSTILE}.tif").write_bytes(b"II*\0 damaged")
    completed = run("batch", tmp_path, tmp_path / "out", "--task", "map")
    reports = [tmp_path / "out" / name for name in ("report.csv", "report.html")]
    for text in (completed.err, *(path.read_text(encoding="utf-8") for path in reports)):
        assert not {"\x1b", "\x9b", "\u202e"} & {*text}
        assert r"\x1b[2J" in text


@pytest.mark.parametrize(
    "words", [[HOSTILE], ["map", "a", "b", HOSTILE], ["map", "--" + HOSTILE], ["models", HOSTILE]]
)
def test_words_do_not_steer_a_terminal(run, words):
    completed = run(*words)
    assert completed.status == 2
    assert not {"\x1b", "\x9b", "\u202e"} & {*completed.err}
    assert r"\x1b[2J" in completed.err


def test_paths_of_results_are_printed_byte_for_byte(run, tmp_path):
    write_picture(tmp_path / f"{HOSTILE}.tif", (blobs(24, 32) * 255).astype(np.uint8))
    assert run("map", tmp_path / f"{HOSTILE}.tif").out == f"{tmp_path / HOSTILE}-defocus.tif\n"


def test_a_sidecar_that_is_no_text_is_described(run, photo):
    sidecar = photo.parent / "photo.jpg.json"
    for content in ('{"function": "\\u001b[2J", "version": "", "models": []}', "[" * 100_000):
        sidecar.write_text(content)
        completed = run("info", photo)
        assert completed.status == 0
        assert "\x1b" not in completed.out
    sidecar.unlink()
    if hasattr(os, "mkfifo"):
        os.mkfifo(sidecar)
        assert "cannot be understood: it is a pipe" in run("info", photo).out
    sidecar.unlink()
    with sidecar.open("wb") as file:
        file.truncate(1 << 34)
    assert "it holds 17179869184 bytes" in run("info", photo).out
