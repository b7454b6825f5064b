"""What is known of a file's results: whether they are whole, and made of what is there now."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import FileError, reason
from ..provenance import sidecar_path

_KEY = "batch"


@dataclass(frozen=True)
class Measures:
    """What is told of a file: the median size of its radii in pixels, and the share in focus."""

    median_radius: float
    in_focus: float


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's bytes; of a folder, of all names and bytes it holds.

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


def with_record(
    record: Mapping[str, Any], source: str, fingerprint: str, result: str, measures: Measures
) -> dict[str, Any]:
    """Add to a result's provenance what tells later that it is done, and whose it is.

    Parameters
    ----------
    record : mapping
        The provenance.
    source, fingerprint : str
        Hash of the source file, and what `Settings.fingerprint` says.
    result : str
        Hash of the file with the result; empty as long as it is not written.
    measures : Measures
        What is told of it.
    """
    told = {
        "source": source,
        "settings": fingerprint,
        "result": result,
        "measures": asdict(measures),
    }
    return {**record, _KEY: told}


def verified(results: Iterable[Path], source: str, fingerprint: str) -> Measures | None:
    """Return what was told of a file whose results are all there, whole and still true.

    Parameters
    ----------
    results : iterable of pathlib.Path
        Where its results are to be.
    source, fingerprint : str
        As for `with_record`, as they are now.

    Returns
    -------
    Measures or None
        None if a result is missing, damaged, or made of something else or in another way.
    """
    measures = None
    for path in results:
        told = _told(path)
        if told is None or (told["source"], told["settings"]) != (source, fingerprint):
            return None
        try:
            if file_hash(path) != told["result"]:
                return None
            measures = Measures(**{name: float(value) for name, value in told["measures"].items()})
        except (FileError, TypeError, ValueError, AttributeError):
            return None
    return measures


def is_stranger(path: Path) -> bool:
    """Whether a file is there that no batch has recorded; one whose sidecar is damaged is none."""
    there = os.path.lexists(path)
    return there and not is_recorded(path) and not _is_damaged(sidecar_path(path))


def is_recorded(path: Path) -> bool:
    """Whether a batch has recorded that a file is one of its results, or about to be one."""
    return _told(path) is not None


def _is_damaged(sidecar: Path) -> bool:
    try:
        json.loads(sidecar.read_text(encoding="utf-8"))
    except OSError:
        return False
    except (ValueError, RecursionError):
        return True
    return False


def _told(path: Path) -> dict[str, Any] | None:
    try:
        told = json.loads(sidecar_path(path).read_text(encoding="utf-8"))[_KEY]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    complete = isinstance(told, dict) and {"source", "settings", "result", "measures"} <= set(told)
    return told if complete else None
