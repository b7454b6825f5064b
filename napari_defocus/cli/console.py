"""Results on stdout; messages, warnings and progress on stderr."""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from ..errors import Canceled, DefocusError, FileError, printable, reason
from .process import CANCELED, USER_ERROR, discard, ending_signals, report

if TYPE_CHECKING:
    from rich.table import Table

_WIDE = 200  # columns where the output does not go to a terminal


@contextmanager
def reporting() -> Iterator[None]:
    """Turn errors that a user can act on into one line and status 2, and Ctrl-C into status 130.

    SIGTERM and SIGHUP end the command with 128 and their number, and leave no half-written file.
    """
    try:
        with ending_signals(), warnings.catch_warnings():
            warnings.showwarning = _show_warning
            yield
    except DefocusError as error:
        note(f"Error: {error}")
        raise typer.Exit(USER_ERROR) from None
    except BrokenPipeError:
        raise
    except (OSError, MemoryError) as error:
        note(f"Error: {_describe(error)}")
        raise typer.Exit(USER_ERROR) from None
    except (KeyboardInterrupt, Canceled):
        note("Canceled; nothing more is written.")
        raise typer.Exit(CANCELED) from None


def _describe(error: OSError | MemoryError) -> str:
    if isinstance(error, MemoryError):
        return "out of memory; a smaller --tile may help, or crop or split the image"
    name = getattr(error, "filename", None)
    return reason(error) if name is None else f"{os.fsdecode(name)}: {reason(error)}"


def note(text: str) -> None:
    """Print a message for the user."""
    report(text)


def print_path(path: Path) -> None:
    """Print the path of a result: byte for byte, but on a terminal without control characters.

    Raises
    ------
    FileError
        If it cannot be printed, as on a full disk.
    """
    with _printing():
        typer.echo(printable(path) if sys.stdout.isatty() else os.fsencode(path))


def print_table(table: "Table") -> None:
    """Print a table.

    Raises
    ------
    FileError
        If it cannot be printed, as on a full disk.
    """
    from rich.console import Console

    with _printing():
        Console(width=None if sys.stdout.isatty() else _WIDE).print(table)


@contextmanager
def _printing() -> Iterator[None]:
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard(sys.stdout)
        raise FileError(f"the output cannot be written: {reason(error)}") from error


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
    with Progress(
        *columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()
    ) as bar:
        task = bar.add_task(printable(title), total=None)
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
    note(f"Warning: {' '.join(str(message).split())}")
