"""Deblurring of one plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_defocus.pipeline.deblur_levels import deblur_at_levels

from ..array_types import FloatArray
from ..defocus_map import check_values
from ..image.value_range import Range
from ..inference.storage import MemoryStorage, Planes, WritablePlanes
from ..models.cards import ModelCard
from .estimate import Estimate
from .levels import smoothstep_down
from .plane import Steps, Work, inference_network
from .progress import ProgressMeter

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Deblur:
    """The deblurring of one plane."""

    work: Work
    signed: bool
    model: ModelCard | nn.Module
    estimate: Estimate | None
    strength: float
    protect: float

    def steps(
        self,
        plane: Planes,
        *maps: Planes,
        value_range: Range,
        meter: ProgressMeter,
        storage: MemoryStorage,
    ) -> Steps[WritablePlanes]:
        """Return the plane (C, Y, X) deblurred; `maps` are radius and confidence (1, Y, X)."""
        work, shape = self.work, plane.shape[1:]
        before = work.to_display(plane, value_range, storage)
        if self.estimate is None:
            found = self._known(maps, storage)
        else:
            found = yield from self.estimate.steps(
                plane, value_range=value_range, meter=meter, storage=storage
            )
        needed = storage.view(shape, lambda *part: self._weight(found[:, *part][0]) > 0)
        change = yield from deblur_at_levels(
            inference_network(self.model),
            before,
            found,
            work.compute,
            work.scale,
            needed,
            meter,
            storage,
        )
        result = storage.array(plane.shape, work.layout.dtype)
        for block in storage.blocks(shape, 1):
            seen, display, step, radius = (
                part[:, *block.slices] for part in (plane, before, change, found)
            )
            step = self._weight(radius[0]) * step
            result[:, *block.slices] = work.add_change(seen, display, step, value_range)
        return result

    def _known(self, maps: Sequence[Planes], storage: MemoryStorage) -> WritablePlanes:
        """Unsigned radius and confidence (2, Y, X) of a given map, which is checked."""
        found = storage.array((2, *maps[0].shape[1:]))
        for block in storage.blocks(found.shape, 1):
            radius, confidence = (part[:, *block.slices] for part in maps)
            check_values(radius, confidence, signed=self.signed)
            found[:, *block.slices] = np.concatenate([np.abs(radius), confidence])
        return found

    def _weight(self, radius: FloatArray) -> FloatArray:
        return np.float32(self.strength) * _ramp(radius, self.protect)


def _ramp(radius: FloatArray, protect: float) -> FloatArray:
    """0 up to `protect` pixels, 1 from twice that on, smooth between; 1 if it is switched off."""
    return 1 - smoothstep_down(radius, protect, 2 * protect) if protect else np.ones_like(radius)
