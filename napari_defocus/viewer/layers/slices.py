"""Slices that may reach beyond an array."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def within(slices: tuple[slice, ...], shape: Sequence[int]) -> bool:
    """Return whether slices do not reach beyond an array of a shape."""
    return slices == clip_slices(slices, shape)


def clip_slices(slices: tuple[slice, ...], shape: Sequence[int]) -> tuple[slice, ...]:
    """Return the part of slices that lies in an array of a shape."""
    return tuple(
        slice(max(part.start, 0), min(part.stop, size))
        for part, size in zip(slices, shape, strict=True)
    )


def read_extended(values: Any, slices: tuple[slice, ...]) -> npt.NDArray[np.float32]:
    """Return a part of an array that may reach beyond it, where it is 0."""
    part = np.zeros([each.stop - each.start for each in slices], np.float32)
    inside = clip_slices(slices, values.shape)
    place = tuple(
        slice(a.start - b.start, a.stop - b.start) for a, b in zip(inside, slices, strict=True)
    )
    part[place] = values[inside]
    return part
