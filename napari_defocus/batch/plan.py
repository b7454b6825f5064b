"""Plan of a batch: its files and their results, written to disk before work begins."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileError, reason
from ..io.atomic import atomic_file
from ..steps import run_to_end
from .inputs import InputFile, walk_inputs
from .item import Item
from .records import is_recorded, read_own_json
from .result_names import ResultNames
from .settings import Settings

PLAN_NAME = "napari-defocus-batch.json"


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
    earlier : tuple of Item
        Files of earlier runs in this folder, which keep the names of their results.
    """

    folder: Path
    settings: Settings
    items: tuple[Item, ...]
    earlier: tuple[Item, ...] = ()

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
            "items": [item.as_json() for item in self.items],
            "earlier": [item.as_json() for item in self.earlier],
        }
        text = json.dumps(fields, indent=1, ensure_ascii=False) + "\n"
        with atomic_file(self.path, overwrite=True, follow_links=False) as file:
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
            fields = read_own_json(path)
            items, earlier = (
                tuple(map(Item.from_json, part))
                for part in (fields["items"], fields.get("earlier", ()))
            )
            return cls(folder, Settings.from_json(fields["settings"]), items, earlier)
        except OSError as error:
            raise FileError(f"{path} cannot be read: {reason(error)}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
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
        Files that an earlier run in this folder had keep the names of their results. Other results
        get numbers where their names are equal, or equal to that of an input. Inputs that are
        results of an earlier run in this folder are left out.

    Raises
    ------
    FileError
        If a name is empty; if no file is found; if results would lie within an input; or if the
        plan of an earlier run is damaged.
    ExistingFileError
        If `settings.existing` is "refuse", and a result would take the place of a file that no
        earlier run made, of the result of another input, or of one made with other settings.
    ModelError, OptionError
        If a model is unknown.
    """
    return run_to_end(plan_steps(inputs, folder, settings))


def plan_steps(
    inputs: Iterable[str | Path], folder: str | Path, settings: Settings
) -> Generator[int, None, Plan]:
    """Plan a batch as `make_plan` does, yielding after each file.

    Yields
    ------
    int
        How many files were found so far.

    Returns
    -------
    Plan
        The plan.
    """
    if folder == "":
        raise FileError(
            "the name of the folder of results is empty; give the working directory as '.'"
        )
    settings.possible_models()  # refuse models that do not exist before files are searched
    try:  # workers of a cluster have other working directories
        folder, settings = Path(folder).absolute(), settings.with_absolute_models()
    except OSError as error:
        raise FileError(f"the working directory cannot be read: {reason(error)}") from error
    files = []
    for file in walk_inputs(inputs, exclude=folder):
        files.append(file)
        yield len(files)
    place = Path(os.path.realpath(folder))
    sources = [file for file in files if not _is_result(file.path, place)]
    if not sources:
        raise FileError(
            f"{files[0].path} is the result of an earlier run, and so are all other inputs"
        )
    _refuse_folders_in_inputs(sources, folder)
    earlier = _earlier_items(folder)
    names = ResultNames(folder, settings, earlier, sources)
    items = []
    for file in sources:
        items.append(names.item(file))
        yield len(files)
    sources_now = {item.identity for item in items}
    absent = (item for item in earlier if item.identity not in sources_now)
    kept = tuple(item for item in absent if any(map(os.path.lexists, item.results.values())))
    if settings.existing == "refuse":
        names.refuse_obstacles(items)
    return Plan(folder, settings, tuple(items), kept)


def _refuse_folders_in_inputs(sources: list[InputFile], folder: Path) -> None:
    """Raise a FileError if results would lie within a zarr store that is read."""
    stores = {os.path.realpath(file.store or file.path) for file in sources}
    for place in {folder / file.folder for file in sources}:
        real = Path(os.path.realpath(place))
        for parent in (real, *real.parents):
            if str(parent) in stores:
                raise FileError(
                    f"{folder} lies within {parent}, which is read; give another folder"
                )


def _is_result(path: Path, folder: Path) -> bool:
    """Return whether an earlier run in a folder, its links resolved, made a file."""
    return folder in Path(os.path.realpath(path)).parents and is_recorded(path)


def _earlier_items(folder: Path) -> list[Item]:
    """Return the files of the last run in a folder and of those before it."""
    if not os.path.lexists(folder / PLAN_NAME):
        return []
    plan = Plan.read(folder)
    return [*plan.items, *plan.earlier]
