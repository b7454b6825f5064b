"""Where a result comes from: enough to make it again, and to see whether it was made of this."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .image.layout import is_dask
from .version import __version__


class Card(Protocol):
    """What must be known of a model; model cards tell it."""

    @property
    def name(self) -> str:
        """What users call it."""

    @property
    def task(self) -> str:
        """What it does."""

    @property
    def version(self) -> str:
        """Of the weights."""

    @property
    def sha256(self) -> str:
        """Of the weights file."""


def provenance(
    function: str, image: Any, parameters: Mapping[str, Any], models: Sequence[Card]
) -> dict[str, Any]:
    """Describe how a result was made.

    Parameters
    ----------
    function : str
        Of the API, such as "deblur".
    image : array
        What it was given, NumPy or dask.
    parameters : mapping
        What it was told: numbers, texts, None, and sequences of these. Arrays are replaced by
        their hashes.
    models : sequence of model cards
        The models used, the one that made the result first.

    Returns
    -------
    dict
        Ready for JSON: software, version, function, model, sha256 (of the first model's weights),
        models, parameters, input.

    Examples
    --------
    >>> record = provenance("reblur", np.zeros((8, 8)), {"value_range": (0, 1)}, [])
    >>> record["parameters"], record["input"]["shape"]
    ({'value_range': [0, 1]}, [8, 8])
    """
    return {
        "software": "napari-defocus",
        "version": __version__,
        "function": function,
        "model": models[0].name if models else None,
        "sha256": models[0].sha256 if models else None,
        "models": [
            {"task": card.task, "name": card.name, "version": card.version, "sha256": card.sha256}
            for card in models
        ],
        "parameters": {name: _plain(value) for name, value in parameters.items()},
        "input": {
            "hash": array_hash(image),
            "shape": list(image.shape),
            "dtype": str(np.dtype(image.dtype)),
        },
    }


def array_hash(array: Any) -> str:
    """Return a text that changes when an array's shape, data type or values do.

    Parameters
    ----------
    array : NumPy or dask array
        Of a dask array the recipe counts, not the values, which need not be computed.

    Returns
    -------
    str
        "sha256:" or "dask:" and a hexadecimal digest or dask's own name.

    Examples
    --------
    >>> array_hash(np.zeros(2, np.uint8)) == array_hash(np.zeros(2, np.int8))
    False
    """
    if is_dask(array):
        return f"dask:{array.name}"
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    digest.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    return f"sha256:{digest.hexdigest()}"


def sidecar_path(path: str | os.PathLike[str]) -> Path:
    """Return where the provenance of a file is kept: beside it, ".json" added to its name.

    Examples
    --------
    >>> sidecar_path("cells.tif").name
    'cells.tif.json'
    """
    path = Path(path)
    return path.with_name(path.name + ".json")


def write_sidecar(
    path: str | os.PathLike[str], record: Mapping[str, Any], *, overwrite: bool = False
) -> Path:
    """Write provenance beside a file.

    Parameters
    ----------
    path : path
        The file with the result, which need not exist.
    record : mapping
        From :func:`provenance`.
    overwrite : bool
        Whether a sidecar that is there may be replaced.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    FileError
        If it exists, or cannot be written.
    """
    from .io.atomic import atomic_file

    target = sidecar_path(path)
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with atomic_file(target, overwrite=overwrite) as file:
        file.write(text.encode(errors="backslashreplace"))  # as JSON writes what is no Unicode
    return target


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) or is_dask(value):
        return array_hash(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) or hasattr(value, "__iter__"):
        return [_plain(item) for item in value]
    return str(value)
