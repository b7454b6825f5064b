"""Plan of a batch: its files and their results, written to disk before work begins."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

from ..errors import FileError, reason
from ..io.atomic import atomic_file
from ..io.same_file import fold_path
from ..io.series import path_exists
from ..io.zarr_layout import SUFFIX, flat_name, with_suffix
from ..steps import run_to_end
from .existing import Obstacle, find_recorded_obstacle
from .inputs import InputFile, walk_inputs
from .records import is_recorded, read_own_json, read_record
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
    store : pathlib.Path, optional
        The OME-Zarr plate or series that the file is an image of; its results are images of such
        stores.
    others : tuple of pathlib.Path
        Further files of an OME-TIFF set, which hold planes of the same image.
    """

    source: Path
    results: Mapping[str, Path]
    store: Path | None = None
    others: tuple[Path, ...] = ()

    @cached_property
    def identity(self) -> str:
        """Path of the file with all links resolved, by which a later run recognizes it."""
        return os.path.realpath(self.source)

    @property
    def name(self) -> str:
        """Name of the file; of an image in a plate or series, that of the store and its path."""
        if self.store is None:
            return self.source.name
        return f"{self.store.name}/{self.source.relative_to(self.store).as_posix()}"

    @property
    def whole(self) -> Item:
        """The item of the plate or series that the file belongs to, or itself."""
        if self.store is None:
            return self
        depth = len(self.source.relative_to(self.store).parts) - 1
        return Item(self.store, {kind: path.parents[depth] for kind, path in self.results.items()})

    @property
    def folder(self) -> Path:
        """Folder that its results, or the stores that hold these, lie in."""
        return next(iter(self.whole.results.values())).parent


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
            "items": [_as_json(item) for item in self.items],
            "earlier": [_as_json(item) for item in self.earlier],
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
                tuple(map(_read_item, part))
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
    names = _Names(folder, settings, earlier, sources)
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


class _Names:
    """Names for the results of files, one after another.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the results.
    settings : Settings
        Settings of the batch.
    earlier : list of Item
        Files of earlier runs.
    sources : list of InputFile
        Files of this run, whose names no result gets.
    """

    def __init__(
        self, folder: Path, settings: Settings, earlier: list[Item], sources: list[InputFile]
    ) -> None:
        self._folder, self._settings = folder, settings
        fingerprint = settings.fingerprint()
        self._find = cache(partial(find_recorded_obstacle, fingerprint=fingerprint))
        self._taken = {
            fold_path(path) for file in sources for path in (file.store or file.path, *file.others)
        }
        self._sources = {os.path.realpath(file.store or file.path) for file in sources}
        self._stores: dict[str, dict[str, Path]] = {}
        self._earlier = {each.identity: each for item in earlier for each in (item.whole, item)}
        self._reserved = {
            fold_path(path): item.identity
            for item in (item.whole for item in earlier)
            if path_exists(item.source)
            for path in item.results.values()
        }

    def item(self, file: InputFile) -> Item:
        """Return a file with free paths for its results, or with those that it had before.

        Raises
        ------
        ExistingFileError
            If they are those of another input, and existing files make the batch stop.
        """
        source, store = file.path.absolute(), file.store and file.store.absolute()
        if store is not None:
            names = self._settings.result_names(with_suffix(store))
            if all(name.endswith(SUFFIX) for name in names.values()):
                key = os.path.realpath(store)
                if key not in self._stores:
                    self._stores[key] = self._name(Item(store, {}), names, file.folder)
                member = source.relative_to(store)
                results = {kind: path / member for kind, path in self._stores[key].items()}
                return Item(source, results, store)
        names = self._settings.result_names(flat_name(file.path))
        others = tuple(path.absolute() for path in file.others)
        results = self._name(Item(source, {}), names, file.folder)
        return Item(source, results, others=others)

    def _name(self, item: Item, names: Mapping[str, str], place: Path) -> dict[str, Path]:
        """Return the paths of the results of a file or of a whole store, and reserve them."""
        folder = self._folder / place
        results = self._former_results(item, names, folder)
        if results is None:
            results = self._search(item, names, folder)
        self._taken.update(map(fold_path, results.values()))
        return results

    def refuse_obstacles(self, items: Iterable[Item]) -> None:
        """Raise an ExistingFileError if a result would take the place of an existing file."""
        obstacles = [
            obstacle
            for item in items
            for each in ((item,) if item.store is None else (item.whole, item))
            for obstacle in self._obstacles(each.results, each.identity)
        ]
        if obstacles:
            error = obstacles[0].refusal()
            error.count = sum(each.kind == obstacles[0].kind for each in obstacles)
            raise error

    def _former_results(
        self, item: Item, names: Mapping[str, str], folder: Path
    ) -> dict[str, Path] | None:
        """Return the paths that an earlier run gave to its results, unless others have them now."""
        former = self._earlier.get(item.identity)
        kind = next(iter(names))
        if former is None or kind not in former.results:
            return None
        results = _numbered(names, folder, _number(former.results[kind].name, names[kind]))
        is_free = self._is_free(results, item.identity) and not self._evades(results, item)
        if not is_free or self._other_result(results, item.identity) is not None:
            return None
        return results if results[kind] == former.results[kind].absolute() else None

    def _search(self, item: Item, names: Mapping[str, str], folder: Path) -> dict[str, Path]:
        """Return the first paths that no other input has, or those that records say are its own."""
        number, other = 0, None
        while True:
            number += 1
            results = _numbered(names, folder, number)
            obstacle = self._other_result(results, item.identity)
            if obstacle is not None and obstacle.owner not in self._sources:
                other = other or obstacle
            if obstacle is not None or not self._is_free(results, item.identity):
                continue
            if self._evades(results, item):
                continue
            is_own = any(_is_of(path, item.identity) for path in results.values())
            if other is not None and not is_own and self._settings.existing == "refuse":
                raise other.refusal()
            return results

    def _is_free(self, results: Mapping[str, Path], identity: str) -> bool:
        """Return whether no path is that of another input, or planned for its results."""
        keys = set(map(fold_path, results.values()))
        owners = {self._reserved.get(key, identity) for key in keys}
        return self._taken.isdisjoint(keys) and owners == {identity}

    def _evades(self, results: Mapping[str, Path], item: Item) -> bool:
        """Return whether new results get another number, because files are to stay beside them."""
        beside = self._settings.existing == "beside"
        return beside and bool(self._obstacles(results, item.identity))

    def _other_result(self, results: Mapping[str, Path], identity: str) -> Obstacle | None:
        """Return a result of another input that has one of the paths."""
        obstacles = self._obstacles(results, identity)
        return next((obstacle for obstacle in obstacles if obstacle.kind == "input"), None)

    def _obstacles(self, results: Mapping[str, Path], identity: str) -> list[Obstacle]:
        obstacles = [self._find(path, identity) for path in results.values()]
        return [obstacle for obstacle in obstacles if obstacle is not None]


