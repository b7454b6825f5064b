"""Radii beyond what a network knows: work at a coarser scale, and carry the result back up.

A blur of radius r is one of radius r/s in an image shrunk s times.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..arrays import Array, FloatArray, Mask
from ..errors import OptionError
from .device import Compute
from .doubt import confidence_at
from .engine import Progress, infer, reach
from .filling import fill_doubt
from .likeness import ALIKE
from .resolution import resolved_at
from .room import Computed, Planes, Room, Store
from .scaling import averaged, enlarged, enlarged_part, level_shape, shrunk
from .smoothing import even_out
from .tiles import Box

if TYPE_CHECKING:
    from torch import nn

    from ..networks.descriptor import Descriptor

#: Estimators refine what a coarser look has found up to these radii, in pixels of the level: larger
#: blur has no finer detail to tell by. Rendered scenes score the same between 12 and 18.
_REFINED_BETWEEN = (2.5, 5)
#: But small, even texture, such as bricks or cells seen from far, may look like large blur when
#: shrunk. So a fresh look that is surer by this much, of being within a pixel, is believed instead.
_SURER_BY = (0.5, 0.75)
#: There is no detail to lose by deblurring at a coarser level: blur of 8 pixels has left none that
#: a level of half the size could not hold. Two photographs enlarged four times gained 2.0 and
#: 0.4 dB (2.0 and 1.0 at their own size) with levels left between these shares of the largest
#: radius the network knows; 1.1 and -0.3 dB between 16/24 and 22/24.
_DEBLUR_BETWEEN = (5 / 24, 8 / 24)
#: Share of the confidence that must lie on radii that the coarsest level is at ease with.
_COVERED = 0.995
#: Share of the largest radius a network knows that those radii should not exceed.
_COMFORTABLE = 8 / 24
#: Shortest side in pixels of the smallest image that is looked at, and the most that an image is
#: shrunk: nearly everything looks blurred from far enough, and blur of 100 pixels and more is rare.
_LEAST_SIDE, _COARSEST = 64, 16
#: Radii are looked at in about this many pixels to choose a scale.
_SAMPLE = 1 << 20


class Meter:
    """Adds up the progress of the stages of some work, in pixels.

    Parameters
    ----------
    expected : int
        Pixels of all stages that are planned from the start.
    """

    def __init__(self, expected: int) -> None:
        self.done = 0
        self.expected = expected
        self.told = 0

    def measure(
        self, steps: Generator[Progress, None, FloatArray], pixels: int, *, planned: bool
    ) -> Generator[Progress, None, FloatArray]:
        """Pass on a stage's result, and its progress as part of the whole.

        Parameters
        ----------
        steps : generator
            The stage.
        pixels : int
            Its size.
        planned : bool
            Whether it was expected from the start; if not, it adds to what is.
        """
        self.expected += 0 if planned else pixels
        while True:
            try:
                step = next(steps)
            except StopIteration as stop:
                self.done += pixels
                return cast(FloatArray, stop.value)
            # where tiles are halved on the way, it would fall back
            self.told = max(self.told, self.done + pixels * step.done // step.total)
            yield Progress(self.told, self.expected)

    def plan(self, pixels: int) -> None:
        """Plan more work than was planned from the start."""
        self.expected += pixels

    def skip(self, pixels: int) -> None:
        """Leave out planned work."""
        self.expected -= pixels


def checked_scale(scale: int | np.integer | str) -> int | str:
    """Return `scale`; an OptionError unless it is "auto" or a whole number of 1 or more."""
    if isinstance(scale, int | np.integer) and not isinstance(scale, bool) and scale >= 1:
        return int(scale)
    if isinstance(scale, str) and scale == "auto":
        return scale
    raise OptionError(f"scale is {scale!r}; 'auto' or a whole number of 1 or more is expected")


def estimate(
    network: nn.Module, views: Planes, compute: Compute, scale: int | str, meter: Meter, room: Room
) -> Generator[Progress, None, Store]:
    """Estimate radius and confidence, from coarse to fine.

    Parameters
    ----------
    network : torch.nn.Module
        An estimator.
    views : (1, 3 or 6, Y, X) float32 array
        In the networks' form; gray, which networks see as three channels, as one.
    compute : Compute
        Device, precision and tiles.
    scale : int or "auto"
        One level alone, or all from that on at which the image is resolved: each but the coarsest
        is told what the one before has found, and refines it where it knows such radii.
    meter : Meter
        Counts the progress.
    room : Room
        Where what is found is kept, and how large a part is worked on at a time.

    Yields
    ------
    Progress

    Returns
    -------
    (2, Y, X) float32 array
        Radius in pixels of the plane, confidence.
    """
    shape = views.shape[-2:]
    if scale == "auto":
        levels = _levels(_finest_level(views, meter), _coarsest_level(shape))
    else:
        levels = [int(scale)]
    pictures = _shrunk(views, levels, room)
    found = yield from _look(network, pictures.pop(), None, compute, meter, room, not pictures)
    while pictures:
        picture = pictures.pop()
        found = yield from _look(network, picture, found, compute, meter, room, not pictures)
    if levels[0] > 1:
        found = _carried_up(found, levels[0], shape, room)
    task = cast("Descriptor", network.descriptor).task
    even_out(found, views, room, ALIKE[task])
    if task == "dual":
        fill_doubt(found, views, room, ALIKE[task])
    return found


def deblur(
    network: nn.Module,
    image: Planes,
    found: Planes,
    compute: Compute,
    scale: int | str,
    needed: Planes,
    meter: Meter,
    room: Room,
) -> Generator[Progress, None, Store]:
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
    meter : Meter
        Counts the progress.
    room : Room
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
        coarsest = min(choose_scale(radius, confidence, limit), _coarsest_level(shape))
        levels = _levels(_finest_level(image, meter), coarsest)
    else:
        levels = [int(scale)]
    pictures = _shrunk(image, levels, room)
    guides = _guides(found, needed, levels, limit, room)
    parts = [
        _Part(network, picture, guide, level, compute, meter, planned=level == levels[0])
        for picture, guide, level in zip(pictures, guides, levels, strict=True)
    ]
    results = []
    for part in parts:
        results.append(room.array((3, *part.picture.shape[-2:])))
        for block in room.blocks(part.picture.shape, _multiple(network)):
            results[-1][:, *block.slices] = yield from part.changed(block)
    return _joined(results, found, levels, limit, room)


def render(
    lens: nn.Module, seen: FloatArray, compute: Compute, scale: int | str, meter: Meter
) -> Generator[Progress, None, FloatArray]:
    """Blur by signed radii, at full scale unless told otherwise.

    Parameters
    ----------
    lens : torch.nn.Module
        Takes display-encoded RGB and radius, gives RGB.
    seen : (4, Y, X) float32 array
        The image in the networks' form, and radius in pixels of the plane.
    compute : Compute
        Device, precision and tiles.
    scale : int or "auto"
        The level to work at; "auto" is 1, for blur of any radius can be rendered.
    meter : Meter
        Counts the progress.

    Yields
    ------
    Progress

    Returns
    -------
    (3, Y, X) float32 array
        In the networks' form.
    """
    level = 1 if scale == "auto" else int(scale)
    coarse = np.concatenate([*shrunk(seen[:3], [level]), averaged(seen[3:], level) / level])
    steps = infer(lens, coarse, compute)
    blurred = yield from meter.measure(steps, coarse[0].size, planned=True)
    return enlarged(blurred, level, seen.shape[-2:])


def choose_scale(radius: FloatArray, confidence: FloatArray, limit: float) -> int:
    """Return the least power of two that brings nearly all radii to what a network knows.

    Parameters
    ----------
    radius, confidence : (Y, X) float32 array
        Radius in pixels, of any sign, and how much each counts.
    limit : float
        Largest radius that the network knows.

    Examples
    --------
    >>> choose_scale(np.full((8, 8), 40.0), np.ones((8, 8)), limit=24.0)
    8
    """
    largest = weighted_quantile(np.abs(radius), confidence, _COVERED)
    scale = 1
    while largest > _COMFORTABLE * limit * scale:
        scale *= 2
    return scale


def weighted_quantile(values: Array, weights: Array, share: float) -> float:
    """Return the value below which values of this share of all weight lie.

    Examples
    --------
    >>> weighted_quantile(np.array([[3.0, 1.0]]), np.array([[1.0, 5.0]]), 0.5)
    1.0
    """
    order = np.argsort(values, axis=None)
    reached = np.cumsum(weights.ravel()[order], dtype=np.float64)
    return float(values.ravel()[order][np.searchsorted(reached, share * reached[-1])])


def colored(picture: FloatArray) -> FloatArray:
    """Return gray (1, Y, X) as the three channels that networks see; all else as it is."""
    return np.broadcast_to(picture, (3, *picture.shape[1:])) if len(picture) == 1 else picture


def trust(radius: FloatArray, full: float, none: float) -> FloatArray:
    """Return 1 up to `full`, 0 from `none` on, smooth between, for values of either sign."""
    fall = np.clip((np.abs(radius) - full) / (none - full), 0, 1)
    trusted: FloatArray = (1 - fall * fall * (3 - 2 * fall)).astype(np.float32)
    return trusted


def _look(
    network: nn.Module,
    picture: Planes,
    coarser: Planes | None,
    compute: Compute,
    meter: Meter,
    room: Room,
    planned: bool,
) -> Generator[Progress, None, Store]:
    """Return radius and confidence (2, Y, X), in pixels of the picture."""
    found = room.array((2, *picture.shape[-2:]))
    whole = Box(0, 0, *picture.shape[-2:])
    for block in room.blocks(picture.shape, _multiple(network)):
        sight = block.grown(reach(network), whole)
        core = block.seen_from(sight)
        known = np.zeros((2, sight.height, sight.width), np.float32)
        share = np.ones(known.shape[-2:], np.float32)
        if coarser is not None:
            known[:] = enlarged_part(coarser, 2, sight)
            known[0] *= 2
            share = trust(known[0], *_REFINED_BETWEEN)
        told = np.where(share > 0, known, 0)
        seen = (colored(picture[:, *sight.slices]), told)
        known[1] = confidence_at(known[1], 0.5)
        doubted = known[1] < 1 - _SURER_BY[0]
        steps = infer(network, seen, compute, (share > 0) | doubted, core)
        finer = yield from meter.measure(steps, block.height * block.width, planned=planned)
        known, share = known[:, *core.slices], share[core.slices]
        share = np.maximum(share, _surer(finer[1], known[1]))
        finer -= known
        finer *= share
        finer += known
        found[:, *block.slices] = finer
    return found


def _surer(one: FloatArray, other: FloatArray) -> FloatArray:
    """How far the first confidence is above the second: 1 where that cannot be chance, else 0."""
    low, high = _SURER_BY
    sure: FloatArray = np.clip((one - other - low) / (high - low), 0, 1)
    return sure


def _carried_up(found: Planes, level: int, shape: tuple[int, ...], room: Room) -> Store:
    """Bring radius and confidence of a coarse level to the plane's own size and pixels."""

    def scaled(rows: slice, columns: slice) -> FloatArray:
        radius, confidence = found[:, rows, columns]
        return np.stack([radius * level, confidence_at(confidence, 1 / level)])

    large = room.array((2, *shape))
    for block in room.blocks(shape, 1):
        large[:, *block.slices] = enlarged_part(Computed(found.shape, scaled), level, block)
    return large


