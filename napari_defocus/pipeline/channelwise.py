"""Work on the channels of a plane one by one, where they have nothing to do with each other."""

from __future__ import annotations

import functools
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..array_types import Array
from ..image.layout import Layout
from ..image.range_rules import Range
from ..inference.storage import MemoryStorage, Planes, WritablePlanes
from .deblur import PlaneDeblurrer
from .guided_plane import GuidedPlane
from .plane import PlaneCodec, PlaneRun, Steps
from .planes import PlaneProcess


@dataclass(frozen=True)
class _Channelwise:
    """A process that runs for one channel after another; constant channels are left out.

    Parameters
    ----------
    layout : Layout
        Layout of the image.
    process : PlaneProcess
        The work on one channel, a gray plane.
    """

    layout: Layout
    process: PlaneProcess

    @property
    def stages(self) -> int:
        """Number of passes over a plane."""
        return self._colors * self.process.stages

    @property
    def extra_pixels(self) -> int:
        """Pixels of each plane that are processed in addition to the passes over it."""
        return self._colors * self.process.extra_pixels

    @property
    def _colors(self) -> int:
        return min(self.layout.channels, 3)

    def _channels(
        self, planes: Sequence[Planes], ranges: Any, run: PlaneRun, maps: Container[int] = ()
    ) -> Iterator[tuple[list[Planes], Range]]:
        """Yield the planes and the value range of each channel.

        `maps` are the numbers of those planes that serve all channels.
        """
        for channel, (low, high) in enumerate(np.broadcast_to(ranges, (self._colors, 2))):
            parts = [
                plane if number in maps else _channel_of(plane, channel, run.storage)
                for number, plane in enumerate(planes)
            ]
            yield parts, (float(low), float(high))

    def _results(
        self, planes: Sequence[Planes], ranges: Any, run: PlaneRun, maps: Container[int] = ()
    ) -> Iterator[tuple[int, Steps[WritablePlanes]]]:
        """Yield each channel that is not constant in the first of the planes, and its work."""
        channels = self._channels(planes, ranges, run, maps)
        for channel, (parts, pair) in enumerate(channels):
            if PlaneCodec(self.layout.channel(), pair).shares(parts[0], run.storage)[0]:
                yield channel, self.process.steps(*parts, value_range=pair, run=run)


@dataclass(frozen=True)
class ChannelwisePicture(_Channelwise):
    """A picture made channel by channel; alpha and constant channels stay as they are."""

    def steps(self, *planes: Planes, value_range: Any, run: PlaneRun) -> Steps[WritablePlanes]:
        """Return the plane (C, Y, X) made by the process, from the plane and its map."""
        maps = range(1, len(planes))
        results = self._results(planes, value_range, run, maps)
        return (yield from _replace_channels(planes[0], results, self.layout.dtype, run))


@dataclass(frozen=True)
class ChannelwiseStack(_Channelwise):
    """Planes of a stack made channel by channel, each with the help of its neighbors."""

    process: PlaneDeblurrer

    def guided(self, planes: Sequence[Planes], value_range: Any, run: PlaneRun) -> GuidedChannels:
        """Return a plane (C, Y, X) whose channels have maps of their own, unless there is one."""
        channels = self._channels(planes, value_range, run, range(1, len(planes)))
        return GuidedChannels(
            planes[0], [self.process.guided(parts, pair, run) for parts, pair in channels]
        )

    def deblur(
        self, own: GuidedChannels, neighbors: Sequence[GuidedChannels], run: PlaneRun
    ) -> Steps[WritablePlanes]:
        """Return the plane (C, Y, X) made by the process."""
        results = (
            (number, self.process.deblur(one, [each.channels[number] for each in neighbors], run))
            for number, one in enumerate(own.channels)
            if one.varies
        )
        return (yield from _replace_channels(own.plane, results, self.layout.dtype, run))


@dataclass(frozen=True)
class GuidedChannels:
    """A plane (C, Y, X), and each of its channels with its map."""

    plane: Planes
    channels: Sequence[GuidedPlane]


@dataclass(frozen=True)
class ChannelwiseMap(_Channelwise):
    """A map for which each pixel takes the radius of its most confident channel."""

    def steps(self, *planes: Planes, value_range: Any, run: PlaneRun) -> Steps[WritablePlanes]:
        """Return radius and confidence (2, Y, X) of one view or two, (C, Y, X) each."""
        result: WritablePlanes | None = None
        for _, steps in self._results(planes, value_range, run):
            estimate = yield from steps
            if result is None:
                result = estimate
                continue
            for block in run.storage.blocks(estimate.shape, 1):
                best, new = (part[:, *block.slices] for part in (result, estimate))
                result[:, *block.slices] = np.where(new[1] > best[1], new, best)
        if result is None:  # nothing shows in any channel
            result = run.storage.array((2, *planes[0].shape[1:]))
        return result


@dataclass(frozen=True)
class ChannelwiseCheck(_Channelwise):
    """A check for which each pixel takes the figures of its least supported channel."""

    def steps(self, *planes: Planes, value_range: Any, run: PlaneRun) -> Steps[WritablePlanes]:
        """Return scores, inferred share and energy of the residual (3, Y, X)."""
        maps = range(2, len(planes))
        worst = np.zeros((3, *planes[0].shape[1:]), np.float32)
        worst[0] = -np.inf
        for _, steps in self._results(planes, value_range, run, maps):
            new = (yield from steps)[:, :, :]
            worst = np.where((new[0] > worst[0]) | np.isnan(new[0]), new, worst)
        worst[0][worst[0] == -np.inf] = np.nan  # nothing shows in any channel
        return worst


@dataclass(frozen=True)
class ChannelwiseSearch(_Channelwise):
    """A search for areas that no channel shows anything in."""

    def steps(self, *planes: Planes, value_range: Any, run: PlaneRun) -> Steps[WritablePlanes]:
        """Return where a plane shows nothing, (1, Y, X) bool."""
        everywhere = np.ones((1, *planes[0].shape[1:]), bool)
        for _, steps in self._results(planes, value_range, run):
            everywhere &= (yield from steps)[:, :, :]
        return everywhere


def _replace_channels(
    plane: Planes, results: Iterable[tuple[int, Steps[WritablePlanes]]], dtype: Any, run: PlaneRun
) -> Steps[WritablePlanes]:
    """Return a plane (C, Y, X) with the results of work on some channels in their places."""
    result = run.storage.array(plane.shape, dtype)
    blocks = run.storage.blocks(plane.shape, 1)
    for block in blocks:
        result[:, *block.slices] = plane[:, *block.slices]
    for channel, steps in results:
        made = yield from steps
        for block in blocks:
            result[channel : channel + 1, *block.slices] = made[:, *block.slices]
    return result


def _channel_of(plane: Planes, channel: int, storage: MemoryStorage) -> Planes:
    """Return one channel (1, Y, X) of a plane."""
    return storage.view((1, *plane.shape[1:]), functools.partial(_window, plane, channel))


def _window(plane: Planes, channel: int, rows: slice, columns: slice) -> Array:
    return plane[channel : channel + 1, rows, columns]
