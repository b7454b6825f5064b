"""Stacks that commands read: a file that holds one, or files that hold a plane each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..batch.inputs import find_inputs
from ..io import Picture
from ..io.plane_files import natural_order, open_planes
from ..io.zarr_layout import is_zarr_folder
from ..options import Options
from ..provenance_record import provenance
from ..stacks.stack_axis import find_stack_axis
from ..stacks.stack_job import StackJob
from .inputs import read_input, resolve_input


@dataclass(frozen=True)
class StackInput:
    """A stack that was opened.

    Parameters
    ----------
    paths : sequence of paths
        Its files, in order.
    picture : Picture
        The stack.
    axis : int
        Number of the axis of the planes.
    options : Options
        How its values are read.
    """

    paths: Sequence[Path]
    picture: Picture
    axis: int
    options: Options

    def merged(self) -> Picture:
        """Return a picture without the axis of the planes, and without pixels.

        That of several files has the metadata of the first one.
        """
        letter = self.picture.axes[self.axis]
        shape = np.delete(self.picture.data.shape, self.axis)
        blank = np.broadcast_to(np.zeros((), self.picture.data.dtype), tuple(shape))
        metadata = self.picture.metadata
        if len(self.paths) == 1:
            metadata = metadata.geometry()
        return Picture(blank, self.picture.axes.replace(letter, ""), metadata)

    def provenance(self, job: StackJob[Any]) -> dict[str, Any]:
        """Return how the result of a job on the stack was made."""
        record = provenance(job, path=self.paths[0].name)
        if len(self.paths) > 1:
            record["planes"] = [path.name for path in self.paths]
        return record


def stack_paths(inputs: Sequence[Path]) -> list[Path]:
    """Return the files of a stack in natural order; folders stand for the images that they hold.

    Raises
    ------
    FileError
        If a folder holds no image.
    """
    paths: list[Path] = []
    for path in inputs:
        if path.is_dir() and not is_zarr_folder(path):
            paths += [file.path for file in find_inputs([path])]
        else:
            paths.append(path)
    return natural_order(paths)


def read_stack(paths: Sequence[Path], axis: str, options: Options) -> StackInput:
    """Return the stack of one file or of several, in the order of `paths`.

    Raises
    ------
    FileError
        If a file cannot be read, holds one plane, or differs from the first.
    OptionError
        If there is no such axis.
    """
    first = paths[0]
    picture = read_input(first, options) if len(paths) == 1 else _open_planes(paths, options)
    number = find_stack_axis(first, picture, axis, options)
    return StackInput(paths, picture, number, resolve_input(first, picture, options))


def _open_planes(paths: Sequence[Path], options: Options) -> Picture:
    picture = open_planes(paths)
    return picture.as_planes() if options.channel_axis == "none" else picture
