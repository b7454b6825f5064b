"""Names for the results of the files of a batch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache, partial
from pathlib import Path

from ..io.same_file import fold_path
from ..io.series import path_exists
from ..io.zarr_layout import SUFFIX, flat_name, with_suffix
from .existing import Obstacle, find_recorded_obstacle
from .inputs import InputFile
from .item import Item
from .records import read_record
from .settings import Settings


class ResultNames:
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
