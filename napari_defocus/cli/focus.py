"""The command focus: a statement on the sharpest plane, figures as CSV, and that plane."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import typer

from ..array_types import Array
from ..errors import FileError, ImageError, OptionError, printable, quote
from ..image.layout import read_window, write_window
from ..io import Picture, check_target, open_picture
from ..io.atomic import atomic_file
from ..io.plane_files import natural_order, open_planes
from ..options import Options
from ..provenance_record import provenance, sidecar_path, write_sidecar
from ..stacks.job import FocusJob
from ..stacks.profile import FocusProfile
from .console import print_path, progress_bar
from .outputs import Outputs
from .runs import read_input, resolve_input

_FIGURES = ("radius", "share_in_focus", "sharpest", "confidence", "variance")


@dataclass(frozen=True)
class FocusOutputs:
    """Files that a profile is written to, if any."""

    csv: Path | None
    best: Path | None
    overwrite: bool

    def check(self, inputs: Sequence[Path]) -> Outputs:
        """Return the output of the best plane; a FileError if a file cannot be written."""
        if self.csv is not None:
            if self.csv.suffix.lower() != ".csv":
                raise FileError(f"{self.csv} is for a table; give a name that ends in .csv")
            for path in (self.csv, sidecar_path(self.csv)):
                check_target(path, overwrite=self.overwrite)
        return Outputs(inputs, [] if self.best is None else [self.best], self.overwrite)


def profile_stack(
    inputs: Sequence[Path], axis: str, goals: FocusOutputs, model: str, options: Options
) -> None:
    """Profile the focus of a stack, print what was found, and write what is asked for."""
    paths = natural_order(inputs)
    outputs, first = goals.check(paths), paths[0]
    picture = read_input(first, options) if len(paths) == 1 else _open_planes(paths, options)
    number = _axis_number(first, picture, axis, options)
    job = FocusJob(picture.data, number, model, resolve_input(first, picture, options))
    with progress_bar(f"focus {first.name}") as progress:
        profile = job.run(progress)
    for line in _describe(job, picture, profile, paths):
        typer.echo(line)
    if goals.csv is None and goals.best is None:
        return
    record = provenance(job, path=first.name) | {"statement": profile.statement}
    if len(paths) > 1:
        record["planes"] = [path.name for path in paths]
    if goals.csv is not None:
        _write_csv(goals.csv, job, profile, overwrite=goals.overwrite)
        write_sidecar(goals.csv, record, overwrite=goals.overwrite)
    if goals.best is not None:
        if np.isnan(profile.best).any():
            raise ImageError(f"{first}: {profile.statement}, so {goals.best} is not written")
        if len(paths) > 1:
            best = open_picture(paths[round(float(profile.best))])
            outputs.write(goals.best, best.data, record, best)
        else:
            plane = _best_planes(job, profile)
            outputs.write(goals.best, plane, record, picture, channel_axis=number)


def _open_planes(paths: Sequence[Path], options: Options) -> Picture:
    picture = open_planes(paths)
    return picture.as_planes() if options.channel_axis == "none" else picture


def _axis_number(path: Path, picture: Picture, axis: str, options: Options) -> int:
    """Return the number of an axis that is named by its letter, its number or "auto"."""
    colors = picture.channel_axis if options.channel_axis is None else options.channel_axis
    without = None if colors in (None, "none") else int(colors) % len(picture.axes)
    letters = [(i, letter) for i, letter in enumerate(picture.axes) if i != without]
    planes = letters[:-2]
    named = {letter: i for i, letter in planes}
    if axis == "auto" and "Z" in named:
        return named["Z"]
    if axis == "auto" and len(planes) == 1:
        return planes[0][0]
    if axis.upper() in named:
        return named[axis.upper()]
    try:
        return int(axis)
    except ValueError:
        accepted = ", ".join(named)
        if not accepted:
            raise FileError(
                f"{path} holds one plane; give a file with a stack, or several files"
            ) from None
        raise OptionError(
            f"--axis is {quote(axis)}, and {path} has planes along the axes {accepted}; give one "
            "of them, or its number"
        ) from None


def _describe(
    job: FocusJob, picture: Picture, profile: FocusProfile, paths: Sequence[Path]
) -> Iterator[str]:
    """Yield a line for each stack; for planes in files, the name of the nearest one."""
    if len(paths) > 1 and not np.isnan(profile.best).any():
        name = printable(paths[round(float(profile.best))].name)
        yield f"{name}: {profile.statement}"
        return
    letters = [letter for i, letter in enumerate(picture.axes) if i in _other_axes(job)]
    for index in np.ndindex(*profile.radius.shape[:-1]):
        place = " ".join(f"{letter}={i}" for letter, i in zip(letters, index, strict=True))
        yield f"{place}: {profile.statements[index]}" if place else str(profile.statements[index])


def _other_axes(job: FocusJob) -> list[int]:
    """Return the axes of planes along which stacks are profiled one by one."""
    layout = job.layout
    axes = [axis for axis in range(len(layout.shape)) if axis != layout.channel_axis][:-2]
    return [axis for place, axis in enumerate(axes) if place != job.place]


def _best_planes(job: FocusJob, profile: FocusProfile) -> Array:
    """Return the plane nearest to the best one, of each stack."""
    layout, axis = job.layout, job.axis % len(job.layout.shape)
    channel = layout.channel_axis
    shape = tuple(np.delete(layout.shape, axis))
    channel = None if channel is None else channel - (channel > axis)
    planes = replace(layout, shape=shape, channel_axis=channel, range_axis=None)
    result = np.empty(shape, layout.dtype)
    whole = slice(None), slice(None)
    for index in np.ndindex(*planes.leading):
        number = round(float(profile.best[index]))
        place = (*index[: job.place], number, *index[job.place :])
        write_window(result, planes, index, whole, read_window(job.stack, layout, place, whole))
    return result


def _write_csv(path: Path, job: FocusJob, profile: FocusProfile, *, overwrite: bool) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(f"axis {axis}" for axis in _other_axes(job)), "plane", *_FIGURES])
    for index in np.ndindex(*profile.radius.shape):
        figures: list[Any] = [getattr(profile, name)[index] for name in _FIGURES]
        writer.writerow([*index, *(f"{figure:.6g}" for figure in figures)])
    with atomic_file(path, overwrite=overwrite, follow_links=False) as file:
        file.write(text.getvalue().encode())
    print_path(path)
