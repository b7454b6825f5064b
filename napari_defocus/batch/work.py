"""What is done to one file."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_defocus.io.streaming import open_streaming

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
from ..io.zarr_arrays import as_dask, new_array
from ..provenance import provenance, sidecar_path, write_sidecar
from ..views import Views, find_views
from .plan import Item
from .records import Measures, file_hash, is_recorded, is_stranger, verified, with_record
from .settings import Settings

State = Literal["done", "verified", "kept", "failed"]
#: Radii below this many pixels count as in focus.
_IN_FOCUS = 0.5
#: Pixels of a stack or a large image that are measured.
_SAMPLE = 64_000_000
Record = Callable[[str, "Measures"], dict[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """What came of a file.

    Parameters
    ----------
    state : {"done", "verified", "kept", "failed"}
        Done now; found done by an earlier run; left, for files that are none of ours are there; or
        not done.
    seconds : float
        How long it took.
    measures : Measures, optional
        What is told of it.
    message : str
        Why it failed or was kept.
    """

    state: State
    seconds: float
    measures: Measures | None = None
    message: str = ""


@dataclass(frozen=True)
class _Job:
    """A file that is to be done, as it was read, and how; `source` is its hash."""

    item: Item
    settings: Settings
    picture: Picture
    views: Views
    arguments: Mapping[str, Any]
    source: str


def work(item: Item, settings: Settings, fingerprint: str) -> Generator[Progress, None, Outcome]:
    """Do to a file what is to be done, unless it is done already.

    Whatever is wrong with the file ends in an outcome that says so.

    Parameters
    ----------
    item : Item
        The file and its results.
    settings : Settings
        What is to be done.
    fingerprint : str
        What `Settings.fingerprint` says.

    Yields
    ------
    Progress
        After every tile.

    Returns
    -------
    Outcome
    """
    began = time.perf_counter()
    try:
        outcome = yield from _work(item, settings, fingerprint)
    except Exception as error:  # whatever it is, the other files are to be done
        outcome = Outcome("failed", 0, message=_why(item, error))
    taken = time.perf_counter() - began
    return Outcome(outcome.state, taken, outcome.measures, outcome.message)


def _why(item: Item, error: Exception) -> str:
    """Say what went wrong with a file, and with which."""
    if isinstance(error, MemoryError):
        return f"{item.source} does not fit into memory; crop or split it first"
    name = "" if isinstance(error, DefocusError | OSError) else f"{type(error).__name__}: "
    words = f"{name}{reason(error)}"
    return words if str(item.source) in words else f"{item.source}: {words}"


def _work(item: Item, settings: Settings, fingerprint: str) -> Generator[Progress, None, Outcome]:
    source = file_hash(item.source)
    known = verified(item.results.values(), source, fingerprint)
    if known is not None:
        return Outcome("verified", 0, known)
    strangers = _strangers(item)
    if strangers and settings.existing == "keep":
        return Outcome("kept", 0, message=f"{strangers[0]} was there already")
    _refuse(strangers, settings)
    for path in item.results.values():  # before hours of work are lost for a name too long
        check_target(path, overwrite=True)
        check_target(sidecar_path(path), overwrite=True)
    picture = settings.how.interpreted(open_picture(item.source))
    if "sharp" in item.results:
        check_fits(item.results["sharp"], picture)
    views = find_views(item.source, picture, settings.how, dual_pixel=settings.dual_pixel)
    job = _Job(item, settings, picture, views, settings.how.arguments(picture), source)
    records = {
        what: partial(with_record, _record(what, job), source, fingerprint) for what in item.results
    }
    make = _make_by_windows if is_dask(picture.data) else _make
    measures = yield from make(job, records)
    for what, path in item.results.items():
        write_sidecar(path, records[what](file_hash(path), measures), overwrite=True)
    return Outcome("done", 0, measures)


def _make(job: _Job, records: Mapping[str, Record]) -> Generator[Progress, None, Measures]:
    """Write the results of a picture that is in memory."""
    model, picture = job.settings.map_model, job.picture
    found = yield from estimate_defocus_steps(*job.views.data, model=model, **job.arguments)
    defocus = job.views.upright(found)
    made: dict[str, Any] = {"radius": defocus.radius, "confidence": defocus.confidence}
    if "sharp" in job.item.results:
        made["sharp"] = yield from deblur_steps(
            picture.data, defocus, **_deblurring(job.settings), **job.arguments
        )
    _check_still_right(job)
    measures = _measured(defocus.radius)
    for what, path in job.item.results.items():
        axis = job.arguments["channel_axis"] if what != "sharp" else None
        _announce(path, records[what], measures)
        write_picture(path, made[what], picture, channel_axis=axis, overwrite=True)
    return measures


def _make_by_windows(
    job: _Job, records: Mapping[str, Record]
) -> Generator[Progress, None, Measures]:
    """Write the results of a picture that stays in its file, window by window."""
    picture, results = job.picture, job.item.results
    numbers = _like_map(picture, job.arguments["channel_axis"])
    with ExitStack() as stack:
        targets = {
            what: stack.enter_context(
                open_streaming(path, picture if what == "sharp" else numbers, overwrite=True)
            )
            for what, path in results.items()
        }
        folder = stack.enter_context(scratch_folder(next(iter(results.values())).parent))
        radius, confidence = (
            targets[what].array
            if what in targets
            else new_array(folder / what, numbers.data.shape, np.float32)
            for what in ("radius", "confidence")
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
        _check_still_right(job)
        measures = _measured(radius)
        for what, path in results.items():
            _announce(path, records[what], measures)
    return measures


def _like_map(picture: Picture, channel_axis: int | None) -> Picture:
    """A picture of the shape and metadata that radii have, without its pixels."""
    import dask.array

    shape = picture.data.shape
    if channel_axis is not None:
        shape = tuple(np.delete(shape, channel_axis))
    return as_picture(dask.array.empty(shape, dtype=np.float32), picture, channel_axis)


def _check_still_right(job: _Job) -> None:
    """Refuse to write what is made of something else by now, or over what is not ours."""
    if file_hash(job.item.source) != job.source:
        raise FileError(f"{job.item.source} changed while it was worked on; run again")
    _refuse(_strangers(job.item), job.settings)


def _strangers(item: Item) -> list[Path]:
    return [path for path in item.results.values() if is_stranger(path)]


def _refuse(strangers: list[Path], settings: Settings) -> None:
    if strangers and settings.existing != "replace":
        raise FileError(
            f"{strangers[0]} appeared while the batch ran, and no run has made it; "
            "move it away and run again"
        )


def _announce(path: Path, record: Record, measures: Measures) -> None:
    """Let a run that is killed before a result has its record know that for its own."""
    if not is_recorded(path):
        write_sidecar(path, record("", measures), overwrite=True)


def _deblurring(settings: Settings) -> dict[str, Any]:
    return {
        "strength": settings.strength,
        "protect": settings.protect,
        "detail": settings.detail,
        "model": settings.model,
    }


def _record(what: str, job: _Job) -> dict[str, Any]:
    settings, picture = job.settings, job.picture
    cards = settings.cards(settings.how.imaging(picture), job.views.task)
    told = {
        **job.arguments,
        "dual_pixel": settings.dual_pixel,
        "views": job.views.count,
        "path": job.item.source.name,
    }
    if what == "sharp":
        return provenance("deblur", picture.data, {**_deblurring(settings), **told}, cards)
    told["model"] = settings.map_model
    estimators = [card for card in cards if card.task != "deblur"]
    return provenance("estimate_defocus", picture.data, told, estimators)


def _measured(radius: Any) -> Measures:
    """Measure radii; of more than 64 million, of as many pixels, evenly spread."""
    step = int(np.ceil((np.prod(radius.shape, dtype=float) / _SAMPLE) ** 0.5))
    sizes = np.abs(np.asarray(radius[..., ::step, ::step]))
    return Measures(float(np.median(sizes)), float(np.mean(sizes < _IN_FOCUS)))
