"""Dataclasses of options: on the command line, and in a file that is kept with a run."""

import inspect
import json
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import typer

from training.engine.checkpoint import has_checkpoint, write_whole
from training.errors import TrainingError

T = TypeVar("T")
CONFIG_NAME = "config.json"


@dataclass(frozen=True)
class _Leaf:
    """One option: where it stands among nested dataclasses, its type, help and default."""

    path: tuple[str, ...]
    kind: Any
    help: str
    default: Any

    @property
    def name(self) -> str:
        return self.path[-1]


def with_options(command: Callable[..., None], options: type[Any]) -> Callable[..., None]:
    """Make a command for typer that takes every field of a dataclass as an option.

    Parameters
    ----------
    command : callable
        Takes arguments of its own, annotated for typer, and last ``options``.
    options : type
        A dataclass with a default for each field, nested ones by factory. Each field is annotated
        ``Annotated[type, "help"]``; the names of all leaves differ.

    Returns
    -------
    callable
        With ``--config FILE`` beside them: what it holds stands where an option is not given.
    """
    leaves = list(_leaves(options(), ()))
    own = [p for p in inspect.signature(command).parameters.values() if p.name != "options"]

    def run(config: Path | None = None, **given: Any) -> None:
        arguments = {p.name: given.pop(p.name) for p in own}
        start = options() if config is None else read_options(config, options)
        command(**arguments, options=_replaced(start, leaves, given))

    config_option = Annotated[Path | None, typer.Option(help="Options as kept with a run.")]
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        *(p.replace(kind=keyword) for p in own),
        inspect.Parameter("config", keyword, default=None, annotation=config_option),
        *(_parameter(leaf) for leaf in leaves),
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__doc__ = command.__doc__
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def keep_options(folder: Path, options: Any, *, may_differ: frozenset[str]) -> None:
    """Write the options of a run into its folder, or check that they are those of the run there.

    A run that has no checkpoint yet holds to nothing.

    Raises
    ------
    TrainingError
        If the folder holds a run with other options, but for those in `may_differ`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CONFIG_NAME
    if path.exists() and has_checkpoint(folder):
        kept = flat(read_options(path, type(options)))
        now = flat(options)
        changed = [key for key in now if key not in may_differ and kept[key] != now[key]]
        if changed:
            told = ", ".join(f"{key} {kept[key]!r}, not {now[key]!r}" for key in changed)
            raise TrainingError(
                f"{folder} holds a run with {told}; give the same options to go on, "
                "or another folder"
            )
    write_whole(path, (json.dumps(asdict(options), indent=2, default=str) + "\n").encode())


def read_options(path: Path, options: type[T]) -> T:
    """Read what `keep_options` wrote; what it lacks has its default.

    Raises
    ------
    TrainingError
        If the file cannot be read, or holds something else than these options.
    """
    try:
        found = dict(_flattened(json.loads(path.read_text(encoding="utf-8")), ()))
    except (OSError, ValueError, AttributeError) as error:
        raise TrainingError(f"options file {path} cannot be read: {error}") from error
    leaves = {leaf.path: leaf for leaf in _leaves(options(), ())}
    for place, value in found.items():
        if place not in leaves:
            raise TrainingError(f"options file {path} holds the unknown option {'.'.join(place)}")
        if value is not None and not _fits(value, leaves[place].kind):
            raise TrainingError(f"options file {path} has an impossible {place[-1]}: {value!r}")
    return _replaced(options(), list(leaves.values()), {p[-1]: v for p, v in found.items()})


def flat(options: Any) -> dict[str, Any]:
    """All leaves by name, as JSON values."""
    return {
        leaf.name: leaf.default if leaf.default is None else json.loads(_json(leaf.default))
        for leaf in _leaves(options, ())
    }


def _json(value: Any) -> str:
    return json.dumps(value, default=str)


def _leaves(options: Any, path: tuple[str, ...]) -> Iterator[_Leaf]:
    hints = get_type_hints(type(options), include_extras=True)
    for field in fields(options):
        value = getattr(options, field.name)
        here = (*path, field.name)
        if is_dataclass(value):
            yield from _leaves(value, here)
        else:
            kind, text = get_args(hints[field.name])
            yield _Leaf(here, kind, text, value)


def _parameter(leaf: _Leaf) -> inspect.Parameter:
    shown = "" if leaf.default is None else str(leaf.default)
    option = typer.Option(help=leaf.help, show_default=shown or False)
    kind = leaf.kind if _is_optional(leaf.kind) else leaf.kind | None
    return inspect.Parameter(
        leaf.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind, option],
    )


def _is_optional(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind)


def _flattened(
    values: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, (*path, key))
        else:
            yield (*path, key), value


def _fits(value: Any, kind: Any) -> bool:
    """Whether a JSON value is one of a field's type."""
    if _is_optional(kind):
        return any(_fits(value, one) for one in get_args(kind))
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    accepted = {float: (int, float), Path: (str,), tuple: (list,)}
    kind = get_origin(kind) or kind
    return isinstance(value, accepted.get(kind, (kind,))) and isinstance(value, bool) == (
        kind is bool
    )


def _replaced(options: Any, leaves: list[_Leaf], given: Mapping[str, Any]) -> Any:
    """The options with what is given, and is not None, in place of what they hold."""
    types_of = {leaf.name: leaf.kind for leaf in leaves}
    changed = {}
    for field in fields(options):
        value = getattr(options, field.name)
        if is_dataclass(value):
            changed[field.name] = _replaced(value, leaves, given)
        elif given.get(field.name) is not None:
            changed[field.name] = _converted(given[field.name], types_of[field.name])
        else:
            changed[field.name] = value
    return type(options)(**changed)


def _converted(value: Any, kind: Any) -> Any:
    """A JSON value as its field's type: paths and tuples are text and lists there."""
    choices = [k for k in get_args(kind) if k is not type(None)] if _is_optional(kind) else [kind]
    if Path in choices and isinstance(value, str):
        return Path(value)
    return tuple(value) if isinstance(value, list) else value
