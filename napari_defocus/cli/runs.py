"""Commands that make a map or a picture: read, run the API, write with provenance."""

import math
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..array_types import Array
from ..deblur_settings import DeblurSettings
from ..defocus_map import DefocusMap
from ..errors import FileError, MapError, OptionError
from ..image.layout import is_dask, read_layout
from ..image.value_range import range_needs_no_values
from ..io import Picture, check_fits, open_picture, resolve_options
from ..io.pupil_file import find_pupil
from ..io.read import LARGE
from ..io.zarr_layout import enclosing_store, read_collection
from ..jobs import DeblurJob, EstimateJob, RefocusJob
from ..map_colors import paint_map
from ..map_statistics import map_statistics
from ..map_units import recorded_factor
from ..objective import Objective
from ..options import Options
from ..physical_size import (
    PixelSize,
    Unit,
    describe_radius,
    pixel_size,
    radii_record,
    scale_windows,
    unit_factor,
)
from ..provenance_record import provenance
from ..spread import check_runs, measure_spread
from ..views import Views, picture_views, refuse_named_model
from .console import note, progress_bar
from .focal_stack import stack_template
from .outputs import (
    Outputs,
    check_holds_floats,
    check_is_plane,
)
from .windows import (
    deblur_with_map_to,
    estimate_to,
    map_template,
    paint_to,
    preview_template,
    run_to,
    windowed_files,
    write_records,
)


@dataclass(frozen=True)
class ViewsInput:
    """Files that a map is estimated from: an image, two views, or a raw file that may hold two."""

    image: Path
    right: Path | None
    dual_pixel: bool

    @property
    def paths(self) -> list[Path]:
        """The files."""
        return [path for path in (self.image, self.right) if path]

    def check(self, model: str) -> None:
        """Raise an OptionError where options contradict each other."""
        if self.dual_pixel and self.right:
            raise OptionError(
                f"{self.right} is given for the right view, which --dual-pixel looks for in "
                f"{self.image}; give one of them"
            )
        if self.dual_pixel:
            refuse_named_model("model", model, switch="--dual-pixel")

    def views(self, picture: Picture, options: Options) -> Views:
        """Return the views; the picture is that of the image."""
        if self.right:
            return Views(picture.data, read_input(self.right, options).data)
        return _views(self.image, picture, dual_pixel=self.dual_pixel)


@dataclass(frozen=True)
class MapOutputs:
    """Files that a defocus map is written to, and the unit of its radii."""

    radius: Path
    confidence: Path | None
    preview: Path | None
    unit: Unit = "px"

    @property
    def paths(self) -> list[Path]:
        """All of them."""
        return [path for path in (self.radius, self.confidence, self.preview) if path]

    def check(self) -> None:
        """Raise a FileError if a file cannot hold its part of the map."""
        advice = ", and add --preview-out for a picture in colors"
        check_holds_floats(self.radius, "radii", advice)
        if self.confidence:
            check_holds_floats(self.confidence, "confidence")


@dataclass(frozen=True)
class MapInput:
    """A map from files; both None if it is to be estimated, of both halves of a raw file or not."""

    radius: Path | None
    confidence: Path | None
    dual_pixel: bool = False

    @property
    def paths(self) -> list[Path]:
        """The files."""
        return [path for path in (self.radius, self.confidence) if path]

    def read(self) -> DefocusMap | Array | None:
        """Return what the API takes."""
        if self.radius and self.dual_pixel:
            raise MapError(
                f"{self.radius} is given for the map, which --dual-pixel asks to estimate; "
                "give one of them"
            )
        if self.radius is None:
            if self.confidence:
                raise MapError("a confidence was given without its map; give --map too")
            return None
        radius = _read_numbers(self.radius, "radii in pixels")
        factor = recorded_factor(self.radius)
        radius = radius if factor == 1 else radius / factor
        if self.confidence is None:
            return radius
        confidence = _read_numbers(self.confidence, "a confidence from 0 to 1")
        return DefocusMap(radius, confidence, signed=bool((radius < 0).any()))


