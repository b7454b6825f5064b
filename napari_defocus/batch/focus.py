"""Focus of the stacks in a file of a batch, as a table of a row a stack."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..io import Picture
from ..io.atomic import atomic_file
from ..options import Options
from ..pipeline.plane import Steps
from ..stacks.job import FocusJob
from ..stacks.profile import FocusProfile
from ..stacks.stack_axis import find_stack_axis
from .records import Measures

#: Columns of the table after those that tell the stack.
FIGURES = (
    "best plane",
    "uncertainty (planes)",
    "radius (px)",
    "share in focus",
    "tilt over height (planes)",
    "tilt over width (planes)",
    "statement",
)


@dataclass(frozen=True)
class StackFocus:
    """Profile of the stacks of a file.

    Parameters
    ----------
    job : FocusJob
        The job that profiles them.
    axes : tuple of str
        Letters of the axes along which stacks lie, such as those of times and channels.
    """

    job: FocusJob
    axes: tuple[str, ...]

    @classmethod
    def of(cls, path: Path, picture: Picture, model: Any, options: Options) -> StackFocus:
        """Return the profile, to be made, of a picture; a FileError if it is one plane."""
        axis = find_stack_axis(path, picture, "auto", options)
        job = FocusJob(picture.data, axis, model, options)
        channel = job.layout.channel_axis
        letters = [letter for i, letter in enumerate(picture.axes) if i != channel][:-2]
        return cls(job, tuple(np.delete(letters, job.place).tolist()))

    def write(self, path: Path, side: float | None) -> Steps[Measures]:
        """Profile the stacks, write the table, and return measures of the sharpest planes."""
        profile = yield from self.job.steps()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*self.axes, *FIGURES])
        writer.writerows(self._rows(profile))
        with atomic_file(path, overwrite=False) as file:
            file.write(text.getvalue().encode())
        return _measure(profile, side)

    def _rows(self, profile: FocusProfile) -> Iterator[list[Any]]:
        for index in np.ndindex(*profile.radius.shape[:-1]):
            best = float(np.asarray(profile.best)[index])
            plane = _sharpest_plane(profile, index)
            figures = [
                best,
                float(np.asarray(profile.best_uncertainty)[index]),
                float(profile.sharpest[index][plane]),
                float(profile.share_in_focus[index][plane]),
                *measure_tilt(profile.best_grid[index]),
            ]
            cells = ["" if np.isnan(figure) else f"{figure:.4g}" for figure in figures]
            yield [*index, *cells, profile.statements[index]]


def measure_tilt(grid: Any) -> tuple[float, float]:
    """Return the slope of the best plane over the height and the width of an image, in planes.

    Parameters
    ----------
    grid : (rows, columns) array
        Best plane of each tile; NaN where there is none.

    Examples
    --------
    >>> grid = np.add.outer(np.arange(4.0), np.zeros(5))
    >>> [round(tilt, 6) for tilt in measure_tilt(grid)]
    [4.0, 0.0]
    """
    rows, columns = np.nonzero(np.isfinite(grid))
    if len(np.unique(rows)) < 2 or len(np.unique(columns)) < 2:
        return np.nan, np.nan
    basis = np.column_stack([rows, columns, np.ones(len(rows))])
    slope, *_ = np.linalg.lstsq(basis, np.asarray(grid)[rows, columns], rcond=None)
    return float(slope[0] * grid.shape[0]), float(slope[1] * grid.shape[1])


def _sharpest_plane(profile: FocusProfile, index: tuple[int, ...]) -> int:
    """Return the plane nearest to the best one, or the least blurred one where there is none."""
    best = float(np.asarray(profile.best)[index])
    if np.isfinite(best):
        return round(best)
    return int(np.nan_to_num(profile.radius[index], nan=np.inf).argmin())


def _measure(profile: FocusProfile, side: float | None) -> Measures:
    indices = list(np.ndindex(*profile.radius.shape[:-1]))
    places = [(*index, _sharpest_plane(profile, index)) for index in indices]
    radii = [float(np.nan_to_num(profile.radius[place])) for place in places]
    shares = [float(np.nan_to_num(profile.share_in_focus[place])) for place in places]
    return Measures(float(np.median(radii)), float(np.median(shares)), side)