def _is_of(path: Path, identity: str) -> bool:
    record = read_record(path)
    return record is not None and record.path == identity


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


def _numbered(names: Mapping[str, str], folder: Path, number: int) -> dict[str, Path]:
    """Return the paths of a file's results, with a number unless that is 1."""
    mark = "" if number == 1 else f"-{number}"
    return {kind: folder / _add_mark(name, mark) for kind, name in names.items()}


def _number(numbered: str, name: str) -> int:
    """Return the number in a numbered name; 1 if there is none."""
    stem, dot, suffix = name.partition(".")
    mark = numbered.removeprefix(f"{stem}-").removesuffix(f"{dot}{suffix}")
    return int(mark) if len(mark) < 10 and mark.isdecimal() else 1


def _add_mark(name: str, mark: str) -> str:
    stem, dot, suffix = name.partition(".")
    return f"{stem}{mark}{dot}{suffix}"


def _is_result(path: Path, folder: Path) -> bool:
    """Return whether an earlier run in a folder, its links resolved, made a file."""
    return folder in Path(os.path.realpath(path)).parents and is_recorded(path)


def _earlier_items(folder: Path) -> list[Item]:
    """Return the files of the last run in a folder and of those before it."""
    if not os.path.lexists(folder / PLAN_NAME):
        return []
    plan = Plan.read(folder)
    return [*plan.items, *plan.earlier]


def _as_json(item: Item) -> dict[str, Any]:
    results = {kind: os.fspath(path) for kind, path in item.results.items()}
    fields: dict[str, Any] = {"source": os.fspath(item.source), "results": results}
    if item.store is not None:
        fields["store"] = os.fspath(item.store)
    if item.others:
        fields["others"] = list(map(os.fspath, item.others))
    return fields


def _read_item(fields: Mapping[str, Any]) -> Item:
    results = {kind: Path(path) for kind, path in fields["results"].items()}
    store = fields.get("store")
    item = Item(
        Path(fields["source"]),
        results,
        None if store is None else Path(store),
        tuple(map(Path, fields.get("others", ()))),
    )
    if any("\0" in os.fspath(path) for path in (item.source, *results.values())):
        raise ValueError("a path holds a null character")
    return item
