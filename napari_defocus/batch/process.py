"""Processing of one file of a batch, from reading it to recording its results."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..defocus_map import DefocusMap
from ..errors import DefocusError, FileError, reason
from ..evidence.check_result import Check
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
from ..jobs import DeblurJob, EstimateJob, Job
from ..map_statistics import map_statistics
from ..physical_size import (
    PixelSize,
    pixel_size,
    radii_record,
    scale_windows,
    unit_factor,
)
from ..provenance_record import provenance, sidecar_path
from ..views import picture_views
from .existing import check_inside, find_obstacle, late_refusal, put_result
from .focus import StackFocus
from .plan import Item
from .records import Input, Measures, Record, file_hash, forget_former, verify_results
from .settings import Settings
from .stores import StoreRanges, store_obstacle, with_store_range

State = Literal["done", "verified", "kept", "failed"]
#: Further files of an image that a message names.
_MOST_NAMED = 3


@dataclass(frozen=True)
class Session:
    """What is the same for all files of a run.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the results.
    settings : Settings
        What is done to every file.
    fingerprint : str
        `Settings.fingerprint`.
    ranges : mapping
        Value ranges of plates and series, by the path of the store, links resolved.
    """

    folder: Path
    settings: Settings
    fingerprint: str
    ranges: Mapping[str, StoreRanges] = field(default_factory=dict)

    def input_of(self, item: Item) -> Input:
        """Return the identity of a file, which its results are recognized by.

        Other files of its image, and the value range of its plate or series, are part of it:
        results change with them.
        """
        content = file_hash(item.source)
        more: list[Any] = [file_hash(path) for path in item.others]
        if item.store is not None and (ranges := self.ranges.get(item.whole.identity)):
            more.append(ranges)
        if more:
            text = json.dumps([content, *more], sort_keys=True)
            content = hashlib.sha256(text.encode()).hexdigest()
        return Input(item.identity, content)


@dataclass(frozen=True)
class Outcome:
    """End of the work on one file.

    Parameters
    ----------
    state : {"done", "verified", "kept", "failed"}
        Done now; verified to be done by an earlier run; skipped, to keep files as they are; or
        failed.
    seconds : float
        Time it took.
    measures : Measures, optional
        Measures of its radii.
    message : str
        Reason why it failed or was kept; what is left out of it where it was done.
    """

    state: State
    seconds: float
    measures: Measures | None = None
    message: str = ""


@dataclass(frozen=True)
class _OpenFile:
    """A file that has been opened, the jobs for it, and where and in which unit results are made.

    Radii in pixels, times `factor`, are those of the map; `assumptions` say how values were taken.
    """

    item: Item
    picture: Picture
    estimate: EstimateJob
    deblur: DeblurJob
    scratch: Path
    factor: float
    assumptions: tuple[str, ...]
    focus: StackFocus | None = None
    is_checked: bool = False

    @property
    def size(self) -> PixelSize | None:
        """Size of its pixels."""
        return pixel_size(self.picture.metadata)

    @property
    def results(self) -> dict[str, Path]:
        """Paths of its results, by their kind, until they are complete."""
        folder = self.item.folder
        return {
            kind: self.scratch / path.relative_to(folder)
            for kind, path in self.item.results.items()
        }


@dataclass(frozen=True)
class _Made:
    """What was made of a file: its measures, and the check of its sharper picture, if any."""

    measures: Measures
    check: Check | None = None


def process_file(item: Item, session: Session) -> Generator[Progress, None, Outcome]:
    """Make the results of a file, unless an earlier run has made them.

    All errors end in an outcome that says what went wrong.

    Parameters
    ----------
    item : Item
        The file and its results.
    session : Session
        Folder and settings.

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
        outcome = yield from _process(item, session)
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