def _joined(
    results: list[Store], found: Planes, levels: list[int], limit: float, room: Room
) -> Store:
    """Add up what was found at all levels, each by its share of the pixel."""
    if levels == [1]:
        return results[0]
    shape = found.shape[-2:]
    change = results[0] if levels[0] == 1 else room.array((3, *shape))
    for block in room.blocks(shape, 1):
        total = np.zeros((3, block.height, block.width), np.float32)
        shares = _shares(found[:, *block.slices][0], levels, limit)
        for result, share, level in zip(results, shares, levels, strict=True):
            total += share * enlarged_part(result, level, block, cubic=True)
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
    meter: Meter
    planned: bool

    def changed(self, block: Box) -> Generator[Progress, None, FloatArray]:
        """Return what the network adds to a block (3, Y, X); zero where that does not count."""
        sight = block.grown(reach(self.network), Box(0, 0, *self.picture.shape[-2:]))
        core = block.seen_from(sight)
        picture, guide = self.picture[:, *sight.slices], self.guide[:, *sight.slices]
        wanted = guide[2] > 0
        if self.level > 1:
            wanted = _widened(wanted)
        kept = wanted[core.slices]
        if not kept.any():
            self.meter.skip(kept.size if self.planned else 0)
            return np.zeros((3, *kept.shape), np.float32)
        seen = (colored(picture), guide[:2])
        steps = infer(self.network, seen, self.compute, wanted, core)
        result = yield from self.meter.measure(steps, kept.size, planned=self.planned)
        result -= picture[:, *core.slices]
        result[:, ~kept] = 0
        return result


