"""Defocus map of one plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_defocus.pipeline.coarse_to_fine import estimate_coarse_to_fine

from ..image.value_range import Range
from ..inference.storage import MemoryStorage, Planes, WritablePlanes
from ..models.cards import ModelCard
from ..models.load import load_network
from ..models.registry import scale_model
from .disparity_scale import match_disparity_scale, max_pixels
from .levels import as_rgb
from .plane import Steps, Work, inference_network
from .progress import ProgressMeter
from .rectify import rectify

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Estimate:
    """The estimation of one plane."""

    work: Work
    model: ModelCard | nn.Module

    @property
    def reference(self) -> nn.Module | None:
        """What sets the scale of the radii, if the model says that another one does."""
        card = scale_model(self.model) if isinstance(self.model, ModelCard) else None
        return None if card is None else load_network(card)

    def meter(self) -> ProgressMeter:
        """Count the progress of all planes."""
        layout, meter = self.work.layout, self.work.meter(stages=1)
        if self.reference is not None:
            meter.plan_tiles(int(np.prod(layout.leading)) * max_pixels(layout.map_shape))
        return meter

    def steps(
        self, *planes: Planes, value_range: Range, meter: ProgressMeter, storage: MemoryStorage
    ) -> Steps[WritablePlanes]:
        """Return radius and confidence (2, Y, X) of one view or two, (C, Y, X) each."""
        work, reference = self.work, self.reference
        view, *others = (work.to_display(plane, value_range, storage) for plane in planes)
        if others:
            whole = as_rgb(view[:, :, :])
            level = (rectify(whole, as_rgb(other[:, :, :])) for other in others)
            view = np.concatenate([whole, *level])
        found = yield from estimate_coarse_to_fine(
            inference_network(self.model), view, work.compute, work.scale, meter, storage
        )
        if reference is not None:
            yield from match_disparity_scale(found, view, reference, work.compute, meter, storage)
        if work.layout.dtype.kind == "f":
            _forget_unseen(found, planes, storage)
        return found


def _forget_unseen(found: WritablePlanes, planes: Sequence[Planes], storage: MemoryStorage) -> None:
    """Set confidence to zero where a view is not finite, and radius too if nothing of it is."""
    for block in storage.blocks(found.shape, 1):
        for plane in planes:
            seen = np.isfinite(plane[:, *block.slices][:3])
            if not seen.all():
                part = found[:, *block.slices]
                part[1][~seen.all(axis=0)] = 0
                part[0] *= seen.any()
                found[:, *block.slices] = part