def _process(item: Item, session: Session) -> Generator[Progress, None, Outcome]:
    source = session.input_of(item)
    measures = verify_results(item.results.values(), source, session.fingerprint)
    if measures is not None:
        for path in item.results.values():
            forget_former(path)
        return Outcome("verified", 0, measures)
    for path, whole in zip(item.results.values(), item.whole.results.values(), strict=True):
        check_inside(path, session.folder)
        obstacle = find_obstacle(path, source, session.fingerprint)
        if obstacle is None and item.store is not None:
            obstacle = store_obstacle(whole, item.whole, session.fingerprint)
        if obstacle is not None and session.settings.existing == "keep":
            return Outcome("kept", 0, message=obstacle.sentence)
        if obstacle is not None and not obstacle.yields_to(session.settings.existing):
            raise late_refusal(obstacle)
        check_target(path, overwrite=True)  # before hours of work are lost, as a name is too long
        check_target(sidecar_path(path), overwrite=True)
    measures, notes = yield from _make(item, session, source)
    return Outcome("done", 0, measures, "; ".join(notes))


def _notes(item: Item, file: _OpenFile) -> list[str]:
    """Return what a user should know of a file that is done.

    That is in which other files its image lies, whose code read it, what was assumed of its values,
    what is left out.
    """
    names = [path.name for path in item.others]
    shown = ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
    notes = [f"its image lies in {len(names) + 1} files, also in {shown}"] if names else []
    if file.picture.read_by:
        notes.append(f"it was read by {file.picture.read_by}")
    left_out = file.picture.left_out(item.results.get("sharp"))
    ignored = [f"it also holds {left_out}, left out here"] if left_out else []
    if file.is_checked and is_dask(file.picture.data):
        ignored.append("it is too large to be checked")
    return [*notes, *file.assumptions, *ignored]


def _make(
    item: Item, session: Session, source: Input
) -> Generator[Progress, None, tuple[Measures, list[str]]]:
    """Make the results of a file in a scratch folder beside them, then give them their names."""
    folder = item.folder
    with scratch_folder(folder) as scratch:
        try:
            file = _open(item, session, scratch)
            for path in file.results.values():
                path.parent.mkdir(parents=True, exist_ok=True)
            made = yield from _make_results(file)
        except FileError as error:  # which may name a file that is not there any more
            raise FileError(str(error).replace(str(scratch), str(folder))) from error
        if session.input_of(item) != source:
            raise FileError(f"{item.source} changed while it was worked on; run again")
        for kind, path in item.results.items():
            new = file.results[kind]
            check_inside(path, session.folder)
            made_from = (source.path, source.hash, session.fingerprint)
            record = Record(*made_from, file_hash(new), made.measures)
            fields = _provenance(kind, file)
            if kind == "sharp" and made.check is not None:
                fields |= {"check": made.check.summary()}
            if kind == "radius":
                median = made.measures.median_radius
                fields |= radii_record(session.settings.unit, file.size, median)
            put_result(new, path, fields, record, session.settings.existing)
    return made.measures, _notes(item, file)


def _open(item: Item, session: Session, scratch: Path) -> _OpenFile:
    settings, picture = session.settings, open_picture(item.source)
    if settings.options.channel_axis == "none":
        picture = picture.as_planes()
    if "sharp" in item.results:
        check_fits(item.results["sharp"], picture)
    ranges = session.ranges.get(item.whole.identity, {}) if item.store is not None else {}
    assumptions: list[str] = []
    options = with_store_range(picture, settings.options, ranges)
    options = resolve_options(picture, options, assumptions.append)
    views = picture_views(item.source, picture, dual_pixel=settings.dual_pixel)
    estimate = EstimateJob(views, settings.deblurring.map_model, options)
    defocus = None if views.right is None else estimate
    deblur = DeblurJob(picture.data, defocus, settings.deblurring, options)
    factor = 1.0
    if "radius" in item.results:
        factor = unit_factor(settings.unit, pixel_size(picture.metadata), str(item.source))
    focus = None
    if "focus" in item.results:
        model = settings.deblurring.map_model
        focus = StackFocus.of(item.source, picture, model, options)
    notes = tuple(assumptions)
    check = settings.check
    return _OpenFile(item, picture, estimate, deblur, scratch, factor, notes, focus, check)


