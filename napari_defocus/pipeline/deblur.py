"""Deblurring of one plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import FloatArray
from ..deblur_settings import DeblurSettings
from ..defocus_map import check_values
from ..image.encoding import blend
from ..image.layout import Layout
from ..image.range_rules import Range
from ..inference.storage import MemoryStorage, Planes, WritablePlanes
from ..models import ModelCard, list_models
from ..objective import Objective
from .bokeh import subject_limit
from .consistency import SupportedChange
from .deblur_levels import deblur_at_levels
from .estimate import PlaneEstimator
from .hot_pixels import without_hot_pixels
from .levels import ImageLevels, sample_map, smoothstep_down
from .plane import PlaneCodec, PlaneRun, Steps, inference_network

if TYPE_CHECKING:
    from torch import nn

#: Share of the radius of bokeh at which the change begins to fade out.
_BOKEH_FADES_FROM = 0.8


@dataclass(frozen=True)
class PlaneDeblurrer:
    """Deblurring of one plane.

    Parameters
    ----------
    layout : Layout
        Layout of the image.
    model : ModelCard or torch.nn.Module
        The deblurring network.
    map_source : PlaneEstimator or bool
        The estimator of the map; or, if the map exists, whether its radii are signed.
    settings : DeblurSettings
        How much is changed.
    neighbors : int
        How many neighboring planes of a stack take part at most: 0 or 2.
    """

    layout: Layout
    model: ModelCard | nn.Module
    map_source: PlaneEstimator | bool
    settings: DeblurSettings
    neighbors: int = 0

    @property
    def stages(self) -> int:
        """Number of passes over the plane."""
        return 2 + self.neighbors if isinstance(self.map_source, PlaneEstimator) else 1

    @property
    def extra_pixels(self) -> int:
        """Pixels that are processed in addition to the passes over the plane."""
        source = self.map_source
        return source.extra_pixels if isinstance(source, PlaneEstimator) else 0

    def steps(self, *planes: Planes, value_range: Range, run: PlaneRun) -> Steps[WritablePlanes]:
        """Return a plane (C, Y, X) deblurred.

        `planes` are the plane and, where the map exists, radius and confidence (1, Y, X); then the
        same of each neighbor that exists.
        """
        codec = PlaneCodec(self.layout, value_range)
        plane, count = planes[0], 1 if isinstance(self.map_source, PlaneEstimator) else 3
        levels, estimate = yield from self._levels_and_map(planes[:count], codec, run)
        neighbors = []
        for start in range(count, len(planes), count):
            around = yield from self._levels_and_map(planes[start : start + count], codec, run)
            neighbors.append((around[0].image, around[1]))
        weight = self._weight(estimate)
        mask = run.storage.view(
            plane.shape[1:], lambda *window: weight(estimate[:, *window][0]) > 0
        )
        network = inference_network(self.model)
        change = yield from deblur_at_levels(
            network, levels, estimate, mask, run, micrograph=self._is_gray
        )
        shares = codec.shares(plane, run.storage)
        supported = None
        if self._is_gray and self.model in list_models():
            optics = run.options.optics
            optics = optics if isinstance(optics, Objective) else None
            supported = SupportedChange(levels.image, estimate, change, optics, neighbors)
        result = run.storage.array(plane.shape, self.layout.dtype)
        for block in run.storage.blocks(plane.shape, 1):
            original, display, step, radius = (
                part[:, *block.slices] for part in (plane, levels.image, change, estimate)
            )
            if supported is not None:
                step = supported.at(block)
            step = weight(radius[0]) * step
            changed = codec.add_change(original, display, step, shares)
            result[:, *block.slices] = blend(original, changed, self.settings.amount)
        return result

    @property
    def _is_gray(self) -> bool:
        """Whether the plane is a gray micrograph."""
        return self.layout.imaging == "microscopy" and not self.layout.color

    def _levels_and_map(
        self, planes: Sequence[Planes], codec: PlaneCodec, run: PlaneRun
    ) -> Steps[tuple[ImageLevels, WritablePlanes]]:
        """Return a plane's levels, with unsigned radius and confidence (2, Y, X)."""
        plane, *maps = planes
        display = codec.to_display(plane, run.storage)
        if self._is_gray:
            display = without_hot_pixels(display, run.storage)
        levels = ImageLevels(display, run.storage, run.resolved_level(self.layout))
        if isinstance(self.map_source, PlaneEstimator):
            estimate = yield from self.map_source.steps_at_levels(levels, [plane], codec, run)
        else:
            estimate = _unsigned_map(maps, run.storage, signed=self.map_source)
        return levels, estimate

    def _weight(self, estimate: Planes) -> ChangeWeight:
        """Return the factor of the change by radius; with "auto" it follows from the map."""
        settings, bokeh = self.settings, self.settings.bokeh_radius
        if isinstance(bokeh, str):
            (radius, confidence), _ = sample_map(estimate)
            bokeh = subject_limit(radius, confidence)
        return ChangeWeight(settings.strength, settings.protect_radius, bokeh)


@dataclass(frozen=True)
class ChangeWeight:
    """Factor of the change at a radius.

    Parameters
    ----------
    strength : float
        The factor of what is deblurred in full.
    protect_radius : float
        Radius in pixels up to which nothing is changed; from twice that on, all is.
    bokeh_radius : float
        Radius in pixels from which on nothing is changed; up to 0.8 times that, all is. 0: none.
    """

    strength: float
    protect_radius: float
    bokeh_radius: float

    def __call__(self, radius: FloatArray) -> FloatArray:
        """Return the factor for each of the radii, which are >= 0."""
        share = np.ones_like(radius)
        if self.protect_radius:
            share = 1 - smoothstep_down(radius, self.protect_radius, 2 * self.protect_radius)
        if self.bokeh_radius:
            full = _BOKEH_FADES_FROM * self.bokeh_radius
            share = share * smoothstep_down(radius, full, self.bokeh_radius)
        return np.float32(self.strength) * share


def _unsigned_map(
    maps: Sequence[Planes], storage: MemoryStorage, *, signed: bool
) -> WritablePlanes:
    """Check a map's values; return unsigned radius and confidence (2, Y, X)."""
    result = storage.array((2, *maps[0].shape[1:]))
    for block in storage.blocks(result.shape, 1):
        radius, confidence = (part[:, *block.slices] for part in maps)
        check_values(radius, confidence, signed=signed)
        result[:, *block.slices] = np.concatenate([np.abs(radius), confidence])
    return result
