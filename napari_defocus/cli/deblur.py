"""Command that deblurs: read, run the API, check, write with provenance."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..array_types import Array
from ..deblur_settings import DeblurSettings
from ..errors import OptionError
from ..image.layout import is_dask
from ..io import Picture, check_fits
from ..jobs import DeblurJob, EstimateJob
from ..options import Options
from ..provenance_record import provenance
from ..spread import check_runs, measure_spread
from ..stacks.stack_axis import find_stack_axis
from ..views import refuse_named_model
from .console import note, progress_bar
from .inputs import MapInput, read_input, read_views, resolve_input
from .outputs import Outputs
from .windows import run_to, windowed_files, write_records


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
    stack_axis: str | None = None,
) -> None:
    """Deblur, write the picture with the metadata of its image, and check it if asked to.

    `stack_axis` is the axis of a stack whose neighboring planes take part, as `find_stack_axis`
    takes it.
    """
    spread_out = doubt.path(out)
    outputs = Outputs([image, *defocus.paths], list(filter(None, [out, spread_out])), overwrite)
    picture = read_input(image, options, out)
    check_fits(out, picture)
    job = deblur_job(image, picture, defocus, settings, resolve_input(image, picture, options))
    if stack_axis is not None:
        number = find_stack_axis(
            image, picture, stack_axis, options, "--stack-axis", "leave out --stack-axis"
        )
        job = replace(job, stack_axis=number)
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


def deblur_with_map(image: Path, job: DeblurJob) -> tuple[Array, Any]:
    """Return a picture deblurred, and its map, estimated unless it was read."""
    defocus = job.defocus
    if job.estimate is not None:
        with progress_bar(f"map {image.name}") as progress:
            defocus = job.estimate.run(progress)
        job = job.with_map(defocus)
    with progress_bar(f"deblur {image.name}") as progress:
        sharp: Array = job.run(progress)
    return sharp, defocus


def deblur_job(
    image: Path, picture: Picture, source: MapInput, settings: DeblurSettings, options: Options
) -> DeblurJob:
    """Return the job for a picture and its map, which is read or to be estimated."""
    defocus: Any = source.read()
    if source.dual_pixel:
        refuse_named_model("map_model", settings.map_model, switch="--dual-pixel")
    if defocus is None:
        views = read_views(image, picture, dual_pixel=source.dual_pixel)
        if views.right is not None:
            defocus = EstimateJob(views, settings.map_model, options)
    return DeblurJob(picture.data, defocus, settings, options)
