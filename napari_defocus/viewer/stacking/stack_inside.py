"""Work on stacks that is confined to drawn shapes."""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ...image.layout import is_dask
from ...stacks.fusion_result import AllInFocus
from ...stacks.stack_job import StackJob

R = TypeVar("R")


def without_outside(job: StackJob[R], inside: npt.NDArray[np.bool_]) -> StackJob[R]:
    """Return the job on a stack whose pixels outside of a mask (Y, X) hold no data.

    The stack becomes floating point, and is read as it was before.
    """
    layout, options = job.layout, job.options
    mask = inside if layout.channel_axis is None else inside[..., None]
    stack: Any = job.stack
    if is_dask(stack):
        import dask.array

        stack = dask.array.where(mask, stack, np.float32(np.nan))
    else:
        stack = np.where(mask, stack, np.float32(np.nan))
    options = replace(
        options, encoding=layout.encoding, imaging=layout.imaging, value_range=job.value_range
    )
    return replace(job, stack=stack, options=options)


def merge_inside(
    merged: AllInFocus, job: StackJob[Any], inside: npt.NDArray[np.bool_]
) -> AllInFocus:
    """Return a merged stack that has a depth inside of a mask (Y, X) only.

    Outside, the picture is the plane of the stack at the median depth inside.
    """
    depth = np.where(inside, merged.depth, np.float32(np.nan))
    image, deep = merged.image, depth[np.isfinite(depth)]
    if deep.size:
        plane = np.asarray(job.stack.take(round(float(np.median(deep))), job.axis))
        mask = inside if job.layout.channel_axis is None else inside[..., None]
        image = np.where(mask, image, plane)
    return replace(
        merged, image=image, depth=depth, confidence=np.where(inside, merged.confidence, 0)
    )
