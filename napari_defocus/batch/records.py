"""Records of finished results: their input, the files that belong to them, and their hashes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import FileError, reason
from ..io.json_file import parse_json
from ..io.regular_file import open_regular, read_regular
from ..io.series import path_exists, plane_folder, split_region, split_series
from ..provenance_record import sidecar_path, write_sidecar

_KEY = "batch"
#: Largest plan that is read: bytes, and values of half a million files.
_MOST_BYTES, _MOST_VALUES = 2**28, 4_000_000


@dataclass(frozen=True)
class Measures:
    """Measures of a file, for the report.

    Parameters
    ----------
    median_radius : float
        Median radius in pixels of the pixels that are sure.
    in_focus : float
        Share of them that are in focus (`map_statistics`).
    pixel_size : float, optional
        Side of a pixel in micrometers (`physical_size.PixelSize.side`), None if it is unknown.
    sure : float, optional
        Share of pixels that are sure; 0: there is nothing to judge by. None in records of earlier
        versions, whose measures are those of all pixels.
    flagged, inferred, consistency : float, optional
        Shares of the pixels, and dB, of the check of the sharper picture (`Score`), if it was made.
    verdict : str, optional
        What the check says.
    """

    median_radius: float
    in_focus: float
    pixel_size: float | None = None
    sure: float | None = None
    flagged: float | None = None
    inferred: float | None = None
    consistency: float | None = None
    verdict: str | None = None

    def as_json(self) -> dict[str, float | str]:
        """Return the measures that are known, as JSON holds them."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Input:
    """Identity of an input file: its path with all links resolved, and the hash of its bytes."""

    path: str
    hash: str


@dataclass(frozen=True)
class Record:
    """Entry in a result's sidecar by which a later run recognizes it.

    Parameters
    ----------
    path : str, optional
        Resolved path of the input; None in records of earlier versions.
    source, settings : str
        Hash of the input, and `Settings.fingerprint`.
    result : str
        Hash of the result.
    measures : Measures
        What the report says of the input.
    former : str, optional
        Hash of the result that is being replaced, until it is.
    """

    path: str | None
    source: str
    settings: str
    result: str
    measures: Measures
    former: str | None = None

    def is_of(self, source: Input) -> bool:
        """Return whether it is of an input, which may have been moved since."""
        if self.path == source.path:
            return True
        is_moved = self.path is None or not path_exists(self.path)
        return is_moved and self.source == source.hash


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's bytes; of a folder, of all names and bytes in it.

    That of one of several images in a file, or of a region, is a hash of the file's and of its
    name; that of an OIF file comprises the folder with its planes.

    Raises
    ------
    FileError
        If it cannot be read, or is a pipe or a device.
    """
    path, region = split_region(path)
    path, series = split_series(path)
    parts = [_own_hash(path)]
    if series is not None:
        parts.append(str(series))
    if region is not None:
        parts.append(region)
    if (planes := plane_folder(path)) is not None:
        parts.append(_own_hash(planes))
    return parts[0] if len(parts) == 1 else hashlib.sha256("/".join(parts).encode()).hexdigest()


def _own_hash(path: Path) -> str:
    try:
        if path.is_dir():
            os.scandir(path).close()  # `rglob` is silent about a folder that cannot be read
            return _folder_hash(path)
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason(error)}") from error


def _folder_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name}\0{file_hash(path)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def write_record(
    path: Path, provenance: Mapping[str, Any], record: Record, *, overwrite: bool
) -> None:
    """Write a result's sidecar, with its provenance and its record.

    Parameters
    ----------
    path : pathlib.Path
        The result.
    provenance : mapping
        How it was made.
    record : Record
        What a later run recognizes it by.
    overwrite : bool
        Whether an existing sidecar may be replaced.

    Raises
    ------
    FileError
        If the sidecar exists, or cannot be written.
    """
    entry = {
        "path": record.path,
        "source": record.source,
        "settings": record.settings,
        "result": record.result,
        "measures": record.measures.as_json(),
    }
    if record.former is not None:
        entry["former"] = record.former
    document = {**provenance, _KEY: entry}
    entry["check"] = _check_sum(document)
    write_sidecar(path, document, overwrite=overwrite)


def read_record(path: Path) -> Record | None:
    """Return the record of a result; None if it has none, or its sidecar was changed since."""
    document = _read_sidecar(path)
    if document is None:
        return None
    entry = document[_KEY]
    if "check" in entry and entry["check"] != _check_sum(document):
        return None
    texts = {name: entry.get(name) for name in ("path", "source", "settings", "result", "former")}
    optional = {"path", "former"}
    for name, text in texts.items():
        if not isinstance(text, str) and not (name in optional and text is None):
            return None
    try:
        measures: dict[str, Any] = {
            name: str(value) if name == "verdict" else float(value)
            for name, value in entry["measures"].items()
        }
        return Record(measures=Measures(**measures), **texts)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def is_recorded(path: Path) -> bool:
    """Return whether a batch has recorded a file as one of its results."""
    return _read_sidecar(path) is not None


def _read_sidecar(path: Path) -> dict[str, Any] | None:
    try:
        document = read_own_json(sidecar_path(path))
        return document if isinstance(document[_KEY], dict) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _check_sum(document: Mapping[str, Any]) -> str:
    """Return the hash of a sidecar without its own check sum."""
    entry = {name: value for name, value in document[_KEY].items() if name != "check"}
    text = json.dumps({**document, _KEY: entry}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_own_json(path: Path) -> Any:
    """Read a JSON file of a batch, which is no link.

    Raises
    ------
    OSError, ValueError
        If it cannot be read.
    """
    if path.is_symlink():
        raise ValueError("it is a link")
    return parse_json(read_regular(path, _MOST_BYTES), _MOST_VALUES)


def verify_results(results: Iterable[Path], source: Input, fingerprint: str) -> Measures | None:
    """Return the recorded measures of a file if all its results are whole and up to date.

    Parameters
    ----------
    results : iterable of pathlib.Path
        Paths of its results.
    source : Input
        The file, as it is now.
    fingerprint : str
        `Settings.fingerprint`.

    Returns
    -------
    Measures or None
        None if a result is missing or was changed, or if the file or the settings have changed.
    """
    measures = None
    for path in results:
        record = read_record(path)
        wanted = (source.hash, fingerprint)
        if record is None or (record.source, record.settings) != wanted:
            return None
        if not record.is_of(source) or result_hash(path) != record.result:
            return None
        measures = record.measures
    return measures


def result_hash(path: Path) -> str | None:
    """Return the hash of a result; None if there is none, or something else in its place."""
    try:
        return None if path.is_symlink() else file_hash(path)
    except FileError:
        return None


def forget_former(path: Path) -> None:
    """Complete the record of a result that took the place of a former one.

    The process that replaced it may have been killed in between.
    """
    record, document = read_record(path), _read_sidecar(path)
    if record is not None and document is not None and record.former is not None:
        write_record(path, document, replace(record, former=None), overwrite=True)
