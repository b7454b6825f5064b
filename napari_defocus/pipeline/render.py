"""Rendering of one plane with the blur of another focus and aperture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import FloatArray
from ..defocus_map import check_values
from ..errors import MapError
from ..image.layout import Layout
from ..image.range_rules import Range
from ..inference.device import network_info
from ..inference.engine import infer, reach
from ..inference.resample import block_mean, level_shape, upsample_window
from ..inference.storage import ComputedPlanes, MemoryStorage, Planes, WritablePlanes
from ..inference.tiles import Box
from ..optics.pupil import DISK, Pupil
from ..optics.refocus import radius_after_refocus
from .levels import ImageLevels, as_rgb
from .plane import PlaneCodec, PlaneRun, Steps

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class PlaneRenderer:
    """Rendering of one plane; the confidence of its map is only checked.

    Parameters
    ----------
    layout : Layout
        Layout of the image.
    signed : bool
        Whether the map's radii are signed. If not, they lie behind the plane of focus.
    focus : float
        Radius in pixels, signed, of what is to be in focus.
    aperture : float
        Diameter of the aperture, in units of the one that the map was taken with.
    pupil : Pupil
        Shape of the kernels.
    """

    layout: Layout
    signed: bool
    focus: float
    aperture: float
    pupil: Pupil = DISK

    @property
    def stages(self) -> int:
        """Number of passes over the plane."""
        return 1

    @property
    def extra_pixels(self) -> int:
        """Pixels that are processed in addition to the passes over the plane."""
        return 0

    def steps(
        self, plane: Planes, *maps: Planes, value_range: Range, run: PlaneRun
    ) -> Steps[WritablePlanes]:
        """Return the plane (C, Y, X) rendered; `maps` are radius and confidence (1, Y, X)."""
        from .render_network import RenderNetwork

        codec = PlaneCodec(self.layout, value_range)
        before = codec.to_display(plane, run.storage)
        map_radius, confidence = maps
        radius = self._new_radius(map_radius, confidence, run.storage)
        network = RenderNetwork(*_extremes(radius, run.storage), self.pupil)
        after = yield from render_plane(network, before, radius, run)
        shares = codec.shares(plane, run.storage)
        result = run.storage.array(plane.shape, self.layout.dtype)
        for block in run.storage.blocks(plane.shape, 1):
            original, display, rendered = (
                part[:, *block.slices] for part in (plane, before, after)
            )
            change = rendered - display
            result[:, *block.slices] = codec.add_change(original, display, change, shares)
        return result

    def _new_radius(self, radius: Planes, confidence: Planes, storage: MemoryStorage) -> Planes:
        """Check a map's values; return the radius (1, Y, X) with the new focus and aperture."""
        for block in storage.blocks(radius.shape, 1):
            parts = (part[:, *block.slices] for part in (radius, confidence))
            check_values(*parts, signed=self.signed)
        self._check_blur(_extremes(radius, storage), radius.shape)
        # radii of an unsigned map lie behind the plane of focus
        sign = 1 if self.signed else -1
        result = storage.array(radius.shape)
        for block in storage.blocks(radius.shape, 1):
            part = radius[:, *block.slices].astype(np.float32)
            result[:, *block.slices] = sign * radius_after_refocus(part, self.focus, self.aperture)
        return result

    def _check_blur(self, extremes: tuple[float, float], shape: tuple[int, ...]) -> None:
        """Refuse blur that is wider than the plane, which shows none of it."""
        largest = max(
            abs(radius_after_refocus(extreme, self.focus, self.aperture)) for extreme in extremes
        )
        if not largest <= max(shape):
            raise MapError(
                f"the blur would have a radius of {largest:g} pixels, and the image has "
                f"{shape[-2]} x {shape[-1]}; check the map, whose radii reach from "
                f"{extremes[0]:g} to {extremes[1]:g}, the focus {self.focus:g} and the aperture "
                f"{self.aperture:g}"
            )


def _extremes(planes: Planes, storage: MemoryStorage) -> tuple[float, float]:
    """Return the least and the largest value."""
    parts = (planes[:, *block.slices] for block in storage.blocks(planes.shape, 1))
    pairs = [(float(part.min()), float(part.max())) for part in parts]
    return min(low for low, _ in pairs), max(high for _, high in pairs)


def render_plane(network: nn.Module, image: Planes, radius: Planes, run: PlaneRun) -> Steps[Planes]:
    """Blur by signed radii, at full size unless ``downscale`` is a number.

    Parameters
    ----------
    network : torch.nn.Module
        Takes display-encoded RGB and radius, returns RGB.
    image : (1 or 3, Y, X) float32 array
        The image in the networks' form.
    radius : (1, Y, X) float32 array
        Radius in pixels of the plane.
    run : PlaneRun
        Options, progress and storage.

    Yields
    ------
    Progress

    Returns
    -------
    (3, Y, X) float32 array
        In the networks' form.
    """
    factor = run.options.downscale if isinstance(run.options.downscale, int) else 1
    (picture,) = ImageLevels(image, run.storage).at([factor])
    coarse_radius = _shrink(radius, factor, run.storage)
    blurred = run.storage.array((3, *picture.shape[-2:]))
    whole = Box(0, 0, *picture.shape[-2:])
    for block in run.storage.blocks(picture.shape, network_info(network).multiple):
        context = block.expand(reach(network), whole)
        inputs = as_rgb(picture[:, *context.slices]), coarse_radius[:, *context.slices]
        steps = infer(network, inputs, run.options, core=block.relative_to(context))
        pixels = block.height * block.width
        blurred[:, *block.slices] = yield from run.meter.measure(steps, pixels, planned=True)

    def at_full_size(rows: slice, columns: slice) -> FloatArray:
        return upsample_window(
            blurred, factor, Box(rows.start, columns.start, rows.stop, columns.stop)
        )

    return ComputedPlanes((3, *image.shape[-2:]), at_full_size)


def _shrink(radius: Planes, factor: int, storage: MemoryStorage) -> Planes:
    """Return radii (1, Y, X) of the image shrunk by a factor, in its pixels."""
    if factor == 1:
        return radius
    result = storage.array((1, *level_shape(radius.shape, factor)))
    for block in storage.blocks(radius.shape, factor):
        part = block_mean(radius[:, *block.slices], factor) / factor
        result[:, *block.downscale(factor).slices] = part
    return result
