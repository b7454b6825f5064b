"""Images and maps at a fraction of their size, and back.

All scales are aligned: a coarse pixel covers s x s fine ones, and enlarging puts its value at their
centre.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ..arrays import FloatArray
from .room import Planes
from .tiles import Box

if TYPE_CHECKING:
    from torch import Tensor


def level_shape(shape: tuple[int, ...], level: int) -> tuple[int, int]:
    """Return height and width of a plane shrunk by `level`, rounded up."""
    return -(-shape[-2] // level), -(-shape[-1] // level)


def shrunk(image: FloatArray, levels: list[int]) -> list[FloatArray]:
    """Shrink display-encoded (C, Y, X) to several levels, by averaging blocks of linear light."""
    if levels == [1]:
        return [image]
    import torch

    from ..optics.light import decode_srgb, encode_srgb

    light = decode_srgb(torch.from_numpy(image))
    return [
        image if level == 1 else cast(FloatArray, encode_srgb(_blocks(light, level)).numpy())
        for level in levels
    ]


def averaged(values: FloatArray, level: int) -> FloatArray:
    """Shrink (C, Y, X) by averaging `level` x `level` values."""
    if level == 1:
        return values
    import torch

    return cast(FloatArray, _blocks(torch.from_numpy(values), level).numpy())


def enlarged(values: FloatArray, level: int, shape: tuple[int, ...]) -> FloatArray:
    """Enlarge (C, Y, X) by `level`, linearly between pixels, and crop to the shape (Y, X)."""
    if level == 1:
        return values
    import torch
    from torch.nn import functional

    large = functional.interpolate(
        torch.from_numpy(values)[None], scale_factor=level, mode="bilinear", align_corners=False
    )
    return cast(FloatArray, large[0, :, : shape[-2], : shape[-1]].contiguous().numpy())


def enlarged_part(values: Planes, level: int, part: Box) -> FloatArray:
    """Enlarge (C, Y, X) as :func:`enlarged` does, but only to a part of the large plane."""
    if level == 1:
        return values[:, *part.slices]
    seen = part.shrunk(level).grown(1, Box(0, 0, *values.shape[-2:]))
    large = enlarged(values[:, *seen.slices], level, (seen.height * level, seen.width * level))
    inner = part.seen_from(Box(seen.top * level, seen.left * level, 0, 0))
    return large[:, *inner.slices]


def _blocks(values: Tensor, level: int) -> Tensor:
    """Mean over blocks of (C, Y, X); the last ones are completed by continuing the edge."""
    from torch.nn import functional

    rows, columns = (-length % level for length in values.shape[-2:])
    whole = functional.pad(values[None], (0, columns, 0, rows), mode="replicate")
    return functional.avg_pool2d(whole, level)[0]
