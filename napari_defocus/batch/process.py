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

from ..api import deblur_steps, estimate_defocus_steps
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
    write_picture,
)
from ..io.atomic import scratch_folder
from ..io.streaming import open_streaming
from ..io.zarr_arrays import as_dask, new_array
from ..provenance import provenance, sidecar_path, write_sidecar
from ..views import Views, find_views
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
class _Job:
    """A file that has been opened, and the settings for it; `source` is its hash."""

    item: Item
    settings: Settings
    picture: Picture
    views: Views
    arguments: Mapping[str, Any]
    source: str


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
    picture = settings.how.interpreted(open_picture(item.source))
    if "sharp" in item.results:
        check_fits(item.results["sharp"], picture)
    views = find_views(item.source, picture, settings.how, dual_pixel=settings.dual_pixel)
    job = _Job(item, settings, picture, views, settings.how.arguments(picture), source)
    records = {
        kind: partial(add_record, _provenance(kind, job), source, fingerprint)
        for kind in item.results
    }
    make = _make_by_windows if is_dask(picture.data) else _make
    measures = yield from make(job, records)
    for kind, path in item.results.items():
        write_sidecar(path, records[kind](file_hash(path), measures), overwrite=True)
    return Outcome("done", 0, measures)


def _make(job: _Job, records: Mapping[str, Record]) -> Generator[Progress, None, Measures]:
    """Write the results of a picture that is in memory."""
    model, picture = job.settings.map_model, job.picture
    estimate = yield from estimate_defocus_steps(*job.views.data, model=model, **job.arguments)
    defocus = job.views.upright(estimate)
    arrays: dict[str, Any] = {"radius": defocus.radius, "confidence": defocus.confidence}
    if "sharp" in job.item.results:
        arrays["sharp"] = yield from deblur_steps(
            picture.data, defocus, **_deblurring(job.settings), **job.arguments
        )
    _check_unchanged(job)
    measures = _measure(defocus.radius)
    for kind, path in job.item.results.items():
        axis = job.arguments["channel_axis"] if kind != "sharp" else None
        _announce(path, records[kind], measures)
        write_picture(path, arrays[kind], picture, channel_axis=axis, overwrite=True)
    return measures


def _make_by_windows(
    job: _Job, records: Mapping[str, Record]
) -> Generator[Progress, None, Measures]:
    """Write the results of a picture that stays in its file, window by window."""
    picture, results = job.picture, job.item.results
    map_picture = _map_template(picture, job.arguments["channel_axis"])
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
        maps = radius, confidence
        model = job.settings.map_model
        yield from estimate_defocus_steps(picture.data, model=model, out=maps, **job.arguments)
        if "sharp" in targets:
            defocus = DefocusMap(*map(as_dask, maps))
            out = targets["sharp"].array
            yield from deblur_steps(
                picture.data, defocus, out=out, **_deblurring(job.settings), **job.arguments
            )
        for target in targets.values():
            for _ in target.complete():
                yield Progress(1, 1)
        _check_unchanged(job)
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


def _check_unchanged(job: _Job) -> None:
    """Refuse to write results if the source has changed, or over files that no batch made."""
    if file_hash(job.item.source) != job.source:
        raise FileError(f"{job.item.source} changed while it was worked on; run again")
    _refuse(_foreign_files(job.item), job.settings)


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


def _deblurring(settings: Settings) -> dict[str, Any]:
    return {
        "strength": settings.strength,
        "protect": settings.protect,
        "detail": settings.detail,
        "model": settings.model,
    }


def _provenance(kind: str, job: _Job) -> dict[str, Any]:
    settings, picture = job.settings, job.picture
    cards = settings.cards(settings.how.imaging(picture), job.views.task)
    parameters = {
        **job.arguments,
        "dual_pixel": settings.dual_pixel,
        "views": job.views.count,
        "path": job.item.source.name,
    }
    if kind == "sharp":
        parameters = {**_deblurring(settings), **parameters}
        return provenance("deblur", picture.data, parameters, cards)
    parameters["model"] = settings.map_model
    estimators = [card for card in cards if card.task != "deblur"]
    return provenance("estimate_defocus", picture.data, parameters, estimators)


def _measure(radius: Any) -> Measures:
    """Measure radii: all, or of more than 64 million an evenly spread sample."""
    step = int(np.ceil((np.prod(radius.shape, dtype=float) / _SAMPLE) ** 0.5))
    sample = np.abs(np.asarray(radius[..., ::step, ::step]))
    return Measures(float(np.median(sample)), float(np.mean(sample < _IN_FOCUS)))
