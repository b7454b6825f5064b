"""Deblurring at several resolution levels."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..array_types import FloatArray, Mask
from ..inference.device import Compute
from ..inference.engine import Progress, infer, reach
from ..inference.resample import block_mean, level_shape, upsample_window
from ..inference.storage import ComputedPlanes, MemoryStorage, Planes, WritablePlanes
from ..inference.tiles import Box
from .confidence import confidence_within
from .levels import (
    as_rgb,
    choose_downscale,
    coarsest_level,
    finest_level,
    power_of_two_levels,
    sample,
    shrink_to_levels,
    size_multiple,
    smoothstep_down,
)
from .progress import ProgressMeter

if TYPE_CHECKING:
    from torch import nn

    from ..networks.descriptor import Descriptor


#: There is no detail to lose by deblurring at a coarser level: blur of 8 pixels has left none that
#: a level of half the size could not hold. Two photographs upsample four times gained 2.0 and
#: 0.4 dB (2.0 and 1.0 at their own size) with levels left between these shares of the largest
#: radius the network knows; 1.1 and -0.3 dB between 16/24 and 22/24.
_DEBLUR_BETWEEN = (5 / 24, 8 / 24)


def deblur_at_levels(
    network: nn.Module,
    image: Planes,
    found: Planes,
    compute: Compute,
    scale: int | str,
    needed: Planes,
    meter: ProgressMeter,
    storage: MemoryStorage,
) -> Generator[Progress, None, WritablePlanes]:
    """Deblur an image at the scales that know its radii.

    Parameters
    ----------
    network : torch.nn.Module
        A deblurring network.
    image : (1 or 3, Y, X) float32 array
        In the networks' form; gray, which networks see as three channels, as one.
    found : (2, Y, X) float32 array
        Radius >= 0 in pixels of the plane, and confidence.
    compute : Compute
        Device, precision and tiles.
    scale : int or "auto"
        One level alone, or as many as the map's radii need, from that on at which the image is
        resolved; the change of every pixel is then taken from the finest level that knows its
        radius.
    needed : (Y, X) bool array
        Where the result matters.
    meter : ProgressMeter
        Counts the progress.
    storage : MemoryStorage
        Where results are kept, and how large a part is worked on at a time.

    Yields
    ------
    Progress

    Returns
    -------
    (3, Y, X) float32 array
        What is to be added to `image`; zero where it is not needed.
    """
    limit = cast("Descriptor", network.descriptor).max_radius
    shape = image.shape[-2:]
    if scale == "auto":
        (radius, confidence), _ = sample(found)
        coarsest = min(choose_downscale(radius, confidence, limit), coarsest_level(shape))
        levels = power_of_two_levels(finest_level(image, meter), coarsest)
    else:
        levels = [int(scale)]
    pictures = shrink_to_levels(image, levels, storage)
    guides = _guides(found, needed, levels, limit, storage)
    parts = [
        _Part(network, picture, guide, level, compute, meter, planned=level == levels[0])
        for picture, guide, level in zip(pictures, guides, levels, strict=True)
    ]
    results = []
    for part in parts:
        results.append(storage.array((3, *part.picture.shape[-2:])))
        for block in storage.blocks(part.picture.shape, size_multiple(network)):
            results[-1][:, *block.slices] = yield from part.changed(block)
    return _joined(results, found, levels, limit, storage)


def _joined(
    results: list[WritablePlanes],
    found: Planes,
    levels: list[int],
    limit: float,
    storage: MemoryStorage,
) -> WritablePlanes:
    """Add up what was found at all levels, each by its share of the pixel."""
    if levels == [1]:
        return results[0]
    shape = found.shape[-2:]
    change = results[0] if levels[0] == 1 else storage.array((3, *shape))
    for block in storage.blocks(shape, 1):
        total = np.zeros((3, block.height, block.width), np.float32)
        shares = _shares(found[:, *block.slices][0], levels, limit)
        for result, share, level in zip(results, shares, levels, strict=True):
            total += share * upsample_window(result, level, block, cubic=True)
        change[:, *block.slices] = total
    return change


@dataclass(frozen=True)
class _Part:
    """One level of deblurring: a picture, and a guide of radius, confidence and where it counts."""

    network: nn.Module
    picture: Planes
    guide: Planes
    level: int
    compute: Compute
    meter: ProgressMeter
    planned: bool

    def changed(self, block: Box) -> Generator[Progress, None, FloatArray]:
        """Return what the network adds to a block (3, Y, X); zero where that does not count."""
        sight = block.expand(reach(self.network), Box(0, 0, *self.picture.shape[-2:]))
        core = block.relative_to(sight)
        picture, guide = self.picture[:, *sight.slices], self.guide[:, *sight.slices]
        wanted = guide[2] > 0
        if self.level > 1:
            wanted = _widened(wanted)
        kept = wanted[core.slices]
        if not kept.any():
            self.meter.skip(kept.size if self.planned else 0)
            return np.zeros((3, *kept.shape), np.float32)
        seen = (as_rgb(picture), guide[:2])
        steps = infer(self.network, seen, self.compute, wanted, core)
        result = yield from self.meter.measure(steps, kept.size, planned=self.planned)
        result -= picture[:, *core.slices]
        result[:, ~kept] = 0
        return result


def _guides(
    found: Planes, needed: Planes, levels: list[int], limit: float, storage: MemoryStorage
) -> list[Planes]:
    """Radius and confidence at every level, and whether a pixel is taken from it: (3, Y, X)."""
    shape = found.shape[-2:]

    def at_full_size(rows: slice, columns: slice) -> FloatArray:
        part = found[:, rows, columns]
        share = _shares(part[0], levels, limit)[0]
        return _guide(part, needed[rows, columns] & (share > 0), 1)

    coarser = {
        level: storage.array((3, *level_shape(shape, level))) for level in levels if level > 1
    }
    for block in storage.blocks(shape, levels[-1]) if coarser else []:
        part, counts = found[:, *block.slices], needed[block.slices]
        for level, share in zip(levels, _shares(part[0], levels, limit), strict=True):
            if level > 1:
                guide = _guide(part, counts & (share > 0), level)
                coarser[level][:, *block.downsample(level).slices] = guide
    finest: list[Planes] = [ComputedPlanes((3, *shape), at_full_size)] if levels[0] == 1 else []
    return [*finest, *coarser.values()]


def _guide(found: FloatArray, counts: Mask, level: int) -> FloatArray:
    radius, confidence = block_mean(found, level)
    return np.stack([radius / level, confidence_within(confidence, level), _any(counts, level)])


def _shares(radius: FloatArray, levels: list[int], limit: float) -> list[FloatArray]:
    """How much of every pixel is taken from each level, by its radius."""
    left = np.ones(radius.shape, np.float32)
    shares = []
    for level in levels[:-1]:
        shares.append(left * smoothstep_down(radius / (level * limit), *_DEBLUR_BETWEEN))
        left = left - shares[-1]
    return [*shares, left]


def _any(mask: Mask, level: int) -> Mask:
    """Return the coarse pixels that cover some pixel of (Y, X)."""
    if level == 1:
        return mask
    rows, columns = level_shape(mask.shape, level)
    pad = ((0, rows * level - mask.shape[0]), (0, columns * level - mask.shape[1]))
    blocks = np.pad(mask, pad).reshape(rows, level, columns, level)
    return np.asarray(blocks.any(axis=(1, 3)))


def _widened(mask: Mask) -> Mask:
    """Return (Y, X) and the coarse pixels around it that cubic convolution takes."""
    around = np.pad(mask, 2)
    down = sliding_window_view(around, 5, axis=0).any(-1)
    return np.asarray(sliding_window_view(down, 5, axis=1).any(-1))
