"""Deblurring of one plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import FloatArray
from ..deblur_settings import DeblurSettings
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
from .guided_plane import GuidedPlane
from .levels import sample_map, smoothstep_down
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
    """

    layout: Layout
    model: ModelCard | nn.Module
    map_source: PlaneEstimator | bool
    settings: DeblurSettings

    @property
    def stages(self) -> int:
        """Number of passes over the plane."""
        return 2 if isinstance(self.map_source, PlaneEstimator) else 1

    @property
    def extra_pixels(self) -> int:
        """Pixels that are processed in addition to the passes over the plane."""
        source = self.map_source
        return source.extra_pixels if isinstance(source, PlaneEstimator) else 0

    def steps(self, *planes: Planes, value_range: Range, run: PlaneRun) -> Steps[WritablePlanes]:
        """Return a plane (C, Y, X) deblurred.

        `planes` are the plane and, where the map exists, radius and confidence (1, Y, X).
        """
        return (yield from self.deblur(self.guided(planes, value_range, run), (), run))

    def guided(self, planes: Sequence[Planes], value_range: Range, run: PlaneRun) -> GuidedPlane:
        """Return a plane with its map, from such `planes` as `steps` takes."""
        return GuidedPlane(planes, PlaneCodec(self.layout, value_range), self.map_source, run)

    def deblur(
        self, own: GuidedPlane, neighbors: Sequence[GuidedPlane], run: PlaneRun
    ) -> Steps[WritablePlanes]:
        """Return a plane (C, Y, X) deblurred, with the help of its neighbors in a stack."""
        plane, codec = own.plane, own.codec
        levels, estimate = yield from own.guide()
        weight = self._weight(estimate)
        mask = run.storage.view(
            plane.shape[1:], lambda *window: weight(estimate[:, *window][0]) > 0
        )
        network = inference_network(self.model)
        is_gray = self.layout.is_gray_micrograph
        change = yield from deblur_at_levels(
            network, levels, estimate, mask, run, micrograph=is_gray
        )
        shares = codec.shares(plane, run.storage)
        supported = None
        if is_gray and self.model in list_models():
            views = yield from _views(neighbors, change, run.storage)
            optics = run.options.optics
            optics = optics if isinstance(optics, Objective) else None
            supported = SupportedChange(levels.image, estimate, change, optics, views)
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


def _views(
    neighbors: Sequence[GuidedPlane], change: Planes, storage: MemoryStorage
) -> Steps[list[tuple[Planes, Planes]]]:
    """Return image and map of each neighbor; of none where nothing is changed."""
    views: list[tuple[Planes, Planes]] = []
    if any(change[:, *block.slices].any() for block in storage.blocks(change.shape, 1)):
        for each in neighbors:
            levels, estimate = yield from each.guide()
            views.append((levels.image, estimate))
    return views
