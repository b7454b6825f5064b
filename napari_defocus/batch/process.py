"""Processing of one file of a batch, from reading it to recording its results."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..defocus_map import DefocusMap
from ..errors import DefocusError, FileError, reason
from ..image.layout import is_dask
from ..inference.engine import Progress
from ..io import (
    Picture,
    as_picture,
    check_fits,
    check_target,
    open_picture,
    resolve_options,
    write_picture,
)
from ..io.atomic import scratch_folder
from ..io.streaming import open_streaming
from ..io.zarr_arrays import as_dask, new_array
from ..jobs import DeblurJob, EstimateJob
from ..provenance_record import provenance, sidecar_path, write_sidecar
from ..views import picture_views
from .plan import Item
from .records import Measures, add_record, file_hash, is_foreign, is_recorded, verify_results
from .settings import Settings

State = Literal["done", "verified", "kept", "failed"]
#: Radii below this many pixels count as in focus.
_IN_FOCUS = 0.5
#: Pixels of a stack or a large image that are measured at most.
_SAMPLE = 64_000_000
#: Makes a result's record from the hash of its file and the measures.
Record = Callable[[str, "Measures"], dict[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """End of the work on one file.

    Parameters
    ----------
    state : {"done", "verified", "kept", "failed"}
        Done now; verified to be done by an earlier run; skipped, to keep files that no batch has
        made; or failed.
    seconds : float
        Time it took.
    measures : Measures, optional
        Measures of its radii.
    message : str
        Reason why it failed or was kept.
    """

    state: State
    seconds: float
    measures: Measures | None = None
    message: str = ""


@dataclass(frozen=True)
class _OpenFile:
    """A file that has been opened, and the jobs for it; `hash` is that of its bytes."""

    item: Item
    settings: Settings
    picture: Picture
    estimate: EstimateJob
    deblur: DeblurJob
    hash: str


def process_file(
    item: Item, settings: Settings, fingerprint: str
) -> Generator[Progress, None, Outcome]:
    """Make the results of a file, unless an earlier run has made them.

    All errors end in an outcome that says what went wrong.

    Parameters
    ----------
    item : Item
        The file and its results.
    settings : Settings
        What is done to it.
    fingerprint : str
        `Settings.fingerprint`.

    Yields
    ------
    Progress
        After every tile.

    Returns
    -------
    Outcome
    """
    start = time.perf_counter()
    try:
        outcome = yield from _process(item, settings, fingerprint)
    except Exception as error:  # no error may stop the other files
        outcome = Outcome("failed", 0, message=_describe_error(item, error))
    return replace(outcome, seconds=time.perf_counter() - start)


def _describe_error(item: Item, error: Exception) -> str:
    """Return a message that names the file and what went wrong."""
    if isinstance(error, MemoryError):
        return f"{item.source} does not fit into memory; crop or split it first"
    name = "" if isinstance(error, DefocusError | OSError) else f"{type(error).__name__}: "
    message = f"{name}{reason(error)}"
    return message if str(item.source) in message else f"{item.source}: {message}"


def _process(
    item: Item, settings: Settings, fingerprint: str
) -> Generator[Progress, None, Outcome]:
    source = file_hash(item.source)
    recorded = verify_results(item.results.values(), source, fingerprint)
    if recorded is not None:
        return Outcome("verified", 0, recorded)
    foreign = _foreign_files(item)
    if foreign and settings.existing == "keep":
        return Outcome("kept", 0, message=f"{foreign[0]} exists, and no batch has made it")
    _refuse(foreign, settings)
    for path in item.results.values():  # before hours of work are lost because a name is too long
        check_target(path, overwrite=True)
        check_target(sidecar_path(path), overwrite=True)
    file = _open(item, settings, source)
    records = {
        kind: partial(add_record, _provenance(kind, file), source, fingerprint)
        for kind in item.results
    }
    make = _make_by_windows if is_dask(file.picture.data) else _make
    measures = yield from make(file, records)
    for kind, path in item.results.items():
        write_sidecar(path, records[kind](file_hash(path), measures), overwrite=True)
    return Outcome("done", 0, measures)


def _open(item: Item, settings: Settings, source: str) -> _OpenFile:
    picture = open_picture(item.source)
    if settings.options.channel_axis == "none":
        picture = picture.as_planes()
    if "sharp" in item.results:
        check_fits(item.results["sharp"], picture)
    options = resolve_options(picture, settings.options)
    views = picture_views(item.source, picture, dual_pixel=settings.dual_pixel)
    estimate = EstimateJob(views, settings.map_model, options)
    deblur = DeblurJob(
        picture.data,
        None if views.right is None else estimate,
        settings.strength,
        settings.protect_radius,
        settings.detail,
        settings.model,
        settings.map_model,
        options,
    )
    return _OpenFile(item, settings, picture, estimate, deblur, source)


def _make(file: _OpenFile, records: Mapping[str, Record]) -> Generator[Progress, None, Measures]:
    """Write the results of a picture that is in memory."""
    defocus = yield from file.estimate.steps()
    arrays: dict[str, Any] = {"radius": defocus.radius, "confidence": defocus.confidence}
    if "sharp" in file.item.results:
        arrays["sharp"] = yield from file.deblur.with_map(defocus).steps()
    _check_unchanged(file)
    measures = _measure(defocus.radius)
    for kind, path in file.item.results.items():
        axis = file.estimate.layout.channel_axis if kind != "sharp" else None
        _announce(path, records[kind], measures)
        write_picture(path, arrays[kind], file.picture, channel_axis=axis, overwrite=True)
    return measures


def _make_by_windows(
    file: _OpenFile, records: Mapping[str, Record]
) -> Generator[Progress, None, Measures]:
    """Write the results of a picture that stays in its file, window by window."""
    picture, results = file.picture, file.item.results
    map_picture = _map_template(picture, file.estimate.layout.channel_axis)
    with ExitStack() as stack:
        targets = {
            kind: stack.enter_context(
                open_streaming(path, picture if kind == "sharp" else map_picture, overwrite=True)
            )
            for kind, path in results.items()
        }
        folder = stack.enter_context(scratch_folder(next(iter(results.values())).parent))
        radius, confidence = (
            targets[kind].array
            if kind in targets
            else new_array(folder / kind, map_picture.data.shape, np.float32)
            for kind in ("radius", "confidence")
        )
        yield from replace(file.estimate, out=(radius, confidence)).steps()
        if "sharp" in targets:
            defocus = DefocusMap(as_dask(radius), as_dask(confidence))
            job = replace(file.deblur.with_map(defocus), out=targets["sharp"].array)
            yield from job.steps()
        for target in targets.values():
            for _ in target.complete():
                yield Progress(1, 1)
        _check_unchanged(file)
        measures = _measure(radius)
        for kind, path in results.items():
            _announce(path, records[kind], measures)
    return measures


def _map_template(picture: Picture, channel_axis: int | None) -> Picture:
    """Return a picture of the shape and metadata of the map, without pixels."""
    import dask.array

    shape = picture.data.shape
    if channel_axis is not None:
        shape = tuple(np.delete(shape, channel_axis))
    return as_picture(dask.array.empty(shape, dtype=np.float32), picture, channel_axis)


def _check_unchanged(file: _OpenFile) -> None:
    """Refuse to write results if the source has changed, or over files that no batch made."""
    if file_hash(file.item.source) != file.hash:
        raise FileError(f"{file.item.source} changed while it was worked on; run again")
    _refuse(_foreign_files(file.item), file.settings)


def _foreign_files(item: Item) -> list[Path]:
    return [path for path in item.results.values() if is_foreign(path)]


def _refuse(foreign: list[Path], settings: Settings) -> None:
    if foreign and settings.existing != "replace":
        raise FileError(
            f"{foreign[0]} appeared while the batch ran, and no batch has made it; "
            "move it away and run again"
        )


def _announce(path: Path, record: Record, measures: Measures) -> None:
    """Record a result before it is written, so that a run after a kill knows it for its own."""
    if not is_recorded(path):
        write_sidecar(path, record("", measures), overwrite=True)


def _provenance(kind: str, file: _OpenFile) -> dict[str, Any]:
    job = file.deblur if kind == "sharp" else file.estimate
    return provenance(job, path=file.item.source.name)


def _measure(radius: Any) -> Measures:
    """Measure radii: all, or of more than 64 million an evenly spread sample."""
    step = int(np.ceil((np.prod(radius.shape, dtype=float) / _SAMPLE) ** 0.5))
    sample = np.abs(np.asarray(radius[..., ::step, ::step]))
    return Measures(float(np.median(sample)), float(np.mean(sample < _IN_FOCUS)))
