"""Options of a run as a JSON file, with which they are compared when the run continues."""

import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from training.engine.checkpoint import has_checkpoint, write_whole
from training.errors import TrainingError

T = TypeVar("T")
CONFIG_NAME = "config.json"


@dataclass(frozen=True)
class _Leaf:
    """One option: its place among the nested dataclasses, its type and its value."""

    path: tuple[str, ...]
    kind: Any
    value: Any

    @property
    def name(self) -> str:
        return self.path[-1]


def save_options(folder: Path, options: Any, *, may_differ: frozenset[str]) -> None:
    """Write the options of a run into its folder, or check that they equal those already there.

    A run without a checkpoint may be started with any options.

    Raises
    ------
    TrainingError
        If the folder holds a run with other options, except for those in `may_differ`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CONFIG_NAME
    if path.exists() and has_checkpoint(folder):
        before, now = flatten(read_options(path, type(options))), flatten(options)
        changed = [key for key in now if key not in may_differ and before[key] != now[key]]
        if changed:
            differences = ", ".join(f"{key} {before[key]!r}, not {now[key]!r}" for key in changed)
            raise TrainingError(
                f"{folder} holds a run with {differences}; use the same options to continue it, "
                "or another folder"
            )
    write_whole(path, (json.dumps(asdict(options), indent=2, default=str) + "\n").encode())


def read_options(path: Path, options: type[T]) -> T:
    """Read a file that `save_options` wrote; options that it lacks get their defaults.

    Parameters
    ----------
    path : Path
        JSON file of nested objects.
    options : type
        A dataclass with a default for each field, nested dataclasses by factory. The names of all
        leaves differ.

    Raises
    ------
    TrainingError
        If the file cannot be read, or if an option in it is unknown or of the wrong type.
    """
    try:
        values = dict(_walk(json.loads(path.read_text(encoding="utf-8")), ()))
    except (OSError, ValueError, AttributeError) as error:
        raise TrainingError(f"options file {path} cannot be read: {error}") from error
    leaves = {leaf.path: leaf for leaf in _leaves(options(), ())}
    for place, value in values.items():
        if place not in leaves:
            raise TrainingError(f"options file {path} holds the unknown option {'.'.join(place)}")
        if value is not None and not _has_type(value, leaves[place].kind):
            raise TrainingError(f"options file {path} has an impossible {place[-1]}: {value!r}")
    changes = {
        place[-1]: _from_json(value, leaves[place].kind)
        for place, value in values.items()
        if value is not None
    }
    replaced: T = _replace(options(), changes)
    return replaced


def flatten(options: Any) -> dict[str, Any]:
    """Return the values of all leaves by name, as JSON values."""
    return {
        leaf.name: json.loads(json.dumps(leaf.value, default=str)) for leaf in _leaves(options, ())
    }


def _leaves(options: Any, path: tuple[str, ...]) -> Iterator[_Leaf]:
    hints = get_type_hints(type(options))
    for field in fields(options):
        value = getattr(options, field.name)
        place = (*path, field.name)
        if is_dataclass(value):
            yield from _leaves(value, place)
        else:
            yield _Leaf(place, hints[field.name], value)


def _walk(
    values: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _walk(value, (*path, key))
        else:
            yield (*path, key), value


def _is_optional(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind)


def _has_type(value: Any, kind: Any) -> bool:
    """Return whether a JSON value may stand for a field of this type."""
    if _is_optional(kind):
        return any(_has_type(value, choice) for choice in get_args(kind))
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    accepted = {float: (int, float), Path: (str,)}
    return isinstance(value, accepted.get(kind, (kind,))) and isinstance(value, bool) == (
        kind is bool
    )


def _from_json(value: Any, kind: Any) -> Any:
    """Convert a JSON value to the type of its field: text to a path."""
    choices = get_args(kind) if _is_optional(kind) else (kind,)
    return Path(value) if Path in choices and isinstance(value, str) else value


def _replace(options: Any, changes: Mapping[str, Any]) -> Any:
    """Return the options with some leaves replaced by name."""
    values = {}
    for field in fields(options):
        value = getattr(options, field.name)
        values[field.name] = (
            _replace(value, changes) if is_dataclass(value) else changes.get(field.name, value)
        )
    return type(options)(**values)
