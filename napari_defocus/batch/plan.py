"""Plan of a batch: its files and their results, written to disk before work begins."""

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
from ..provenance_record import sidecar_path
from .inputs import find_inputs
from .records import is_foreign, is_recorded
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
        Paths of its results, by their kind: keys of `settings.WORDS`.
    """

    source: Path
    results: Mapping[str, Path]


@dataclass(frozen=True)
class Plan:
    """All files of a batch, their results, and the settings.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the results and of the plan itself.
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
        """Path of the file that holds the plan."""
        return self.folder / PLAN_NAME

    def write(self) -> None:
        """Write the plan into its folder, whole or not at all.

        Raises
        ------
        FileError
            If the folder cannot be made or written to.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{self.folder} cannot be made: {reason(error)}") from error
        fields = {
            "settings": self.settings.as_json(),
            "items": [
                {
                    "source": os.fspath(item.source),
                    "results": {kind: os.fspath(path) for kind, path in item.results.items()},
                }
                for item in self.items
            ],
        }
        text = json.dumps(fields, indent=1, ensure_ascii=False) + "\n"
        with atomic_file(self.path, overwrite=True) as file:
            file.write(text.encode(errors="backslashreplace"))  # file names may be invalid Unicode

    @classmethod
    def read(cls, folder: Path) -> Plan:
        """Read the plan in a folder.

        Raises
        ------
        FileError
            If there is none, or it cannot be understood.
        """
        path = folder / PLAN_NAME
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            items = tuple(_read_item(item) for item in fields["items"])
            return cls(folder, Settings.from_json(fields["settings"]), items)
        except OSError as error:
            raise FileError(f"{path} cannot be read: {reason(error)}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise FileError(
                f"{path} is not the plan of a batch: {reason(error)}; remove it to begin anew"
            ) from error


def make_plan(inputs: Iterable[str | Path], folder: str | Path, settings: Settings) -> Plan:
    """Plan a batch; nothing is written.

    Parameters
    ----------
    inputs : iterable of str or path
        Files, folders and patterns, as for `find_inputs`.
    folder : path
        Folder of the results. Results of files from a folder keep their place within it.
    settings : Settings
        What is done to every file.

    Returns
    -------
    Plan
        Results get numbers where their names are equal, or equal to that of an input. Inputs that
        are results of an earlier run in this folder are left out.

    Raises
    ------
    FileError
        If no file is found; if a file that no earlier run made has the name of a result and
        `settings.existing` is "refuse"; or if the plan of an earlier run is damaged.
    ModelError, OptionError
        If a model is unknown.
    """
    settings.possible_models()  # refuse models that do not exist before files are searched
    folder = Path(folder)
    earlier = _earlier_results(folder)
    files = find_inputs(inputs, exclude=folder)
    sources = [file for file in files if not _is_result(file.path, folder, earlier)]
    if not sources:
        raise FileError(
            f"{files[0].path} is the result of an earlier run, and so are all other inputs"
        )
    taken = {_key(file.path) for file in sources}
    items = []
    for file in sources:
        results = _free_paths(settings.result_names(file.path), folder / file.folder, taken)
        taken.update(map(_key, results.values()))
        items.append(Item(file.path.absolute(), results))
    plan = Plan(folder, settings, tuple(items))
    if settings.existing == "refuse":
        _refuse_foreign_files(plan, earlier)
    return plan


def _key(path: Path) -> str:
    """Return a text that is equal for paths that some file systems take for the same file.

    Some ignore case, and some do not tell é from e followed by a combining accent.
    """
    return unicodedata.normalize("NFC", os.path.realpath(path)).casefold()


def _free_paths(names: Mapping[str, str], folder: Path, taken: set[str]) -> dict[str, Path]:
    """Return paths for a file's results that are not taken; numbered where names are taken."""
    number = 1
    while True:
        mark = "" if number == 1 else f"-{number}"
        results = {kind: folder / _add_mark(name, mark) for kind, name in names.items()}
        if taken.isdisjoint(map(_key, results.values())):
            return results
        number += 1


def _add_mark(name: str, mark: str) -> str:
    stem, dot, suffix = name.partition(".")
    return f"{stem}{mark}{dot}{suffix}"


def _refuse_foreign_files(plan: Plan, earlier: set[str]) -> None:
    for item in plan.items:
        for path in item.results.values():
            existing = [file for file in (path, sidecar_path(path)) if os.path.lexists(file)]
            is_ours = _is_result(path, plan.folder, earlier) and not is_foreign(path)
            if existing and not is_ours:
                raise FileError(
                    f"{existing[0]} exists already, and no earlier run in this folder made it; "
                    'give another folder, or set existing to "keep" or "replace"'
                )


def _is_result(path: Path, folder: Path, earlier: set[str]) -> bool:
    """Return whether an earlier run in a folder made a file, or planned to."""
    inside = Path(os.path.realpath(folder)) in Path(os.path.realpath(path)).parents
    return inside and (_key(path) in earlier or is_recorded(path))


def _earlier_results(folder: Path) -> set[str]:
    """Return the keys of the results in the plan of the last run in a folder."""
    if not os.path.lexists(folder / PLAN_NAME):
        return set()
    return {_key(path) for item in Plan.read(folder).items for path in item.results.values()}


def _read_item(fields: Mapping[str, Any]) -> Item:
    results = {kind: Path(path) for kind, path in fields["results"].items()}
    return Item(Path(fields["source"]), results)
