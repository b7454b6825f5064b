"""The command as a process: its standard streams, signals and exit status."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import TextIO

from ..errors import printable, reason

#: Exit status after an error of the user's, or where the output cannot be written.
USER_ERROR = 2
#: Exit status where the reader of the output has gone.
_NO_READER = 1
#: Exit status after Ctrl-C.
CANCELED = 128 + signal.SIGINT
# Windows has no SIGHUP, and sends SIGBREAK where a console is closed.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_ENDING = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))


def run_process(command: Callable[[], int]) -> int:
    """Run a command as all that this process does.

    Parameters
    ----------
    command : callable
        Returns an exit status.

    Returns
    -------
    int
        The exit status; of an interrupted command, or one whose output nobody takes, another one.
    """
    _open_streams()
    try:
        Path.cwd()
    except OSError:  # math libraries end the process without a word
        report("Error: the working directory does not exist any more; change to another one")
        return USER_ERROR
    try:
        status = command()
        sys.stdout.flush()
    except KeyboardInterrupt:
        report("Canceled; nothing more is written.")
        return CANCELED
    except BrokenPipeError:
        discard(sys.stdout)
        return _NO_READER
    except OSError as error:
        discard(sys.stdout)
        report(f"Error: the output cannot be written: {reason(error)}")
        return USER_ERROR
    return status


def report(text: str) -> None:
    """Print a line on stderr, if it can be written to."""
    try:
        print(printable(text), file=sys.stderr, flush=True)
    except OSError:  # full, or without a reader
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Let what a stream has not written yet go nowhere, or Python would fail to write it later."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _open_streams() -> None:
    """Open the standard streams that are closed, lest a file that is written takes their number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    nowhere = Path(os.devnull)
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8", errors="backslashreplace")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8", errors="backslashreplace")
    if isinstance(sys.stdout, TextIOWrapper):  # not every terminal has all characters
        sys.stdout.reconfigure(errors="backslashreplace")


@contextmanager
def ending_signals() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP end the block by an exception, once.

    Further signals do not disturb the tidying up that follows. Signals that were ignored before, as
    SIGHUP is by ``nohup``, stay ignored.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C.
    SystemExit
        After another signal, with 128 and its number.
    """
    previous = {number: signal.getsignal(number) for number in _ENDING}
    handled = [number for number in _ENDING if previous[number] not in (signal.SIG_IGN, None)]
    ended = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal ended
        ended = True
        for each in handled:
            signal.signal(each, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    for number in handled:
        signal.signal(number, end)
    try:
        yield
    finally:
        if not ended:
            for number in handled:
                signal.signal(number, previous[number])


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Hold Ctrl-C back until the block ends, and from all threads and processes started in it.

    A terminal sends Ctrl-C to all processes of a command; the first of them ends the others.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # which lets Ctrl-C through again where it is started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
