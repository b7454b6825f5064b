"""Rendering of one plane with the blur of another focus and aperture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import Array, FloatArray
from ..defocus_map import check_values
from ..errors import MapError
from ..image.layout import Layout
from ..image.value_range import Range
from ..inference.engine import infer
from ..inference.resample import block_mean, downsample, upsample
from ..inference.storage import Planes, WritablePlanes
from ..optics.refocus import radius_after_refocus
from .levels import as_rgb
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
    """

    layout: Layout
    signed: bool
    focus: float
    aperture: float

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
        original, map_radius, confidence = (part[:, :, :] for part in (plane, *maps))
        before = codec.to_display(plane, run.storage)[:, :, :]
        check_values(map_radius, confidence, signed=self.signed)
        self._check_blur(map_radius)
        radius = self._new_radius(map_radius.astype(np.float32))
        network = RenderNetwork(float(radius.min()), float(radius.max()))
        image = np.concatenate([as_rgb(before), radius])
        after = yield from render_plane(network, image, run)
        shares = codec.shares(plane, run.storage)
        return codec.add_change(original, before, after - before, shares)

    def _check_blur(self, radius: Array) -> None:
        """Refuse blur that is wider than the plane, which shows none of it."""
        extremes = (float(radius.min()), float(radius.max()))
        largest = max(
            abs(radius_after_refocus(extreme, self.focus, self.aperture)) for extreme in extremes
        )
        if not largest <= max(radius.shape):
            raise MapError(
                f"the blur would have a radius of {largest:g} pixels, and the image has "
                f"{radius.shape[-2]} x {radius.shape[-1]}; check the map, whose radii reach from "
                f"{extremes[0]:g} to {extremes[1]:g}, the focus {self.focus:g} and the aperture "
                f"{self.aperture:g}"
            )

    def _new_radius(self, radius: FloatArray) -> FloatArray:
        # radii of an unsigned map lie behind the plane of focus
        sign = 1 if self.signed else -1
        return np.asarray(
            sign * radius_after_refocus(radius, self.focus, self.aperture), np.float32
        )


def render_plane(network: nn.Module, image: FloatArray, run: PlaneRun) -> Steps[FloatArray]:
    """Blur by signed radii, at full size unless ``downscale`` is a number.

    Parameters
    ----------
    network : torch.nn.Module
        Takes display-encoded RGB and radius, returns RGB.
    image : (4, Y, X) float32 array
        The image in the networks' form, and radius in pixels of the plane.
    run : PlaneRun
        Options and progress.

    Yields
    ------
    Progress

    Returns
    -------
    (3, Y, X) float32 array
        In the networks' form.
    """
    factor = run.options.downscale if isinstance(run.options.downscale, int) else 1
    coarse = np.concatenate(
        [*downsample(image[:3], [factor]), block_mean(image[3:], factor) / factor]
    )
    steps = infer(network, coarse, run.options)
    blurred = yield from run.meter.measure(steps, coarse[0].size, planned=True)
    return upsample(blurred, factor, image.shape[-2:])
