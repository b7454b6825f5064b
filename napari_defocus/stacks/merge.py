"""Merging of the planes of one stack into a picture that is sharp everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np

from ..array_types import Array, FloatArray, Mask
from ..image.encoding import encode
from ..inference.engine import Progress
from ..inference.resample import upsample
from ..pipeline.plane import PlaneRun, Steps
from ..pipeline.planes import PlaneProcess
from ..steps import convert_steps
from .alignment import (
    STILL,
    Align,
    Motion,
    chain,
    find_motion,
    is_clear,
    largest_move,
)
from .cells import DETAIL_SAMPLES, Cells
from .depth import Depth, find_depth
from .first_look import FirstLook, worth_a_full_look
from .light import Floats, LightCodec
from .pyramid import PyramidBlend, band_shapes
from .resampling import resample_cells, resample_plane, upsample_surfaces
from .weights import Weights

#: Difference from 1 up to which the brightness of planes is the same.
_SAME_BRIGHTNESS = 0.01


@dataclass(frozen=True)
class StackPlanes:
    """Planes of one stack, which are read when they are needed.

    Parameters
    ----------
    count : int
        Number of planes.
    read : callable
        Takes the number of a plane and returns it, (C, Y, X).
    codec : callable
        Takes a plane and its number, and returns what turns it to light and back; None if the plane
        holds no data.
    """

    count: int
    read: Callable[[int], Array]
    codec: Callable[[Array, int], LightCodec | None]


@dataclass(frozen=True)
class Merged:
    """What became of a stack.

    Parameters
    ----------
    image : (C, Y, X) array
        The picture, of the stack's data type.
    depth, confidence : (Y, X) float32 array
        Fractional index of the plane in focus, and confidence in it.
    rest, trust : (Y, X) float32 array
        Radius of the sharpest plane in pixels, and the confidence in it.
    move : float
        Largest displacement in pixels that was taken back.
    """

    image: Array
    depth: FloatArray
    confidence: FloatArray
    rest: FloatArray
    trust: FloatArray
    move: float


@dataclass(frozen=True)
class Merger:
    """Merging of stacks of one kind.

    Parameters
    ----------
    process : PlaneProcess
        Estimation of the map of a plane.
    first : FirstLook, optional
        The first look at each plane, if only some are worth the full estimation.
    align : {"none", "shift", "similarity"}
        How planes may have moved.
    match_brightness : bool
        Whether planes that are aligned are made equally bright.
    white : float
        Value of a saturated pixel, in the values of `_gray`.
    """

    process: PlaneProcess
    first: FirstLook | None
    align: Align
    match_brightness: bool
    white: float

    def steps(self, planes: StackPlanes, run: PlaneRun) -> Steps[Merged | None]:
        """Return the merged stack, or None if no plane holds data.

        Planes are read twice, and once more where only some are worth a full look.
        """
        shape = self.process.layout.map_shape[-2:]
        if planes.count == 1:
            return _one_plane(planes.read(0), 0, shape)
        cells, kept, motions = yield from self._measure(planes, run)
        if not kept:
            return _featureless(planes, shape)
        if len(kept) == 1:
            return _one_plane(planes.read(kept[0]), kept[0], shape)
        reference = int(np.argmax(cells.detail[0].mean(axis=(1, 2), dtype=np.float64)))
        motions = self._settle(chain(motions, reference), shape)
        for plane, motion in enumerate(motions):
            if motion is not STILL:
                resample_cells(cells, plane, motion)
        depth = yield from convert_steps(
            find_depth(cells), lambda _: Progress(run.meter.done, run.meter.total)
        )
        weights = Weights(depth, cells, band_shapes(shape))
        image = yield from self._blend(planes, list(zip(kept, motions, strict=True)), weights, run)
        maps = _in_pixels(depth, kept, cells.side, shape)
        return Merged(image, *maps, largest_move(motions, shape))

    def _measure(
        self, planes: StackPlanes, run: PlaneRun
    ) -> Steps[tuple[Cells, list[int], list[Motion]]]:
        """Return the cells of the planes that show something, their numbers, and their motions."""
        cells = Cells.empty(planes.count, self.process.layout.map_shape[-2:])
        look = self.first or self.process
        kept: list[int] = []
        motions: list[Motion] = []
        before: FloatArray | None = None
        for number in range(planes.count):
            plane = planes.read(number)
            codec = planes.codec(plane, number)
            if codec is None or _is_constant(plane):
                run.meter.skip(self._work_of_plane())
                continue
            map_ = yield from look.steps(plane, value_range=codec.value_range, run=run)
            light, valid = codec.to_light(plane)
            if before is not None and self.align != "none":
                motions.append(find_motion(before, mean_light(light), self.align))
            elif before is not None:
                motions.append(STILL)
            gray = self._gray(light)
            cells.put(len(kept), map_[:, :, :], gray, self._usable(gray, valid))
            before = mean_light(light)
            kept.append(number)
        cells = cells.first(len(kept))
        if self.first is not None and kept:
            yield from self._look_again(planes, kept, cells, run)
        return cells, kept, motions

    def _look_again(
        self, planes: StackPlanes, kept: list[int], cells: Cells, run: PlaneRun
    ) -> Steps[None]:
        """Estimate the maps at full size of those planes that may be in focus somewhere."""
        worth = worth_a_full_look(*cells.first_look(), DETAIL_SAMPLES)
        for place, number in enumerate(kept):
            if not worth[place]:
                run.meter.skip(self._work_of_map())
                continue
            plane = planes.read(number)
            codec = planes.codec(plane, number)
            assert codec is not None  # as when it was read before
            map_ = yield from self.process.steps(plane, value_range=codec.value_range, run=run)
            light, valid = codec.to_light(plane)
            cells.put_map(place, map_[:, :, :], self._usable(self._gray(light), valid))

    def _settle(self, motions: list[Motion], shape: tuple[int, ...]) -> list[Motion]:
        """Return motions, those that are too small to matter as `STILL`."""
        gains = [motion.gain if self.match_brightness else 1.0 for motion in motions]
        same = all(abs(gain - 1) < _SAME_BRIGHTNESS for gain in gains)
        moves = is_clear(motions, shape)
        if not moves and same:
            return [STILL] * len(motions)
        return [
            Motion(motion.matrix if moves else STILL.matrix, 1.0 if same else gain)
            for motion, gain in zip(motions, gains, strict=True)
        ]

    def _blend(
        self,
        planes: StackPlanes,
        placed: list[tuple[int, Motion]],
        weights: Weights,
        run: PlaneRun,
    ) -> Steps[Array]:
        """Return the mean of the planes by their weights."""
        blend: PyramidBlend | None = None
        codec: LightCodec | None = None
        for place, (number, motion) in enumerate(placed):
            plane = planes.read(number)
            codec = planes.codec(plane, number)
            assert codec is not None  # as when it was read before
            light, valid = codec.to_light(plane)
            colors = len(light)
            if len(plane) > colors:  # alpha
                light = np.concatenate([light, plane[colors:].astype(light.dtype)])
            if motion is not STILL:
                light, valid = resample_plane(light, valid, motion)
                light[:colors] /= motion.gain
            if blend is None:
                blend, first = PyramidBlend(len(light), light.shape[1:], light.dtype), plane
            parts = weights.of_plane(place, self._gray(light[:colors]), valid)
            blend.add(light, parts)
            run.meter.done += plane.shape[-2] * plane.shape[-1]
            yield Progress(run.meter.done, run.meter.total)
        assert blend is not None
        assert codec is not None
        light, covered = blend.collapse()
        values = codec.to_values(light[:colors])
        if len(light) > colors:
            values = np.concatenate([values, codec.to_type(light[colors:])])
        return np.where(covered, values, codec.without_data(first))

    def _gray(self, light: Floats) -> FloatArray:
        """Return the mean of colors (Y, X), as displayed if the stack holds display values."""
        gray = mean_light(light)
        return encode(gray) if self.process.layout.encoding == "srgb" else gray

    def _usable(self, gray: FloatArray, valid: Mask | None) -> Mask | None:
        usable = gray < self.white
        if valid is not None:
            usable &= valid
        return None if usable.all() else usable

    def _work_of_plane(self) -> int:
        return self._work_of_map() + math.prod(self.process.layout.map_shape[-2:])

    def _work_of_map(self) -> int:
        pixels = math.prod(self.process.layout.map_shape[-2:])
        return self.process.stages * pixels + self.process.extra_pixels


def _is_constant(plane: Array) -> bool:
    """Return whether the colors of a plane show nothing."""
    return all(bool((channel == channel.flat[0]).all()) for channel in plane[:3])


def mean_light(light: Floats) -> FloatArray:
    """Return the mean of the colors (Y, X), of so many bits that squares do not overflow."""
    return cast(FloatArray, light.mean(axis=0))


def _featureless(planes: StackPlanes, shape: tuple[int, ...]) -> Merged | None:
    """Return the first plane that holds data, which shows nothing, like all others."""
    for number in range(planes.count):
        plane = planes.read(number)
        if planes.codec(plane, number) is not None:
            nothing = np.zeros(shape, np.float32)
            unknown = np.full(shape, np.nan, np.float32)
            return Merged(plane, unknown, nothing, nothing, nothing, 0.0)
    return None


def _one_plane(plane: Array, number: int, shape: tuple[int, ...]) -> Merged:
    """Return a plane as it is."""
    depth = np.full(shape, number, np.float32)
    zeros, ones = (np.full(shape, value, np.float32) for value in (0, 1))
    return Merged(plane, depth, ones, zeros, ones, 0.0)


def _in_pixels(
    depth: Depth, kept: list[int], side: int, shape: tuple[int, ...]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return depth, as index among all planes, confidence, rest and trust in pixels (Y, X).

    Ground that shows nothing but noise takes the depth of its surroundings, which is not sure.
    """
    index = np.interp(depth.depth, np.arange(len(kept)), kept).astype(np.float32)
    sure = depth.confidence * (1 - depth.noise_share)
    others = upsample(np.stack([sure, depth.rest, depth.trust]), side, shape)
    return upsample_surfaces(index, side, shape), others[0], others[1], others[2]
