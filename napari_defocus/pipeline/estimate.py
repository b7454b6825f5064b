"""Estimation of one plane's defocus map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..image.layout import Layout
from ..image.range_rules import Range
from ..inference.storage import MemoryStorage, Planes, WritablePlanes
from ..models import ModelCard, load_network, scale_model
from ..objective import Objective
from .coarse_to_fine import estimate_coarse_to_fine
from .disparity_scale import match_disparity_scale, max_pixels
from .grid import remove_grid
from .hot_pixels import without_hot_pixels
from .levels import ImageLevels, as_rgb
from .micrograph import judge_map, make_up_for_aperture, subtract_spot
from .noise_spectrum import add_pattern, measure_noise_spectrum
from .plane import PlaneCodec, PlaneRun, Steps, inference_network
from .rectify import rectify

if TYPE_CHECKING:
    from torch import nn

    from ..networks.network import Network


@dataclass(frozen=True)
class PlaneEstimator:
    """Estimation of one plane's defocus map.

    Parameters
    ----------
    layout : Layout
        Layout of the image.
    model : ModelCard or torch.nn.Module
        The estimator.
    """

    layout: Layout
    model: ModelCard | nn.Module

    @property
    def stages(self) -> int:
        """Number of passes over the plane."""
        return 1

    @property
    def scale_reference(self) -> Network | None:
        """The network whose radii set the scale, if the model's card names one."""
        card = scale_model(self.model) if isinstance(self.model, ModelCard) else None
        return None if card is None else load_network(card)

    @property
    def extra_pixels(self) -> int:
        """Pixels of each plane that are processed in addition to the estimation itself."""
        return 0 if self.scale_reference is None else max_pixels(self.layout.map_shape)

    def steps(self, *planes: Planes, value_range: Range, run: PlaneRun) -> Steps[WritablePlanes]:
        """Return radius and confidence (2, Y, X) of one view or two, (C, Y, X) each."""
        codec = PlaneCodec(self.layout, value_range)
        image, *others = (codec.to_display(plane, run.storage) for plane in planes)
        if others:
            left = as_rgb(image[:, :, :])
            rights = (rectify(left, as_rgb(other[:, :, :])) for other in others)
            image = np.concatenate([left, *rights])
        elif self.layout.is_gray_micrograph:
            image = without_hot_pixels(image, run.storage)
        levels = ImageLevels(image, run.storage, run.resolved_level(self.layout))
        return (yield from self.steps_at_levels(levels, planes, codec, run))

    def steps_at_levels(
        self, levels: ImageLevels, planes: Sequence[Planes], codec: PlaneCodec, run: PlaneRun
    ) -> Steps[WritablePlanes]:
        """Return radius and confidence (2, Y, X) of planes whose levels exist already."""
        filtered = 0.0
        if self.layout.is_gray_micrograph:
            levels, filtered = _with_white_noise(levels, run)
        estimate = yield from estimate_coarse_to_fine(inference_network(self.model), levels, run)
        reference = self.scale_reference
        if reference is not None:
            yield from match_disparity_scale(estimate, levels.image, reference, run)
        correction = self.model.correction if isinstance(self.model, ModelCard) else {}
        if len(planes) == 1 and not correction:
            remove_grid(estimate, run.storage)
        if self.layout.is_gray_micrograph:
            judge_map(estimate, levels.image, correction, filtered)
            if isinstance(run.options.optics, Objective):
                subtract_spot(estimate, run.options.optics)
                if correction:
                    make_up_for_aperture(estimate, run.options.optics)
        if codec.may_lack_data:
            _distrust_missing(estimate, planes, codec, run.storage)
        return estimate


def _with_white_noise(levels: ImageLevels, run: PlaneRun) -> tuple[ImageLevels, float]:
    """Return a micrograph's levels with the noise that a filter took, and how much it took.

    Filtered noise would be taken for what is sharp. An enlarged image has noise of its own at the
    level at which it is resolved.
    """
    if levels.finest > 1:
        return levels, 0.0
    spectrum = measure_noise_spectrum(levels.image)
    if not spectrum.filtered:
        return levels, 0.0
    noisy = add_pattern(levels.image, spectrum.missing_noise(), run.storage)
    return ImageLevels(noisy, run.storage), spectrum.filtered


def _distrust_missing(
    estimate: WritablePlanes, planes: Sequence[Planes], codec: PlaneCodec, storage: MemoryStorage
) -> None:
    """Set confidence to 0 where a view holds no data.

    Radii of a block without any data are set to 0 too.
    """
    for block in storage.blocks(estimate.shape, 1):
        for plane in planes:
            valid = codec.valid_mask(plane[:, *block.slices][:3])
            if valid is not None:
                part = estimate[:, *block.slices]
                part[1][~valid.all(axis=0)] = 0
                part[0] *= valid.any()
                estimate[:, *block.slices] = part
