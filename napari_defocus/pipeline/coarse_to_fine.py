"""Coarse-to-fine estimation of a defocus map."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, cast

import numpy as np

from ..array_types import FloatArray
from ..inference.device import Compute
from ..inference.engine import Progress, infer, reach
from ..inference.resample import upsample_window
from ..inference.storage import ComputedPlanes, MemoryStorage, Planes, WritablePlanes
from ..inference.tiles import Box
from .bilateral import SIMILAR_RADIUS, smooth_surfaces
from .confidence import confidence_within
from .fill import fill_uncertain
from .levels import (
    as_rgb,
    coarsest_level,
    finest_level,
    power_of_two_levels,
    shrink_to_levels,
    size_multiple,
    smoothstep_down,
)
from .progress import ProgressMeter

if TYPE_CHECKING:
    from torch import nn

    from ..networks.descriptor import Descriptor


#: Estimators refine what a coarser look has found up to these radii, in pixels of the level: larger
#: blur has no finer detail to tell by. Rendered scenes score the same between 12 and 18.
_REFINED_BETWEEN = (2.5, 5)


#: But small, even texture, such as bricks or cells seen from far, may look like large blur when
#: downsample. So a fresh look that is surer by this much, of being within a pixel, is believed instead.  # noqa: E501
_SURER_BY = (0.5, 0.75)


def estimate_coarse_to_fine(
    network: nn.Module,
    views: Planes,
    compute: Compute,
    scale: int | str,
    meter: ProgressMeter,
    storage: MemoryStorage,
) -> Generator[Progress, None, WritablePlanes]:
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
    meter : ProgressMeter
        Counts the progress.
    storage : MemoryStorage
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
        levels = power_of_two_levels(finest_level(views, meter), coarsest_level(shape))
    else:
        levels = [int(scale)]
    pictures = shrink_to_levels(views, levels, storage)
    found = yield from _look(network, pictures.pop(), None, compute, meter, storage, not pictures)
    while pictures:
        picture = pictures.pop()
        found = yield from _look(network, picture, found, compute, meter, storage, not pictures)
    if levels[0] > 1:
        found = _carried_up(found, levels[0], shape, storage)
    task = cast("Descriptor", network.descriptor).task
    smooth_surfaces(found, views, storage, SIMILAR_RADIUS[task])
    if task == "dual":
        fill_uncertain(found, views, storage, SIMILAR_RADIUS[task])
    return found


def _look(
    network: nn.Module,
    picture: Planes,
    coarser: Planes | None,
    compute: Compute,
    meter: ProgressMeter,
    storage: MemoryStorage,
    planned: bool,
) -> Generator[Progress, None, WritablePlanes]:
    """Return radius and confidence (2, Y, X), in pixels of the picture."""
    found = storage.array((2, *picture.shape[-2:]))
    whole = Box(0, 0, *picture.shape[-2:])
    for block in storage.blocks(picture.shape, size_multiple(network)):
        sight = block.expand(reach(network), whole)
        core = block.relative_to(sight)
        known = np.zeros((2, sight.height, sight.width), np.float32)
        share = np.ones(known.shape[-2:], np.float32)
        if coarser is not None:
            known[:] = upsample_window(coarser, 2, sight)
            known[0] *= 2
            share = smoothstep_down(known[0], *_REFINED_BETWEEN)
        told = np.where(share > 0, known, 0)
        seen = (as_rgb(picture[:, *sight.slices]), told)
        known[1] = confidence_within(known[1], 0.5)
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


def _carried_up(
    found: Planes, level: int, shape: tuple[int, ...], storage: MemoryStorage
) -> WritablePlanes:
    """Bring radius and confidence of a coarse level to the plane's own size and pixels."""

    def scaled(rows: slice, columns: slice) -> FloatArray:
        radius, confidence = found[:, rows, columns]
        return np.stack([radius * level, confidence_within(confidence, 1 / level)])

    large = storage.array((2, *shape))
    for block in storage.blocks(shape, 1):
        large[:, *block.slices] = upsample_window(ComputedPlanes(found.shape, scaled), level, block)
    return large
