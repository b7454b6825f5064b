"""Images and maps at a fraction of their size, and back.

All levels are aligned: a coarse pixel covers a block of fine pixels, and lies at its center.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, cast

import numpy as np

from ..array_types import FloatArray
from .storage import Planes
from .tiles import Box, round_up

if TYPE_CHECKING:
    from torch import Tensor

#: Rows that are processed at a time, so that intermediate values stay in the processor's cache.
_STRIP = 64


def level_shape(shape: Sequence[int], level: int) -> tuple[int, int]:
    """Return height and width of a plane downsampled by `level`, rounded up."""
    return -(-shape[-2] // level), -(-shape[-1] // level)


def downsample(image: FloatArray, levels: list[int]) -> list[FloatArray]:
    """Shrink display values (C, Y, X) to several levels, by averaging blocks of linear light.

    Each level must be a multiple of the one before.
    """
    if levels == [1]:
        return [image]
    import torch

    from ..optics.light import decode_srgb, encode_srgb

    channels, *shape = image.shape
    results = [np.empty((channels, *level_shape(shape, level)), np.float32) for level in levels]
    step = round_up(_STRIP, levels[-1])
    for top in range(0, shape[0], step):
        light, previous = decode_srgb(torch.from_numpy(image[:, top : top + step])), 1
        for result, level in zip(results, levels, strict=True):
            light, previous = _mean_of_blocks(light, level // previous), level
            result[:, top // level :][:, : light.shape[1]] = light
    for result in results:
        for top in range(0, result.shape[1], _STRIP):
            light = torch.from_numpy(result[:, top : top + _STRIP])
            result[:, top : top + _STRIP] = encode_srgb(light)
    return results


def block_mean(values: FloatArray, level: int) -> FloatArray:
    """Shrink (C, Y, X) by averaging blocks of `level` x `level` values."""
    if level == 1:
        return values
    import torch

    return cast(FloatArray, _mean_of_blocks(torch.from_numpy(values), level).numpy())


def upsample(
    values: FloatArray, level: int, shape: tuple[int, ...], *, cubic: bool = False
) -> FloatArray:
    """Enlarge (C, Y, X) by `level` and crop to the shape (Y, X).

    Interpolation is linear, or cubic, which keeps fine detail but overshoots.
    """
    if level == 1:
        return values
    import torch
    from torch.nn import functional

    large = functional.interpolate(
        torch.from_numpy(values)[None],
        scale_factor=level,
        mode="bicubic" if cubic else "bilinear",
        align_corners=False,
    )
    return cast(FloatArray, large[0, :, : shape[-2], : shape[-1]].contiguous().numpy())


def upsample_window(values: Planes, level: int, part: Box, *, cubic: bool = False) -> FloatArray:
    """Enlarge (C, Y, X) as :func:`upsample` does, and return a part of the large plane."""
    if level == 1:
        return values[:, *part.slices]
    source = part.downscale(level).expand(2 if cubic else 1, Box(0, 0, *values.shape[-2:]))
    size = (source.height * level, source.width * level)
    large = upsample(values[:, *source.slices], level, size, cubic=cubic)
    inner = part.relative_to(Box(source.top * level, source.left * level, 0, 0))
    return large[:, *inner.slices]


def _mean_of_blocks(values: Tensor, level: int) -> Tensor:
    """Return the mean of each block of (C, Y, X); incomplete blocks repeat the edge."""
    from torch.nn import functional

    rows, columns = (-length % level for length in values.shape[-2:])
    if rows or columns:
        values = functional.pad(values[None], (0, columns, 0, rows), mode="replicate")[0]
    # several times faster than pooling
    rows_summed = reduce(add, (values[:, start::level] for start in range(level)))
    return reduce(add, (rows_summed[..., start::level] for start in range(level))) / level**2
