"""The command check: a verdict, regions, an overlay and figures as JSON."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typer
from rich.table import Table

from ..errors import OptionError, quote
from ..evidence.check_result import CLEAR_SCORE, Check
from ..image.encoding import to_display
from ..image.layout import read_window
from ..io import check_target
from ..io.atomic import atomic_file
from ..jobs import CheckJob
from ..map_colors import paint_unsupported
from ..options import Options
from ..provenance_record import provenance
from .console import print_path, print_table, progress_bar
from .inputs import MapInput, read_input, resolve_input
from .outputs import Outputs, check_is_plane

#: Exit status where more is flagged than a limit allows.
UNSUPPORTED = 3
#: Most regions that are printed.
_MOST_REGIONS = 12


@dataclass(frozen=True)
class CheckInput:
    """Files that are compared, and how."""

    image: Path
    sharp: Path
    defocus: MapInput
    model: str
    false_alarms: float
    pupil: str


@dataclass(frozen=True)
class CheckOutputs:
    """Files that a check writes, if any."""

    overlay: Path | None
    json: Path | None
    overwrite: bool


def check_picture(
    source: CheckInput, goals: CheckOutputs, options: Options, limit: float | None
) -> None:
    """Check a sharp picture; end with status 3 if more of it is flagged than the limit allows."""
    if limit is not None and not 0 <= limit <= 1:
        raise OptionError(f"--limit is {quote(limit)}; a share from 0 to 1 is expected")
    overlays = [] if goals.overlay is None else [goals.overlay]
    inputs = [source.image, source.sharp, *source.defocus.paths]
    outputs = Outputs(inputs, overlays, goals.overwrite)
    if goals.json is not None:
        check_target(goals.json, overwrite=goals.overwrite)
    picture, sharp = read_input(source.image, options), read_input(source.sharp, options)
    job = CheckJob(
        picture.data,
        sharp.data,
        source.defocus.read(),
        source.false_alarms,
        source.model,
        resolve_input(source.image, picture, options),
        source.pupil,
    )
    if goals.overlay is not None:
        check_is_plane(goals.overlay, picture.axes, job.layout.map_shape)
    with progress_bar(f"check {source.sharp.name}") as progress:
        result = job.run(progress).computed
    record = provenance(job, path=source.image.name)
    typer.echo(result.verdict)
    if result.regions:
        typer.echo(f"places by score; {CLEAR_SCORE:g} or more is hardly ever chance:")
        print_table(_region_table(result))
    if goals.overlay is not None:
        outputs.write(goals.overlay, _paint(job, result), record, channel_axis=-1)
    if goals.json is not None:
        _write_json(goals.json, {**result.summary(), "provenance": record}, goals.overwrite)
    if limit is not None and result.score.flagged > limit:
        raise typer.Exit(UNSUPPORTED)


def _region_table(result: Check) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    of_planes = result.unexplained.ndim > 2
    columns = ("row", "column", "height", "width", "pixels", "score")
    for column in ("plane", *columns) if of_planes else columns:
        table.add_column(column, justify="right")
    for region in result.regions[:_MOST_REGIONS]:
        box = region.top, region.left, region.bottom - region.top, region.right - region.left
        plane = [" ".join(map(str, region.plane))] if of_planes else []
        table.add_row(*plane, *map(str, (*box, region.area)), f"{region.strength:.1f}")
    return table


def _paint(job: CheckJob, result: Check) -> Any:
    """Return the sharp picture of one plane in gray, what is not supported tinted."""
    layout, index = job.layout, (0,) * len(job.layout.leading)
    plane = read_window(job.sharp, layout, index, (slice(None), slice(None)))
    lows, highs = np.reshape(job.sharp_range or job.value_range, (-1, 2)).T
    limits = float(lows.min()), float(highs.max())
    display = to_display(plane, layout.encoding, limits, layout.nodata)
    if display is None:  # no pixel holds data
        display = np.zeros((1, *plane.shape[1:]), np.float32)
    return paint_unsupported(display, result.invented.reshape(plane.shape[-2:]))


def _write_json(path: Path, content: dict[str, Any], overwrite: bool) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with atomic_file(path, overwrite=overwrite, follow_links=False) as file:
        file.write(text.encode(errors="backslashreplace"))
    print_path(path)
