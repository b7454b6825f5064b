"""Provenance of a result: enough to make it again, and to recognize the image it was made from.

There is one schema for the API, the command line, the widgets and the batch.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .array_types import Array
from .errors import FileError
from .image.layout import is_dask
from .version import __version__

if TYPE_CHECKING:
    from .jobs import Job


def provenance(
    job: Job[Any],
    *,
    path: str | os.PathLike[str] | None = None,
    layer: str | None = None,
    region: Sequence[Sequence[int]] | None = None,
) -> dict[str, Any]:
    """Describe how the result of a job was made.

    Parameters
    ----------
    job : Job
        The job, before or after it is run.
    path : path, optional
        Name of the file that the image comes from. The hashes of dask arrays are then those of
        their values, which are read from the file.
    layer : str, optional
        Name of napari's layer that the image comes from.
    region : sequence of (start, stop), optional
        Part of the layer, for each of its axes.

    Returns
    -------
    dict
        Ready for JSON: software, version, function, model and sha256 of the model that made the
        result, models, parameters, input. Arrays among the parameters are replaced by their hashes.

    Raises
    ------
    DefocusError
        If the job cannot be run with its arguments.

    See Also
    --------
    EstimateJob, DeblurJob, RefocusJob : the jobs that the public functions run

    Notes
    -----
    With the same device, package and versions of torch, the record's arguments make the same bytes
    again. The hash of a dask image without a `path` is that of its graph. Its value range, if it
    is not an option, is not measured and left None. Images on disk are read once for the hash.

    Examples
    --------
    >>> from napari_defocus.jobs import RefocusJob
    >>> record = provenance(RefocusJob(np.zeros((8, 8), np.uint8), np.ones((8, 8))))
    >>> record["function"], record["parameters"]["value_range"], record["input"]["shape"]
    ('reblur', [0.0, 255.0], [8, 8])
    """
    image, models = job.source, job.models
    from_file = path is not None
    return {
        "software": "napari-defocus",
        "version": __version__,
        "function": job.function,
        "model": models[0].name if models else None,
        "sha256": models[0].sha256 if models else None,
        "models": [
            {"task": card.task, "name": card.name, "version": card.version, "sha256": card.sha256}
            for card in models
        ],
        "parameters": {name: _plain(value, from_file) for name, value in job.parameters.items()},
        "input": {
            "hash": array_hash(image, compute=from_file),
            "shape": list(image.shape),
            "dtype": str(np.dtype(image.dtype)),
            "path": None if path is None else os.fspath(path),
            "layer": layer,
            "region": _plain(region),
        },
    }


def array_hash(array: Any, *, compute: bool = False) -> str:
    """Return a text that changes when an array's shape, data type or values do.

    Parameters
    ----------
    array : NumPy or dask array, or anything sliced like one
        An array that is not in memory is read part by part.
    compute : bool
        Whether the values of a dask array are computed. Otherwise its graph counts.

    Returns
    -------
    str
        "sha256:" and a hexadecimal digest, or "dask:" and dask's own name.

    Examples
    --------
    >>> array_hash(np.zeros(2, np.uint8)) == array_hash(np.zeros(2, np.int8))
    False
    """
    if is_dask(array) and not compute:
        return f"dask:{array.name}"
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    for part in [array] if isinstance(array, np.ndarray) else _parts(array):
        values = np.ascontiguousarray(part)
        digest.update(values.data.cast("B") if values.size else b"")
    return f"sha256:{digest.hexdigest()}"


def _parts(array: Any) -> Iterator[Array]:
    """Yield an array in C order, as many rows of a plane at a time as its chunks have."""
    import dask.array

    if not is_dask(array):
        chunks = getattr(array, "chunks", None) or "auto"
        array = dask.array.from_array(array, chunks=chunks, name=False)
    rows = array.chunks[0]
    if array.ndim > 1 and max(rows) == 1:
        for i in range(len(rows)):
            yield from _parts(array[i])
        return
    for stop, count in zip(np.cumsum(rows), rows, strict=True):
        yield np.asarray(array[stop - count : stop].compute(scheduler="synchronous"))


def sidecar_path(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file's provenance: beside the file, ".json" added to its name.

    That of an image within a zarr store lies beside the store, in a folder of records.

    Raises
    ------
    FileError
        If the path has no name, as the root and the working directory.

    Examples
    --------
    >>> sidecar_path("cells.tif").name
    'cells.tif.json'
    >>> sidecar_path("plate.zarr/B/2/0").as_posix()
    'plate.zarr.records/B/2/0.json'
    """
    from .io.zarr_layout import store_part

    path = Path(path)
    part = store_part(path)
    if part is not None:
        store, member = part
        path = store.with_name(store.name + ".records") / member
    if not path.name:
        raise FileError(f"{path} is a folder; give the name of a file")
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
        Whether an existing sidecar may be replaced. A link is replaced, not what it leads to.

    Returns
    -------
    pathlib.Path
        Path of the sidecar.

    Raises
    ------
    FileError
        If it exists, or cannot be written.
    """
    from .io.atomic import atomic_file

    target = sidecar_path(path)
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with atomic_file(target, overwrite=overwrite, follow_links=False) as file:
        file.write(text.encode(errors="backslashreplace"))  # as JSON writes what is not Unicode
    return target


def _plain(value: Any, compute: bool = False) -> Any:
    """Return a value as JSON holds it, arrays as their hashes, dask arrays computed or not."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "dtype"):
        return array_hash(value, compute=compute)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item, compute) for name, item in value.items()}
    if isinstance(value, Sequence) or hasattr(value, "__iter__"):
        return [_plain(item, compute) for item in value]
    return str(value)