def _guides(
    found: Planes, needed: Planes, levels: list[int], limit: float, room: Room
) -> list[Planes]:
    """Radius and confidence at every level, and whether a pixel is taken from it: (3, Y, X)."""
    shape = found.shape[-2:]

    def at_full_size(rows: slice, columns: slice) -> FloatArray:
        part = found[:, rows, columns]
        share = _shares(part[0], levels, limit)[0]
        return _guide(part, needed[rows, columns] & (share > 0), 1)

    coarser = {level: room.array((3, *level_shape(shape, level))) for level in levels if level > 1}
    for block in room.blocks(shape, levels[-1]) if coarser else []:
        part, counts = found[:, *block.slices], needed[block.slices]
        for level, share in zip(levels, _shares(part[0], levels, limit), strict=True):
            if level > 1:
                guide = _guide(part, counts & (share > 0), level)
                coarser[level][:, *block.shrunk(level).slices] = guide
    finest: list[Planes] = [Computed((3, *shape), at_full_size)] if levels[0] == 1 else []
    return [*finest, *coarser.values()]


def _guide(found: FloatArray, counts: Mask, level: int) -> FloatArray:
    radius, confidence = averaged(found, level)
    return np.stack([radius / level, confidence_at(confidence, level), _any(counts, level)])


