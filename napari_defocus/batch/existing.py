"""Files that stand where results should go, and whether a batch may replace them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..errors import FileError
from ..io.atomic import move_into_place
from ..io.series import path_exists
from ..provenance_record import sidecar_path
from .records import (
    Input,
    Record,
    file_hash,
    forget_former,
    is_recorded,
    read_record,
    result_hash,
    write_record,
)
from .settings import Existing

Kind = Literal["foreign", "changed", "settings", "input"]


class ExistingFileError(FileError):
    """A batch would replace a file; `Settings.existing` says whether it may.

    Parameters
    ----------
    message : str
        The file, and what can be done.

    Attributes
    ----------
    obstacle : Obstacle
        The file; the first of several.
    count : int
        Number of files, as far as they were looked for, that are in the way for the same reason.
    """

    obstacle: Obstacle
    count: int = 1


@dataclass(frozen=True)
class Obstacle:
    """A file where a result should go, which a batch does not replace unasked.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    kind : {"foreign", "changed", "settings", "input"}
        No batch made it; a batch did, and it was changed afterwards; a batch made it with other
        settings; it is the result of another input.
    reason : str
        The same in words, to follow the path.
    owner : str
        That other input.
    """

    path: Path
    kind: Kind
    reason: str
    owner: str = ""

    @property
    def sentence(self) -> str:
        """What was found, as a sentence without its end."""
        return f"{self.path} {self.reason}"

    def yields_to(self, existing: Existing) -> bool:
        """Return whether it may be replaced. The result of another input never is."""
        return existing == "replace" and self.kind != "input"

    def refusal(self) -> ExistingFileError:
        """Return the error that ends a batch before it begins."""
        if self.kind == "input":
            choices = 'existing="beside" (--existing beside) for new names'
        else:
            choices = (
                'existing="keep" (--existing keep) to leave it as it is, existing="beside" '
                '(--existing beside) for a new name, or existing="replace" (--overwrite) to '
                "replace it"
            )
        error = ExistingFileError(f"{self.sentence}; give another folder, or {choices}")
        error.obstacle = self
        return error


def check_inside(path: Path, folder: Path) -> None:
    """Refuse a path that a link leads out of a folder.

    Raises
    ------
    FileError
        If it does.
    """
    if not Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(folder)):
        raise FileError(
            f"{path} cannot be written: a link leads out of {folder}; remove the link, or give "
            "another folder"
        )


def find_recorded_obstacle(
    path: Path, source: str, fingerprint: str, content: str | None = None
) -> Obstacle | None:
    """Return what forbids to replace a file, as far as records tell, without reading the file.

    Parameters
    ----------
    path : pathlib.Path
        Path of a result.
    source : str
        Resolved path of the input that the result would be of.
    fingerprint : str
        `Settings.fingerprint`.
    content : str, optional
        Hash of that input. By default the input is read where its path does not tell whether the
        result is its own.
    """
    sidecar, exists = sidecar_path(path), os.path.lexists(path)
    if not exists and not os.path.lexists(sidecar):
        return None
    record = read_record(path)
    if record is None:
        if is_recorded(path):
            return Obstacle(sidecar, "changed", "was changed after an earlier run wrote it")
        return _foreign(path if exists else sidecar)
    if not _is_of(record, source, content):
        owner = record.path or "another file"
        return Obstacle(path, "input", f"is the result of {owner}", owner)
    if exists and record.settings != fingerprint:
        return Obstacle(path, "settings", "was made with other settings, weights or version")
    return None


def _is_of(record: Record, source: str, content: str | None) -> bool:
    """Return whether a result is of an input; also if that cannot be read, which ends its work."""
    if record.path == source:
        return True
    if record.path is not None and path_exists(record.path):
        return False
    try:
        return record.is_of(Input(source, content or file_hash(Path(source))))
    except FileError:
        return True


def find_obstacle(path: Path, source: Input, fingerprint: str) -> Obstacle | None:
    """Return what forbids to replace a file; None if there is none, or it is ours and unchanged."""
    obstacle = find_recorded_obstacle(path, source.path, fingerprint, source.hash)
    return find_change(path) if obstacle is None else obstacle


def find_change(path: Path) -> Obstacle | None:
    """Return a result that was changed since a batch made it, by reading it; None if it was not."""
    record = read_record(path)
    if record is None or not os.path.lexists(path) or _is_empty(path):
        return None
    if result_hash(path) in (record.result, record.former):
        return None
    return Obstacle(path, "changed", "was changed after an earlier run made it")


def _is_empty(path: Path) -> bool:
    """Return whether a file or folder is empty, as a kill can leave it before it gets its name."""
    if path.is_symlink():
        return False
    if path.is_dir():
        return not any(path.iterdir())
    return path.is_file() and not path.stat().st_size


def put_result(
    new: Path, path: Path, provenance: Mapping[str, Any], record: Record, existing: Existing
) -> None:
    """Give a result its name, with its record beside it, unless a file forbids it.

    The record comes first: wherever a kill strikes, it tells the result, old or new, from a file
    that no batch made.

    Parameters
    ----------
    new : pathlib.Path
        The complete result, in a scratch folder beside `path`.
    path : pathlib.Path
        Its name.
    provenance : mapping
        How it was made.
    record : Record
        What a later run recognizes it by.
    existing : {"refuse", "keep", "replace", "beside"}
        As for `Settings`.

    Raises
    ------
    FileError
        If another file has its name, or it cannot be written.
    """
    obstacle = find_obstacle(path, Input(record.path or "", record.source), record.settings)
    if obstacle is not None and not obstacle.yields_to(existing):
        raise late_refusal(obstacle)
    sidecar, replaces = sidecar_path(path), os.path.lexists(path)
    is_first = not os.path.lexists(sidecar)
    if replaces and read_record(path) is not None:
        record = replace(record, former=result_hash(path))
    write_record(path, provenance, record, overwrite=not is_first)
    try:
        move_into_place(new, path, overwrite=replaces)
    except OSError as error:
        if is_first:
            sidecar.unlink(missing_ok=True)
        if not replaces and os.path.lexists(path):
            raise late_refusal(_foreign(path)) from error
        raise
    forget_former(path)


def late_refusal(obstacle: Obstacle) -> FileError:
    """Return the error that ends the work on one file."""
    if obstacle.kind == "foreign":
        return FileError(
            f"{obstacle.path} appeared while the batch ran, and no batch has made it; "
            "move it away and run again"
        )
    return obstacle.refusal()


def _foreign(path: Path) -> Obstacle:
    return Obstacle(path, "foreign", "exists already, and no earlier run made it")
