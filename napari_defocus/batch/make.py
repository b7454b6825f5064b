"""Results of one file of a batch: opened, computed, written to a scratch folder."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..defocus_map import DefocusMap
from ..evidence.check_result import Check
from ..image.layout import is_dask
from ..inference.engine import Progress
from ..io import Picture, check_fits, map_template, open_picture, resolve_options, write_picture
from ..io.streaming import open_streaming
from ..io.zarr_arrays import as_dask, new_array
from ..jobs import DeblurJob, EstimateJob, Job
from ..map_statistics import map_statistics
from ..physical_size import PixelSize, pixel_size, scale_windows, unit_factor
from ..provenance_record import provenance
from ..stacks.stack_axis import find_stack_axis
from ..views import picture_views
from .focus import StackFocus
from .item import Item
from .records import Measures
from .settings import Settings
from .stores import StoreRanges, with_store_range


@dataclass(frozen=True)
class OpenFile:
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
class Made:
    """What was made of a file: its measures, and the check of its sharper picture, if any."""

    measures: Measures
    check: Check | None = None


def open_item(item: Item, settings: Settings, ranges: StoreRanges, scratch: Path) -> OpenFile:
    """Open a file whose results are made in a scratch folder; `ranges` are those of its store."""
    picture = open_picture(item.source)
    if settings.options.channel_axis == "none":
        picture = picture.as_planes()
    if "sharp" in item.results:
        check_fits(item.results["sharp"], picture)
    assumptions: list[str] = []
    options = with_store_range(picture, settings.options, ranges)
    options = resolve_options(picture, options, assumptions.append)
    views = picture_views(item.source, picture, dual_pixel=settings.dual_pixel)
    estimate = EstimateJob(views, settings.deblurring.map_model, options)
    defocus = None if views.right is None else estimate
    deblur = DeblurJob(picture.data, defocus, settings.deblurring, options)
    if settings.stack_axis is not None:
        deblur = _with_neighbors(deblur, item.source, picture, settings.stack_axis)
    factor = 1.0
    if "radius" in item.results:
        factor = unit_factor(settings.unit, pixel_size(picture.metadata), str(item.source))
    focus = None
    if "focus" in item.results:
        model = settings.deblurring.map_model
        focus = StackFocus.of(item.source, picture, model, options)
    notes = tuple(assumptions)
    check = settings.check
    return OpenFile(item, picture, estimate, deblur, scratch, factor, notes, focus, check)


def _with_neighbors(job: DeblurJob, path: Path, picture: Picture, axis: str) -> DeblurJob:
    """Return the job that lets neighboring planes help; an error if the picture has none."""
    number = find_stack_axis(path, picture, axis, job.options, "stack_axis", "leave out stack_axis")
    job = replace(job, stack_axis=number)
    job.find_neighbors()  # refuses what they cannot help before its map is estimated
    return job


def make_results(file: OpenFile) -> Generator[Progress, None, Made]:
    """Write the results of a file, and return its measures."""
    if file.focus is not None:
        side = None if file.size is None else file.size.side
        return Made((yield from file.focus.write(file.results["focus"], side)))
    if is_dask(file.picture.data):
        return Made((yield from _make_by_windows(file)))
    return (yield from _make_in_memory(file))


def _make_in_memory(file: OpenFile) -> Generator[Progress, None, Made]:
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
    return Made(measures, check)


def _make_by_windows(file: OpenFile) -> Generator[Progress, None, Measures]:
    """Write the results of a picture that stays in its file, window by window."""
    picture = file.picture
    map_picture = map_template(picture, file.estimate.layout.channel_axis)
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


def result_provenance(kind: str, file: OpenFile) -> dict[str, Any]:
    """Return the record of how a kind of result was made."""
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