def _make_results(file: _OpenFile) -> Generator[Progress, None, _Made]:
    """Write the results of a file, and return its measures."""
    if file.focus is not None:
        side = None if file.size is None else file.size.side
        return _Made((yield from file.focus.write(file.results["focus"], side)))
    if is_dask(file.picture.data):
        return _Made((yield from _make_by_windows(file)))
    return (yield from _make_in_memory(file))


def _make_in_memory(file: _OpenFile) -> Generator[Progress, None, _Made]:
    """Write the results of a picture that is in memory, and measure its radii."""
    defocus = yield from file.estimate.steps()
    measures = _measure(defocus.radius, defocus.confidence, file.size)
    radius = defocus.radius
    if file.factor != 1:
        radius = (radius * file.factor).astype(np.float32)
    arrays: dict[str, Any] = {"radius": radius, "confidence": defocus.confidence}
    check = None
    if "sharp" in file.results:
        job = file.deblur.with_map(defocus)
        arrays["sharp"] = yield from job.steps()
        if file.is_checked:
            check = yield from job.check(arrays["sharp"]).steps()
            score = asdict(check.score)
            measures = replace(measures, verdict=check.verdict, **score)
    for kind, path in file.results.items():
        axis = file.estimate.layout.channel_axis if kind != "sharp" else None
        write_picture(path, arrays[kind], file.picture, channel_axis=axis)
    return _Made(measures, check)


def _make_by_windows(file: _OpenFile) -> Generator[Progress, None, Measures]:
    """Write the results of a picture that stays in its file, window by window."""
    picture = file.picture
    map_picture = _map_template(picture, file.estimate.layout.channel_axis)
    with ExitStack() as stack:
        targets = {
            kind: stack.enter_context(
                open_streaming(path, picture if kind == "sharp" else map_picture)
            )
            for kind, path in file.results.items()
        }
        radius, confidence = (
            targets[kind].array
            if kind in targets
            else new_array(file.scratch / kind, map_picture.data.shape, np.float32)
            for kind in ("radius", "confidence")
        )
        yield from replace(file.estimate, out=(radius, confidence)).steps()
        if "sharp" in targets:
            defocus = DefocusMap(as_dask(radius), as_dask(confidence))
            job = replace(file.deblur.with_map(defocus), out=targets["sharp"].array)
            yield from job.steps()
        measures = _measure(radius, confidence, file.size)
        if "radius" in targets:
            for _ in scale_windows(radius, file.factor):
                yield Progress(1, 1)
        for target in targets.values():
            for _ in target.complete():
                yield Progress(1, 1)
    return measures


def _map_template(picture: Picture, channel_axis: int | None) -> Picture:
    """Return a picture of the shape and metadata of the map, without pixels."""
    import dask.array

    shape = picture.data.shape
    if channel_axis is not None:
        shape = tuple(np.delete(shape, channel_axis))
    return as_picture(dask.array.empty(shape, dtype=np.float32), picture, channel_axis)


def _provenance(kind: str, file: _OpenFile) -> dict[str, Any]:
    job: Job[Any] = file.deblur if kind == "sharp" else file.estimate
    if file.focus is not None:
        job = file.focus.job
    return provenance(job, path=file.item.name)


def _measure(radius: Any, confidence: Any, size: PixelSize | None) -> Measures:
    """Measure the radii that are sure."""
    statistics = map_statistics(radius, confidence)
    side = None if size is None else size.side
    if statistics.sure == 0:
        return Measures(0.0, 0.0, side, 0.0)
    return Measures(statistics.median_radius, statistics.in_focus, side, statistics.sure)
