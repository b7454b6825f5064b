"""Parsing of the command line by tyro, with each mistake reported in one sentence."""

import functools
import inspect
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import tyro

from training.errors import TrainingError
from training.run_config import read_options

Command = Callable[..., None]

_PROGRAM = "python -m training"
_STYLE = (
    tyro.conf.DisallowNone,
    tyro.conf.OmitArgPrefixes,
    tyro.conf.PositionalMetavarFromFieldName,
    tyro.conf.UseAppendAction,
)
#: Wide enough that tyro does not wrap its messages, which would split words.
_MESSAGE_WIDTH = "9999"


def parse_command(commands: Mapping[str, Command], arguments: Sequence[str]) -> Callable[[], None]:
    """Return the command that the arguments name, bound to its parameters but not yet run.

    Parameters
    ----------
    commands : mapping of str to callable
        By name. A command that takes `options`, a dataclass, also takes ``--config FILE``: the
        options in that file replace the defaults.
    arguments : sequence of str
        As in ``sys.argv[1:]``.

    Raises
    ------
    TrainingError
        If the arguments or the options file cannot be understood.
    SystemExit
        After the help has been printed.
    """
    app = tyro.extras.SubcommandApp()
    for name, command in commands.items():
        file = _config_file(arguments[1:]) if [name] == list(arguments[:1]) else None
        app.command(name=name)(_bind_later(command, file))
    errors = io.StringIO()
    try:
        with redirect_stderr(errors), _message_width(arguments):
            bound: Callable[[], None] = app.cli(prog=_PROGRAM, args=arguments, config=_STYLE)
    except SystemExit as end:
        if not end.code:
            raise
        shown = " ".join([_PROGRAM, *[name for name in arguments[:1] if name in commands]])
        raise TrainingError(f"{_first_message(errors.getvalue())}; see {shown} --help") from None
    return bound


def _bind_later(command: Command, file: Path | None) -> Callable[..., Callable[[], None]]:
    """Return a function of the command's signature that binds its arguments.

    tyro calls it while errors are redirected, so the command itself has to wait.
    """

    @functools.wraps(command)
    def bind(*positional: Any, **named: Any) -> Callable[[], None]:
        return functools.partial(command, *positional, **named)

    signature = inspect.signature(command)
    parameter = signature.parameters.get("options")
    if file is not None and parameter is not None:
        changed = parameter.replace(default=read_options(file, parameter.annotation))
        parameters = [changed if p is parameter else p for p in signature.parameters.values()]
        # Functions may have this attribute (PEP 362), but its annotation is missing.
        bind.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return bind


def _config_file(arguments: Sequence[str]) -> Path | None:
    for index, word in enumerate(arguments):
        if word == "--config" and index + 1 < len(arguments):
            return Path(arguments[index + 1])
        if word.startswith("--config="):
            return Path(word.partition("=")[2])
    return None


@contextmanager
def _message_width(arguments: Sequence[str]) -> Iterator[None]:
    """Widen the terminal for messages, so that each is one line; help keeps the real width."""
    before = os.environ.get("COLUMNS")
    if not {"-h", "--help"}.intersection(arguments):
        os.environ["COLUMNS"] = _MESSAGE_WIDTH
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("COLUMNS", None)
        else:
            os.environ["COLUMNS"] = before


def _first_message(text: str) -> str:
    """Return the message in the first part of a box that tyro drew."""
    rows = [line.strip("│ ") for line in text.splitlines()]
    rules = [index for index, row in enumerate(rows) if re.fullmatch(r"[╭╰]?[─-]+( .*)?", row)]
    first, last = (*rules, len(rows), len(rows))[:2]
    rows = rows[first + 1 : last]
    message = re.sub(r"\s+", " ", " ".join(rows)).partition(" Got errors:")[0].strip()
    return message.removesuffix(".") or "the arguments cannot be understood"
