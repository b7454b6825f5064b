"""The command focus: a statement on the sharpest plane, figures as CSV, and that plane."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer

from ..array_types import Array
from ..errors import FileError, ImageError, OptionError, printable
from ..image.layout import read_window, write_window
from ..io import Picture, check_fits, check_target, open_picture
from ..io.atomic import atomic_file
from ..options import Options
from ..provenance_record import sidecar_path, write_sidecar
from ..stacks.job import FocusJob
from ..stacks.profile import FocusProfile
from ..stacks.profile_table import profile_table
from .console import print_path, progress_bar
from .focus_plot import draw_profile
from .outputs import Outputs
from .stack_input import read_stack, stack_paths


@dataclass(frozen=True)
class FocusOutputs:
    """Files that a profile is written to, if any."""

    csv: Path | None
    best: Path | None
    plot: Path | None
    overwrite: bool

    def check(self, inputs: Sequence[Path]) -> Outputs:
        """Return the output of the best plane; a FileError if a file cannot be written."""
        for file, suffix, what in ((self.csv, ".csv", "table"), (self.plot, ".svg", "plot")):
            if file is None:
                continue
            if file.suffix.lower() != suffix:
                raise FileError(f"{file} is for a {what}; give a name that ends in {suffix}")
            for path in (file, sidecar_path(file)):
                check_target(path, overwrite=self.overwrite)
        return Outputs(inputs, [] if self.best is None else [self.best], self.overwrite)

    def check_stacks(self, count: int, best: Picture) -> None:
        """Raise an error if a file cannot hold the best planes, or the profiles of `count` stacks.

        Raises
        ------
        FileError, OptionError
        """
        if self.best is not None:
            check_fits(self.best, best)
        if self.plot is not None and count > 1:
            raise OptionError(
                f"{self.plot} can show one stack, and there are {count}; write --csv, or give a "
                "file of one stack"
            )


def profile_stack(
    inputs: Sequence[Path], axis: str, goals: FocusOutputs, model: str, options: Options
) -> None:
    """Profile the focus of a stack, print what was found, and write what is asked for."""
    paths = stack_paths(inputs)
    outputs, first = goals.check(paths), paths[0]
    stack = read_stack(paths, axis, options)
    picture, number = stack.picture, stack.axis
    job = FocusJob(picture.data, number, model, stack.options)
    goals.check_stacks(len(list(job.stack_indices)), stack.merged())
    with progress_bar(f"focus {first.name}") as progress:
        profile = job.run(progress)
    for line in _describe(job, picture, profile, paths):
        typer.echo(line)
    if goals.csv is None and goals.best is None and goals.plot is None:
        return
    record = stack.provenance(job) | {"statement": profile.statement}
    if goals.csv is not None:
        _write_csv(goals.csv, job, profile, overwrite=goals.overwrite)
        write_sidecar(goals.csv, record, overwrite=goals.overwrite)
    if goals.plot is not None:
        _write_plot(goals.plot, profile, first.name, overwrite=goals.overwrite)
        write_sidecar(goals.plot, record, overwrite=goals.overwrite)
    if goals.best is not None:
        if np.isnan(profile.best).any():
            raise ImageError(f"{first}: {profile.statement}, so {goals.best} is not written")
        if len(paths) > 1:
            best = open_picture(paths[round(float(profile.best))])
            outputs.write(goals.best, best.data, record, best)
        else:
            plane = _best_planes(job, profile)
            outputs.write(goals.best, plane, record, picture, channel_axis=number)


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
    layout, planes = job.layout, job.merged_layout
    result = np.empty(planes.shape, layout.dtype)
    whole = slice(None), slice(None)
    for index in np.ndindex(*planes.leading):
        number = round(float(profile.best[index]))
        place = job.plane_index(index, number)
        write_window(result, planes, index, whole, read_window(job.stack, layout, place, whole))
    return result


def _write_plot(path: Path, profile: FocusProfile, name: str, *, overwrite: bool) -> None:
    index = (0,) * (profile.radius.ndim - 1)
    text = draw_profile(profile, index, f"{printable(name)}: {profile.statements[index]}")
    with atomic_file(path, overwrite=overwrite, follow_links=False) as file:
        file.write(text.encode(errors="backslashreplace"))
    print_path(path)


def _write_csv(path: Path, job: FocusJob, profile: FocusProfile, *, overwrite: bool) -> None:
    text = profile_table(profile, _other_axes(job), delimiter=",")
    with atomic_file(path, overwrite=overwrite, follow_links=False) as file:
        file.write(text.encode())
    print_path(path)
