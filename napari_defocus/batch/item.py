"""File of a batch and its results."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


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

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` takes."""
        results = {kind: os.fspath(path) for kind, path in self.results.items()}
        fields: dict[str, Any] = {"source": os.fspath(self.source), "results": results}
        if self.store is not None:
            fields["store"] = os.fspath(self.store)
        if self.others:
            fields["others"] = list(map(os.fspath, self.others))
        return fields

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Item:
        """Return the item that `as_json` described.

        Raises
        ------
        ValueError, KeyError, TypeError, AttributeError
            If the description is damaged.
        """
        results = {kind: Path(path) for kind, path in fields["results"].items()}
        store = fields.get("store")
        item = cls(
            Path(fields["source"]),
            results,
            None if store is None else Path(store),
            tuple(map(Path, fields.get("others", ()))),
        )
        if any("\0" in os.fspath(path) for path in (item.source, *results.values())):
            raise ValueError("a path holds a null character")
        return item