def map_defocus(
    source: ViewsInput, map_outputs: MapOutputs, model: str, options: Options, *, overwrite: bool
) -> None:
    """Estimate how far out of focus every pixel is, and write the map."""
    map_outputs.check()
    source.check(model)
    outputs = Outputs(source.paths, map_outputs.paths, overwrite)
    image, picture = source.image, read_input(source.image, options)
    job = EstimateJob(source.views(picture, options), model, resolve_input(image, picture, options))
    size = pixel_size(picture.metadata)
    factor = unit_factor(map_outputs.unit, size, str(image))
    if map_outputs.preview:
        check_is_plane(map_outputs.preview, picture.axes, job.layout.map_shape)
    if is_dask(job.source):
        _map_by_windows(job, picture, map_outputs, outputs)
        return
    with progress_bar(f"map {image.name}") as progress:
        defocus = job.run(progress)
    record, axis = provenance(job, path=image.name), job.layout.channel_axis
    median = map_statistics(defocus.radius, defocus.confidence).median_radius
    radii = radii_record(map_outputs.unit, size, median)
    scaled = defocus.radius if factor == 1 else (defocus.radius * factor).astype(np.float32)
    outputs.write(map_outputs.radius, scaled, record | radii, picture, axis)
    if map_outputs.confidence:
        outputs.write(map_outputs.confidence, defocus.confidence, record, picture, axis)
    if map_outputs.preview:
        plane = defocus.radius.reshape(defocus.radius.shape[-2:])
        painted = paint_map(plane, signed=defocus.signed)
        outputs.write(map_outputs.preview, painted, record, channel_axis=-1)
    if not defocus.confidence.any():
        note(f"Note: {image} shows nothing to judge by; its radii mean nothing.")
        return
    _note_radius(image, median, size, job.options)


def _note_radius(image: Path, median: float, size: PixelSize | None, options: Options) -> None:
    if math.isnan(median):
        note(f"Note: no radius in {image} is sure.")
        return
    if isinstance(options.optics, Objective):
        depth = options.optics.depth_um(median)
        note(f"Note: the median radius in {image} is that of {depth:.3g} µm out of focus.")
    if size is not None:
        note(f"Note: the median radius in {image} is {describe_radius(median, size)}.")
        if not size.is_square:
            note(f"Note: the pixels of {image} are {size.describe()}.")


def _map_by_windows(
    job: EstimateJob, picture: Picture, map_outputs: MapOutputs, outputs: Outputs
) -> None:
    template = map_template(picture, job.layout.channel_axis)
    if map_outputs.preview:
        preview = preview_template(template)
        check_fits(map_outputs.preview, preview)
    name = outputs.inputs[0].name
    with windowed_files(outputs) as files:
        radius = files.open(map_outputs.radius, template)
        if map_outputs.confidence:
            confidence = files.open(map_outputs.confidence, template)
        else:
            confidence = files.temporary("confidence", template)
        defocus = estimate_to((radius, confidence), job, name)
        if map_outputs.preview:
            paint_to(files.open(map_outputs.preview, preview), defocus)
        median = map_statistics(radius, confidence).median_radius
        record = provenance(job, path=name)
        size = pixel_size(picture.metadata)
        deque(scale_windows(radius, unit_factor(map_outputs.unit, size, name)), maxlen=0)
        radii = radii_record(map_outputs.unit, size, median)
    records = dict.fromkeys(outputs.outputs, record)
    write_records(outputs, records | {map_outputs.radius: record | radii})
    _note_radius(outputs.inputs[0], median, size, job.options)


@dataclass(frozen=True)
class Doubt:
    """What is said of a deblurred picture: a check, and the spread of so many further runs."""

    check: bool
    runs: int

    def path(self, out: Path) -> Path | None:
        """Return the file of the spread, if one is written."""
        runs = check_runs(self.runs, check=self.check)
        return out.with_name(f"{out.stem}-spread.tif") if runs else None


def deblur_image(
    image: Path,
    out: Path,
    defocus: MapInput,
    settings: DeblurSettings,
    options: Options,
    *,
    overwrite: bool,
    doubt: Doubt,
) -> None:
    """Deblur, write the picture with the metadata of its image, and check it if asked to."""
    spread_out = doubt.path(out)
    outputs = Outputs([image, *defocus.paths], list(filter(None, [out, spread_out])), overwrite)
    picture = read_input(image, options, out)
    check_fits(out, picture)
    job = _deblur_job(image, picture, defocus, settings, resolve_input(image, picture, options))
    record = provenance(job, path=image.name)
    if is_dask(job.source):
        if doubt.check:
            raise OptionError(
                f"{image} is too large to be checked while it is deblurred; leave out --check, and "
                f"run napari-defocus check on a part of it"
            )
        with windowed_files(outputs) as files:
            run_to(files.open(out, picture), job, f"deblur {image.name}")
        write_records(outputs, dict.fromkeys(outputs.outputs, record))
        return
    if job.estimate is not None and (doubt.check or job.defocus is not None):
        with progress_bar(f"map {image.name}") as progress:
            job = job.with_map(job.estimate.run(progress))
    with progress_bar(f"deblur {image.name}") as progress:
        sharp = job.run(progress)
    if doubt.check:
        with progress_bar(f"check {image.name}") as progress:
            result = job.check(sharp).run(progress)
        if doubt.runs:
            with progress_bar(f"spread {image.name}") as progress:
                result = replace(result, spread=measure_spread(job, sharp, doubt.runs, progress))
        record = record | {"check": result.summary()}
        note(f"Check: {result.verdict}.")
        if spread_out is not None:
            axis = job.layout.channel_axis
            outputs.write(spread_out, result.spread, record, picture, axis)
    outputs.write(out, sharp, record, picture)


