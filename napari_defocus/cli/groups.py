"""Commands that share groups of options."""

import inspect
from collections.abc import Callable
from functools import wraps
from itertools import chain
from typing import Any

import typer
from typer.core import TyperCommand

from .console import note, reporting
from .process import USER_ERROR

Command = Callable[..., None]

#: Options that have another name now.
_RENAMED = {"--scale": "--downscale", "--protect": "--protect-radius"}


class CheckedCommand(TyperCommand):
    """A command that refuses empty words, and an option's old name with the new one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line's words."""
        for before, word in zip([ctx.info_name, *args], args, strict=False):
            name, equals, value = word.partition("=")
            if name in _RENAMED:
                _refuse(f"{name} is now called {_RENAMED[name]}")
            if not word:
                _refuse(f"the word after {before} is empty; give a name or value there")
            if name.startswith("--") and equals and not value:
                _refuse(f"{word} has an empty value; give a name or value after it")
        words = list(args)  # which are consumed
        try:
            return super().parse_args(ctx, args)
        except Exception as error:  # of click, or of typer's copy of it
            missing = getattr(error, "param", None)
            if words and missing is not None and getattr(missing, "nargs", 1) == -1:
                *_, last = (each for each in self.params if each.param_type_name == "argument")
                _refuse(f"{last.metavar} is missing: it comes last, after all {missing.metavar}")
            raise


def _refuse(message: str) -> None:
    """End the command; an empty word would otherwise be taken for the working directory."""
    note(f"Error: {message}")
    raise typer.Exit(USER_ERROR)


def command(
    app: typer.Typer, name: str, **groups: Callable[..., Any]
) -> Callable[[Command], Command]:
    """Return a decorator that adds a function to an app as a command, its errors reported.

    Parameters
    ----------
    app : typer.Typer
        The app.
    name : str
        Name of the command.
    **groups : callable
        By the name of one of the function's parameters, a function that returns its argument. The
        parameters of these functions are options of the command.

    Examples
    --------
    >>> app = typer.Typer()
    >>> def size(width: int = 2, height: int = 3) -> tuple[int, int]:
    ...     return width, height
    >>> @command(app, "area", size=size)
    ... def area(size: tuple[int, int]) -> None:
    ...     print(size[0] * size[1])
    >>> app(["--width", "5"], standalone_mode=False)
    15
    """
    members = {name: inspect.signature(group).parameters for name, group in groups.items()}

    def decorate(function: Command) -> Command:
        @wraps(function)
        def run(**values: Any) -> None:
            with reporting():
                for parameter, names in members.items():
                    arguments = {name: values.pop(name) for name in names}
                    values[parameter] = groups[parameter](**arguments)
                function(**values)

        own = inspect.signature(function).parameters.values()
        shared = chain.from_iterable(names.values() for names in members.values())
        parameters = [*(each for each in own if each.name not in groups), *shared]
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # read by typer
            [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        )
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        app.command(name, cls=CheckedCommand)(run)
        return function

    return decorate
