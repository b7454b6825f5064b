"""The command all-in-focus: a picture that is sharp everywhere, and its depth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..io import check_fits
from ..options import Options
from ..stacks.alignment import Align
from ..stacks.fusion_job import AllInFocusJob
from .console import note, progress_bar
from .outputs import Outputs, check_holds_floats
from .stack_input import read_stack, stack_paths


@dataclass(frozen=True)
class MergeSettings:
    """How planes are merged."""

    align: Align
    deblur_rest: bool
    model: str


@dataclass(frozen=True)
class MergeOutputs:
    """Files that a merged stack is written to."""

    image: Path
    depth: Path | None
    overwrite: bool

    def check(self, inputs: Sequence[Path]) -> Outputs:
        """Return the outputs; a FileError if a file cannot be written."""
        paths = [self.image]
        if self.depth is not None:
            check_holds_floats(self.depth, "a depth")
            paths.append(self.depth)
        return Outputs(inputs, paths, self.overwrite)


def merge_stack(
    inputs: Sequence[Path],
    axis: str,
    goals: MergeOutputs,
    settings: MergeSettings,
    options: Options,
) -> None:
    """Merge a stack, and write the picture and its depth."""
    paths = stack_paths(inputs)
    outputs = goals.check(paths)
    stack = read_stack(paths, axis, options)
    like = stack.merged()
    check_fits(goals.image, like)
    job = AllInFocusJob(
        stack.picture.data,
        stack.axis,
        settings.model,
        stack.options,
        settings.align,
        settings.deblur_rest,
    )
    record = stack.provenance(job)
    with progress_bar(f"all-in-focus {paths[0].name}") as progress:
        result = job.run(progress)
    if result.move:
        note(f"Note: planes were aligned; they had moved by up to {result.move:.1f} pixels.")
    if np.isnan(result.depth).all(axis=(-2, -1)).any():
        note(
            "Note: all planes of a stack are of one value or without data; its picture is the "
            "first of them, and its depth is NaN."
        )
    outputs.write(goals.image, result.image, record, like)
    if goals.depth is not None:
        outputs.write(goals.depth, result.depth, record, like)