@dataclass(frozen=True)
class RefocusSettings:
    """Focus, aperture and pupil of the new picture; whether the old one is sharp already."""

    focus: float | tuple[float, ...]
    aperture: float
    is_sharp: bool
    pupil: str


def refocus_image(
    image: Path,
    out: Path,
    defocus: MapInput,
    settings: RefocusSettings,
    deblurring: DeblurSettings,
    options: Options,
    *,
    overwrite: bool,
) -> None:
    """Deblur unless the picture is sharp already, focus anew, and write it."""
    outputs = Outputs([image, *defocus.paths], [out], overwrite)
    if settings.is_sharp and defocus.radius is None:
        raise MapError("a sharp picture does not tell its map; give --map with --sharp")
    picture = read_input(image, options, out)
    template = stack_template(picture, settings.focus)
    check_fits(out, template)
    options = resolve_input(image, picture, options)
    pupil = find_pupil(settings.pupil)
    deblur = None
    if not settings.is_sharp:
        deblur = _deblur_job(image, picture, defocus, deblurring, options)
    refocus = partial(
        RefocusJob,
        focus=settings.focus,
        aperture=settings.aperture,
        pupil=pupil,
        options=options,
        deblurring=deblur,
    )
    if is_dask(picture.data):
        with windowed_files(outputs) as files:
            if deblur is None:
                job = refocus(picture.data, defocus.read())
            else:
                job = refocus(*deblur_with_map_to(files, deblur, picture, image.name))
            record = provenance(job, path=image.name)
            run_to(files.open(out, template), job, f"refocus {image.name}")
        write_records(outputs, dict.fromkeys(outputs.outputs, record))
        return
    job = (
        refocus(picture.data, defocus.read())
        if deblur is None
        else refocus(*_deblur_with_map(image, deblur))
    )
    with progress_bar(f"refocus {image.name}") as progress:
        view = job.run(progress)
    outputs.write(out, view, provenance(job, path=image.name), template)


def _deblur_with_map(image: Path, job: DeblurJob) -> tuple[Array, Any]:
    """Return a picture deblurred, and its map, estimated unless it was read."""
    defocus = job.defocus
    if job.estimate is not None:
        with progress_bar(f"map {image.name}") as progress:
            defocus = job.estimate.run(progress)
        job = job.with_map(defocus)
    with progress_bar(f"deblur {image.name}") as progress:
        sharp: Array = job.run(progress)
    return sharp, defocus


def _deblur_job(
    image: Path, picture: Picture, source: MapInput, settings: DeblurSettings, options: Options
) -> DeblurJob:
    """Return the job for a picture and its map, which is read or to be estimated."""
    defocus: Any = source.read()
    if source.dual_pixel:
        refuse_named_model("map_model", settings.map_model, switch="--dual-pixel")
    if defocus is None:
        views = _views(image, picture, dual_pixel=source.dual_pixel)
        if views.right is not None:
            defocus = EstimateJob(views, settings.map_model, options)
    return DeblurJob(picture.data, defocus, settings, options)


def read_input(path: Path, options: Options, out: Path | None = None) -> Picture:
    """Read an image, and name what is left out, also because `out` cannot hold it."""
    picture = open_picture(path)
    if is_dask(picture.data) and picture.data.size < LARGE:
        picture = replace(picture, data=picture.data.compute())
    if picture.read_by:
        note(f"Note: {path} was read by {picture.read_by}.")
    left_out = picture.left_out(out)
    if left_out:
        note(f"Note: {path} also holds {left_out}, left out here.")
    return picture.as_planes() if options.channel_axis == "none" else picture


def resolve_input(path: Path, picture: Picture, options: Options) -> Options:
    """Return options as the API takes them; print what was assumed of the values."""
    resolved = resolve_options(picture, options, lambda text: note(f"Note: {path}: {text}."))
    layout = read_layout(picture.data, **resolved.reading())
    if not range_needs_no_values(layout, options.value_range):
        store = enclosing_store(path)
        if store is not None and read_collection(store) is not None:
            note(
                f"Note: {path} has its own black and white here; a batch of {store} takes the same "
                "for all its images, and --value-range sets them."
            )
    return resolved


def _views(path: Path, picture: Picture, *, dual_pixel: bool) -> Views:
    views = picture_views(path, picture, dual_pixel=dual_pixel)
    if dual_pixel and views.right is None:
        note(f"Note: {path} does not hold two views; its map is estimated from one.")
    return views


def _read_numbers(path: Path, what: str) -> Array:
    picture = open_picture(path)
    if picture.channel_axis is not None:
        raise FileError(f"{path} is a picture in colors; it should hold {what}, as a gray TIFF")
    storage = picture.metadata.storage
    if storage is not None and storage.bits == 1:
        raise FileError(f"{path} holds one bit a pixel, black or white; write {what} as numbers")
    numbers: Array = picture.data
    return numbers
