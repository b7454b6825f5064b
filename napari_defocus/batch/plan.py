"""The plan of a batch: which file becomes what, written down before work begins."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FileError, reason
from ..io.atomic import atomic_file
from ..provenance import sidecar_path
from .inputs import find_inputs
from .records import is_recorded, is_stranger
from .settings import Settings

PLAN_NAME = "napari-defocus-batch.json"


@dataclass(frozen=True)
class Item:
    """A file and its results.

    Parameters
    ----------
    source : pathlib.Path
        The file.
    results : mapping of str to pathlib.Path
        Where its results go, by what they are: keys of `settings.WORDS`.
    """

    source: Path
    results: Mapping[str, Path]


@dataclass(frozen=True)
class Plan:
    """All that is to be done, and how.

    Parameters
    ----------
    folder : pathlib.Path
        Where results and the plan itself are.
    settings : Settings
        What is done to every file.
    items : tuple of Item
        One a file.
    """

    folder: Path
    settings: Settings
    items: tuple[Item, ...]

    @property
    def path(self) -> Path:
        """Where the plan is written."""
        return self.folder / PLAN_NAME

    def write(self) -> None:
        """Write it into its folder, whole or not at all.

        Raises
        ------
        FileError
            If the folder cannot be made or written to.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{self.folder} cannot be made: {reason(error)}") from error
        told = {
            "settings": self.settings.as_json(),
            "items": [
                {
                    "source": os.fspath(item.source),
                    "results": {what: os.fspath(path) for what, path in item.results.items()},
                }
                for item in self.items
            ],
        }
        text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
        with atomic_file(self.path, overwrite=True) as file:
            file.write(text.encode(errors="backslashreplace"))  # as JSON writes what is no Unicode

    @classmethod
    def read(cls, folder: Path) -> Plan:
        """Read the plan of a folder.

        Raises
        ------
        FileError
            If there is none, or it cannot be understood.
        """
        path = folder / PLAN_NAME
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            items = tuple(_item(one) for one in told["items"])
            return cls(folder, Settings.from_json(told["settings"]), items)
        except OSError as error:
            raise FileError(f"{path} cannot be read: {reason(error)}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise FileError(
                f"{path} is no plan of a batch: {reason(error)}; remove it to begin anew"
            ) from error


def make_plan(given: Iterable[str | Path], folder: str | Path, settings: Settings) -> Plan:
    """Plan what becomes of files; nothing is written.

    Parameters
    ----------
    given : iterable of str or path
        Files, folders and patterns, as for `find_inputs`.
    folder : path
        Where results go; files of a folder keep their place within it.
    settings : Settings
        What is done to every file.

    Returns
    -------
    Plan
        Results of the same name, and those of the name of a file that is given, are told apart by
        numbers. Results of an earlier run of this folder are not worked on.

    Raises
    ------
    FileError
        If there are no such files; or a file that is none of an earlier run's has the name of a
        result, and is to be refused; or the plan of an earlier run is damaged.
    ModelError, OptionError
        If a model is unknown.
    """
    settings.possible_cards()
    folder = Path(folder)
    before = _results_of_before(folder)
    inputs = find_inputs(given, without=folder)
    sources = [found for found in inputs if not _is_result(found.path, folder, before)]
    if not sources:
        raise FileError(f"{inputs[0].path} and all else is the result of an earlier run")
    taken = {_key(found.path) for found in sources}
    items = []
    for found in sources:
        results = _free(settings.names(found.path), folder / found.folder, taken)
        taken.update(map(_key, results.values()))
        items.append(Item(found.path.absolute(), results))
    plan = Plan(folder, settings, tuple(items))
    if settings.existing == "refuse":
        _refuse_strangers(plan, before)
    return plan


def _key(path: Path) -> str:
    """The same for paths that may be one file: to some file systems A is a, and é is e and ´."""
    return unicodedata.normalize("NFC", os.path.realpath(path)).casefold()


def _free(names: Mapping[str, str], folder: Path, taken: set[str]) -> dict[str, Path]:
    """Return paths that no source and no other file's results have."""
    number = 1
    while True:
        mark = "" if number == 1 else f"-{number}"
        results = {what: folder / _marked(name, mark) for what, name in names.items()}
        if taken.isdisjoint(map(_key, results.values())):
            return results
        number += 1


def _marked(name: str, mark: str) -> str:
    stem, dot, suffix = name.partition(".")
    return f"{stem}{mark}{dot}{suffix}"


def _refuse_strangers(plan: Plan, before: set[str]) -> None:
    for item in plan.items:
        for path in item.results.values():
            there = [file for file in (path, sidecar_path(path)) if os.path.lexists(file)]
            ours = _is_result(path, plan.folder, before) and not is_stranger(path)
            if there and not ours:
                raise FileError(
                    f"{there[0]} exists already, and no earlier run of this folder made it; give "
                    "another folder, or say whether to keep or to replace such files"
                )


def _is_result(path: Path, folder: Path, before: set[str]) -> bool:
    """Whether an earlier run of a folder made a file, or was to make it."""
    inside = Path(os.path.realpath(folder)) in Path(os.path.realpath(path)).parents
    return inside and (_key(path) in before or is_recorded(path))


def _results_of_before(folder: Path) -> set[str]:
    """Keys of the results that the last run of a folder was to write."""
    if not os.path.lexists(folder / PLAN_NAME):
        return set()
    return {_key(path) for item in Plan.read(folder).items for path in item.results.values()}


def _item(told: Mapping[str, Any]) -> Item:
    return Item(Path(told["source"]), {what: Path(p) for what, p in told["results"].items()})
