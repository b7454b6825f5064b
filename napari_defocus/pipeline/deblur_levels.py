"""Deblurring at several resolution levels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..array_types import FloatArray, Mask
from ..inference.engine import infer, reach
from ..inference.resample import block_mean, level_shape, upsample_window
from ..inference.storage import ComputedPlanes, MemoryStorage, Planes, WritablePlanes
from ..inference.tiles import Box
from .confidence import confidence_within
from .levels import (
    ImageLevels,
    as_rgb,
    choose_downscale,
    coarsest_level,
    sample_map,
    size_multiple,
    smoothstep_down,
)
from .plane import PlaneRun, Steps

if TYPE_CHECKING:
    from ..networks.network import Network

#: Radii between which a level's share fades out and that of the next coarser one fades in, divided
#: by the largest radius that the network knows. No detail is lost by that: a blur of 8 pixels
#: leaves none that an image of half the size could not hold. Two photographs enlarged four times
#: gained 2.0 and 0.4 dB with these radii, and 1.1 and -0.3 dB with 16/24 and 22/24; at their own
#: size, 2.0 and 1.0 dB.
_FADES_BETWEEN = (5 / 24, 8 / 24)
#: The same in micrographs, whose fine structures a smaller image does not hold. Eight simulated
#: fields gain 2.5 dB at 10 px and 1.7 dB at 12 px at full size, 1.9 and 1.3 dB at half of it.
_MICROGRAPHS_FADE_BETWEEN = (11 / 24, 14 / 24)
#: Pixels on each side that cubic interpolation takes beside the nearest one.
_CUBIC_REACH = 2
#: Rows that are joined at a time.
_STRIP = 64


def deblur_at_levels(
    network: Network,
    levels: ImageLevels,
    estimate: Planes,
    mask: Planes,
    run: PlaneRun,
    *,
    micrograph: bool = False,
) -> Steps[WritablePlanes]:
    """Deblur an image at the levels that suit its radii.

    With ``downscale="auto"`` there are as many levels as the radii of the map need. Each pixel
    takes its change from the finest level at which its radius is small enough, with smooth
    transitions.

    Parameters
    ----------
    network : Network
        A deblurring network.
    levels : ImageLevels
        The image.
    estimate : (2, Y, X) float32 array
        Radius >= 0 in pixels of the plane, and confidence.
    mask : (Y, X) bool array
        Pixels whose change is used.
    run : PlaneRun
        Options, progress and storage.
    micrograph : bool
        Whether the image is a micrograph.

    Yields
    ------
    Progress

    Returns
    -------
    (3, Y, X) float32 array
        Change to be added to the image; zero outside the mask.
    """
    limit = network.descriptor.max_radius
    factors = _levels_to_deblur(levels, estimate, limit, run)
    fades = _MICROGRAPHS_FADE_BETWEEN if micrograph else _FADES_BETWEEN
    blend = _LevelBlend(factors, limit, fades)
    guides = blend.guides(estimate, mask, run.storage)
    changes = []
    for picture, guide, level in zip(levels.at(factors), guides, factors, strict=True):
        part = _LevelDeblurring(network, picture, guide, level, run, planned=level == factors[0])
        changes.append(run.storage.array((3, *picture.shape[-2:])))
        for block in run.storage.blocks(picture.shape, size_multiple(network)):
            changes[-1][:, *block.slices] = yield from part.change(block)
    return blend.join(changes, estimate, run.storage)


def _levels_to_deblur(
    levels: ImageLevels, estimate: Planes, limit: float, run: PlaneRun
) -> list[int]:
    if isinstance(run.options.downscale, int):
        return [run.options.downscale]
    (radius, confidence), _ = sample_map(estimate)
    coarsest = min(choose_downscale(radius, confidence, limit), coarsest_level(levels.shape))
    levels.skip_unresolved(run.meter)
    return levels.up_to(coarsest)


@dataclass(frozen=True)
class _LevelDeblurring:
    """Deblurring of one level; its guide holds radius, confidence and mask."""

    network: Network
    picture: Planes
    guide: Planes
    level: int
    run: PlaneRun
    planned: bool

    def change(self, block: Box) -> Steps[FloatArray]:
        """Return the network's change of a block (3, Y, X); zero outside the mask."""
        context = block.expand(reach(self.network), Box(0, 0, *self.picture.shape[-2:]))
        core = block.relative_to(context)
        picture, guide = self.picture[:, *context.slices], self.guide[:, *context.slices]
        mask = guide[2] > 0
        if self.level > 1:
            mask = _dilate(mask)
        core_mask = mask[core.slices]
        if not core_mask.any():
            self.run.meter.skip(core_mask.size if self.planned else 0)
            return np.zeros((3, *core_mask.shape), np.float32)
        inputs = (as_rgb(picture), guide[:2])
        steps = infer(self.network, inputs, self.run.options, mask, core)
        result = yield from self.run.meter.measure(steps, core_mask.size, planned=self.planned)
        result -= picture[:, *core.slices]
        if not core_mask.all():
            result *= core_mask
        return result


