"""Command that estimates a map: read, run the API, write with provenance."""

import math
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..image.layout import is_dask
from ..io import Picture, check_fits, map_template
from ..jobs import EstimateJob
from ..map_colors import paint_map
from ..map_statistics import map_statistics, sure_radii
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
from .console import note, progress_bar
from .inputs import ViewsInput, read_input, resolve_input
from .outputs import Outputs, check_holds_floats, check_is_plane
from .windows import estimate_to, paint_to, preview_template, windowed_files, write_records


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
        plane = sure_radii(*defocus).reshape(defocus.radius.shape[-2:])
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
