"""Blocks of pixels that become one pixel each, for what is shown smaller."""

from typing import Any

import numpy as np
import numpy.typing as npt


def mean_of_blocks(values: npt.NDArray[Any], step: int, *, color: bool = False) -> npt.NDArray[Any]:
    """Return the mean of each block of (..., Y, X), or of (..., Y, X, C), in the same data type."""
    first = values.ndim - 2 - color
    rows, columns = (size // step for size in values.shape[first : first + 2])
    channels = (slice(None),) if color else ()
    whole: Any = (..., slice(rows * step), slice(columns * step), *channels)
    blocks = values[whole].reshape(
        *values.shape[:first], rows, step, columns, step, *values.shape[first + 2 :]
    )
    axes = first + 1, first + 3
    mean = blocks.mean(axis=axes, dtype=np.float64 if values.dtype.itemsize > 2 else np.float32)
    if values.dtype.kind != "f":
        mean = np.rint(mean)
    return np.asarray(mean.astype(values.dtype))


def middle_of_blocks(
    values: npt.NDArray[Any], step: int, shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    """Return the value in the middle of each block of (..., Y, X)."""
    rows, columns = shape[-2:]
    return values[..., step // 2 :: step, step // 2 :: step][..., :rows, :columns]
