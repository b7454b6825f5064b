"""Images and maps at a fraction of their size, and back.

All scales are aligned: a coarse pixel covers s x s fine ones, and enlarging puts its value at their
center.
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

#: Rows that are downsample at a time: what lies between two steps of it then stays in the cache.
_STRIP = 64


def level_shape(shape: Sequence[int], level: int) -> tuple[int, int]:
    """Return height and width of a plane downsample by `level`, rounded up."""
    return -(-shape[-2] // level), -(-shape[-1] // level)


def downsample(image: FloatArray, levels: list[int]) -> list[FloatArray]:
    """Shrink display-encoded (C, Y, X) to several levels, by averaging blocks of linear light.

    Each level is a multiple of the one before.
    """
    if levels == [1]:
        return [image]
    import torch

    from ..optics.light import decode_srgb, encode_srgb

    channels, *shape = image.shape
    pictures = [np.empty((channels, *level_shape(shape, level)), np.float32) for level in levels]
    step = round_up(_STRIP, levels[-1])
    for top in range(0, shape[0], step):
        light, reached = decode_srgb(torch.from_numpy(image[:, top : top + step])), 1
        for picture, level in zip(pictures, levels, strict=True):
            light, reached = _blocks(light, level // reached), level
            picture[:, top // level :][:, : light.shape[1]] = light
    for picture in pictures:
        for top in range(0, picture.shape[1], _STRIP):
            light = torch.from_numpy(picture[:, top : top + _STRIP])
            picture[:, top : top + _STRIP] = encode_srgb(light)
    return pictures


def block_mean(values: FloatArray, level: int) -> FloatArray:
    """Shrink (C, Y, X) by averaging `level` x `level` values."""
    if level == 1:
        return values
    import torch

    return cast(FloatArray, _blocks(torch.from_numpy(values), level).numpy())


def upsample(
    values: FloatArray, level: int, shape: tuple[int, ...], *, cubic: bool = False
) -> FloatArray:
    """Enlarge (C, Y, X) by `level` and crop to the shape (Y, X).

    Linearly between pixels; or by cubic convolution, which keeps fine detail but overshoots.
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
    """Enlarge (C, Y, X) as :func:`upsample` does, but only to a part of the large plane."""
    if level == 1:
        return values[:, *part.slices]
    sight = part.downscale(level).expand(2 if cubic else 1, Box(0, 0, *values.shape[-2:]))
    size = (sight.height * level, sight.width * level)
    large = upsample(values[:, *sight.slices], level, size, cubic=cubic)
    inner = part.relative_to(Box(sight.top * level, sight.left * level, 0, 0))
    return large[:, *inner.slices]


def _blocks(values: Tensor, level: int) -> Tensor:
    """Mean over blocks of (C, Y, X); the last ones are completed by continuing the edge."""
    from torch.nn import functional

    rows, columns = (-length % level for length in values.shape[-2:])
    if rows or columns:
        values = functional.pad(values[None], (0, columns, 0, rows), mode="replicate")[0]
    # several times faster than pooling
    down = reduce(add, (values[:, at::level] for at in range(level)))
    return reduce(add, (down[..., at::level] for at in range(level))) / level**2
