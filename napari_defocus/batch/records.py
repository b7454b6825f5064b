"""Records of finished results: whose they are, and whether they are still whole and true."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import FileError, reason
from ..provenance_record import sidecar_path

_KEY = "batch"
_FIELDS = {"source", "settings", "result", "measures"}


@dataclass(frozen=True)
class Measures:
    """What the report says of a file: median radius in pixels, and share of pixels in focus."""

    median_radius: float
    in_focus: float


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's bytes; of a folder, of all names and bytes in it.

    Raises
    ------
    FileError
        If it cannot be read.
    """
    try:
        if path.is_dir():
            return _folder_hash(path)
        with path.open("rb") as file:
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


def add_record(
    provenance: Mapping[str, Any], source: str, fingerprint: str, result: str, measures: Measures
) -> dict[str, Any]:
    """Add to a result's provenance the record by which a later run recognizes it.

    Parameters
    ----------
    provenance : mapping
        The result's provenance.
    source, fingerprint : str
        Hash of the source file, and `Settings.fingerprint`.
    result : str
        Hash of the file with the result; empty as long as it is not written.
    measures : Measures
        What the report says of the file.
    """
    record = {
        "source": source,
        "settings": fingerprint,
        "result": result,
        "measures": asdict(measures),
    }
    return {**provenance, _KEY: record}


def verify_results(results: Iterable[Path], source: str, fingerprint: str) -> Measures | None:
    """Return the recorded measures of a file if all its results are whole and up to date.

    Parameters
    ----------
    results : iterable of pathlib.Path
        Paths of its results.
    source, fingerprint : str
        As for `add_record`, as they are now.

    Returns
    -------
    Measures or None
        None if a result is missing or damaged, or if the source or the settings have changed.
    """
    measures = None
    for path in results:
        record = _read_record(path)
        if record is None or (record["source"], record["settings"]) != (source, fingerprint):
            return None
        try:
            if file_hash(path) != record["result"]:
                return None
            numbers = {name: float(value) for name, value in record["measures"].items()}
            measures = Measures(**numbers)
        except (FileError, TypeError, ValueError, AttributeError):
            return None
    return measures


def is_foreign(path: Path) -> bool:
    """Return whether a file exists that no batch has made.

    A file whose sidecar is damaged counts as made by a batch.
    """
    exists = os.path.lexists(path)
    return exists and not is_recorded(path) and not _is_damaged(sidecar_path(path))


def is_recorded(path: Path) -> bool:
    """Return whether a batch has recorded a file as one of its results, finished or not."""
    return _read_record(path) is not None


def _is_damaged(sidecar: Path) -> bool:
    try:
        json.loads(sidecar.read_text(encoding="utf-8"))
    except OSError:
        return False
    except (ValueError, RecursionError):
        return True
    return False


def _read_record(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(sidecar_path(path).read_text(encoding="utf-8"))[_KEY]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return record if isinstance(record, dict) and set(record) >= _FIELDS else None