def _shares(radius: FloatArray, levels: list[int], limit: float) -> list[FloatArray]:
    """How much of every pixel is taken from each level, by its radius."""
    left = np.ones(radius.shape, np.float32)
    shares = []
    for level in levels[:-1]:
        shares.append(left * trust(radius / (level * limit), *_DEBLUR_BETWEEN))
        left = left - shares[-1]
    return [*shares, left]


def _shrunk(image: Planes, levels: list[int], room: Room) -> list[Planes]:
    """Shrink display-encoded (C, Y, X) to several levels, block by block."""
    coarse = [level for level in levels if level > 1]
    channels, shape = image.shape[0], image.shape[-2:]
    pictures = [room.array((channels, *level_shape(shape, level))) for level in coarse]
    for block in room.blocks(shape, levels[-1]) if coarse else []:
        parts = shrunk(image[:, *block.slices], coarse)
        for picture, level, part in zip(pictures, coarse, parts, strict=True):
            picture[:, *block.shrunk(level).slices] = part
    return [*([image] if levels[0] == 1 else []), *pictures]


def sample(found: Planes) -> tuple[FloatArray, int]:
    """Radius and confidence (2, y, x) of evenly spread pixels, and how far these are apart."""
    step = int(np.ceil((found.shape[-2] * found.shape[-1] / _SAMPLE) ** 0.5))
    return found[:, ::step, ::step], step


def _levels(finest: int, coarsest: int) -> list[int]:
    """Powers of two from the finest level to the coarsest; the finest alone if that is coarser."""
    levels = [finest]
    while 2 * levels[-1] <= coarsest:
        levels.append(2 * levels[-1])
    return levels


def _finest_level(image: Planes, meter: Meter) -> int:
    """Return the level at which an image is resolved; what lies below it is no work any more."""
    shape = image.shape[-2:]
    finest = resolved_at(image)
    meter.skip(int(np.prod(shape) - np.prod(level_shape(shape, finest))))
    return finest


def _multiple(network: nn.Module) -> int:
    return cast("Descriptor", network.descriptor).multiple


def _coarsest_level(shape: tuple[int, ...]) -> int:
    return min(1 << max(min(shape) // _LEAST_SIDE, 1).bit_length() - 1, _COARSEST)


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