@dataclass(frozen=True)
class _LevelBlend:
    """Share of every pixel that each level contributes, by the pixel's radius."""

    levels: list[int]
    limit: float
    fades: tuple[float, float]

    def shares(self, radius: FloatArray) -> list[FloatArray]:
        """Return the share of each level; together they are 1."""
        remaining = np.ones(radius.shape, np.float32)
        shares = []
        for level in self.levels[:-1]:
            fade = smoothstep_down(radius / (level * self.limit), *self.fades)
            shares.append(remaining * fade)
            remaining = remaining - shares[-1]
        return [*shares, remaining]

    def guides(self, estimate: Planes, mask: Planes, storage: MemoryStorage) -> list[Planes]:
        """Return radius, confidence and mask, (3, Y, X), of each level."""
        shape = estimate.shape[-2:]

        def at_full_size(rows: slice, columns: slice) -> FloatArray:
            part = estimate[:, rows, columns]
            return _guide(part, mask[rows, columns] & (self.shares(part[0])[0] > 0), 1)

        coarser = {
            level: storage.array((3, *level_shape(shape, level)))
            for level in self.levels
            if level > 1
        }
        for block in storage.blocks(shape, self.levels[-1]) if coarser else []:
            part, part_mask = estimate[:, *block.slices], mask[block.slices]
            for level, share in zip(self.levels, self.shares(part[0]), strict=True):
                if level > 1:
                    guide = _guide(part, part_mask & (share > 0), level)
                    coarser[level][:, *block.downscale(level).slices] = guide
        full_size: Planes = ComputedPlanes((3, *shape), at_full_size)
        return [*([full_size] if self.levels[0] == 1 else []), *coarser.values()]

    def join(
        self, changes: list[WritablePlanes], estimate: Planes, storage: MemoryStorage
    ) -> WritablePlanes:
        """Return the sum of all levels' changes, each by its share of the pixel."""
        if self.levels == [1]:
            return changes[0]
        shape = estimate.shape[-2:]
        total = changes[0] if self.levels[0] == 1 else storage.array((3, *shape))
        for block in storage.blocks(shape, 1):
            for strip in _strips(block):
                shares = self.shares(estimate[:, *strip.slices][0])
                total[:, *strip.slices] = self._mix(changes, shares, strip)
        return total

    def _mix(
        self, changes: list[WritablePlanes], shares: list[FloatArray], part: Box
    ) -> FloatArray:
        """Return the sum of all levels' changes in a part, by the shares of its pixels."""
        mixed = np.zeros((3, part.height, part.width), np.float32)
        for change, share, level in zip(changes, shares, self.levels, strict=True):
            if share.any():
                mixed += share * upsample_window(change, level, part, cubic=True)
        return mixed


def _strips(block: Box) -> Iterator[Box]:
    """Cut a block into strips of rows that fit into a processor's cache."""
    for top in range(block.top, block.bottom, _STRIP):
        yield Box(top, block.left, min(top + _STRIP, block.bottom), block.right)


def _guide(estimate: FloatArray, mask: Mask, level: int) -> FloatArray:
    radius, confidence = block_mean(estimate, level)
    coarse_mask = _any_in_blocks(mask, level)
    return np.stack([radius / level, confidence_within(confidence, level), coarse_mask])


def _any_in_blocks(mask: Mask, level: int) -> Mask:
    """Return which pixels of a level cover any pixel of the mask (Y, X)."""
    if level == 1:
        return mask
    rows, columns = level_shape(mask.shape, level)
    pad = ((0, rows * level - mask.shape[0]), (0, columns * level - mask.shape[1]))
    blocks = np.pad(mask, pad).reshape(rows, level, columns, level)
    return np.asarray(blocks.any(axis=(1, 3)))


def _dilate(mask: Mask) -> Mask:
    """Return the mask (Y, X) with all pixels that cubic interpolation to it takes."""
    side = 2 * _CUBIC_REACH + 1
    padded = np.pad(mask, _CUBIC_REACH)
    down = sliding_window_view(padded, side, axis=0).any(-1)
    return np.asarray(sliding_window_view(down, side, axis=1).any(-1))
