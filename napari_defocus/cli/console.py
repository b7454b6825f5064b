"""Messages and progress on stderr; stdout is for results alone."""

import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import typer

from ..errors import Cancelled, DefocusError

_USER_ERROR, _CANCELLED, _TERMINATED = 2, 130, 143


@contextmanager
def reporting() -> Iterator[None]:
    """Turn a DefocusError into one line and status 2, and Ctrl-C into status 130.

    SIGTERM ends the command with status 143, and leaves no half-written file either.
    """
    previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            yield
    except DefocusError as error:
        note(f"Error: {error}")
        raise typer.Exit(_USER_ERROR) from None
    except (KeyboardInterrupt, Cancelled):
        note("Cancelled; nothing more is written.")
        raise typer.Exit(_CANCELLED) from None
    finally:
        signal.signal(signal.SIGTERM, previous)


def note(text: str) -> None:
    """Print a message for the user."""
    typer.echo(text, err=True)


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar, if stderr is a terminal.

    Parameters
    ----------
    title : str
        Description of the work.

    Yields
    ------
    callable
        To be called with the amount done and the total.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    del category, filename, lineno, file, line
    note(f"Warning: {message}")
