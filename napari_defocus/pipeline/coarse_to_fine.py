"""Coarse-to-fine estimation of a defocus map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..array_types import FloatArray
from ..inference.engine import infer, reach
from ..inference.resample import upsample_window
from ..inference.storage import ComputedPlanes, MemoryStorage, Planes, WritablePlanes
from ..inference.tiles import Box
from .bilateral import RADIUS_SIGMA, smooth_surfaces
from .confidence import confidence_within
from .fill import fill_uncertain
from .levels import ImageLevels, as_rgb, coarsest_level, size_multiple, smoothstep_down
from .plane import PlaneRun, Steps

if TYPE_CHECKING:
    from ..networks.network import Network

#: Radii, in pixels of the level, between which refinement of the coarser estimate fades out: larger
#: blur leaves no finer detail to judge by. Refining radii from 5 to 8 px too would take rendered
#: scenes from 0.424 to 0.418 px, but the errors of Pixel 4 from 0.037 / 0.058 / 0.116 to
#: 0.041 / 0.066 / 0.132.
_REFINED_BETWEEN = (2.5, 5)
#: Gains in confidence between which the finer estimate takes over at larger radii too. Fine,
#: regular texture, such as bricks or distant cells, may look like large blur at a coarse level.
_MORE_CONFIDENT_BY = (0.5, 0.75)


def estimate_coarse_to_fine(
    network: Network, levels: ImageLevels, run: PlaneRun
) -> Steps[WritablePlanes]:
    """Estimate radius and confidence, from coarse to fine.

    With ``downscale="auto"`` the coarsest level is estimated first. At each finer level the network
    takes the estimate of the level before, and refines it where radii are small enough.

    Parameters
    ----------
    network : Network
        An estimator.
    levels : ImageLevels
        The image (1 or 3 channels) or both views (6 channels).
    run : PlaneRun
        Options, progress and storage.

    Yields
    ------
    Progress

    Returns
    -------
    (2, Y, X) float32 array
        Radius in pixels of the plane, confidence.
    """
    factors = _levels_to_estimate(levels, run)
    pictures = levels.at(factors)
    estimate: WritablePlanes | None = None
    for picture in reversed(pictures):
        estimate = yield from _estimate_level(network, picture, estimate, run, pictures[0])
    assert estimate is not None
    if factors[0] > 1:
        estimate = _upsample_map(estimate, factors[0], levels.shape, run.storage)
    task = network.descriptor.task
    smooth_surfaces(estimate, levels.image, run.storage, RADIUS_SIGMA[task])
    if task == "dual":
        fill_uncertain(estimate, levels.image, run.storage, RADIUS_SIGMA[task])
    return estimate


def _levels_to_estimate(levels: ImageLevels, run: PlaneRun) -> list[int]:
    if isinstance(run.options.downscale, int):
        return [run.options.downscale]
    levels.skip_unresolved(run.meter)
    return levels.up_to(coarsest_level(levels.shape))


def _estimate_level(
    network: Network,
    picture: Planes,
    coarser: Planes | None,
    run: PlaneRun,
    finest: Planes,
) -> Steps[WritablePlanes]:
    """Return radius and confidence (2, Y, X) of one level, in pixels of its picture.

    The network runs only where the coarser estimate is to be refined or is uncertain.
    """
    estimate = run.storage.array((2, *picture.shape[-2:]))
    whole = Box(0, 0, *picture.shape[-2:])
    for block in run.storage.blocks(picture.shape, size_multiple(network)):
        context = block.expand(reach(network), whole)
        core = block.relative_to(context)
        prior, share = _prior(coarser, context)
        inputs = (as_rgb(picture[:, *context.slices]), np.where(share > 0, prior, 0))
        prior[1] = confidence_within(prior[1], 0.5)
        uncertain = prior[1] < 1 - _MORE_CONFIDENT_BY[0]
        steps = infer(network, inputs, run.options, (share > 0) | uncertain, core)
        pixels = block.height * block.width
        finer = yield from run.meter.measure(steps, pixels, planned=picture is finest)
        prior, share = prior[:, *core.slices], share[core.slices]
        share = np.maximum(share, _share_by_confidence(finer[1], prior[1]))
        finer -= prior
        finer *= share
        finer += prior
        estimate[:, *block.slices] = finer
    return estimate


def _prior(coarser: Planes | None, context: Box) -> tuple[FloatArray, FloatArray]:
    """Return the coarser level's estimate (2, y, x) at this level, and the share to refine."""
    prior = np.zeros((2, context.height, context.width), np.float32)
    share = np.ones(prior.shape[-2:], np.float32)
    if coarser is not None:
        prior[:] = upsample_window(coarser, 2, context)
        prior[0] *= 2
        share = smoothstep_down(prior[0], *_REFINED_BETWEEN)
    return prior, share


def _share_by_confidence(finer: FloatArray, coarser: FloatArray) -> FloatArray:
    """Return the finer level's share by its confidence: 1 where it is far higher, 0 elsewhere."""
    low, high = _MORE_CONFIDENT_BY
    share: FloatArray = np.clip((finer - coarser - low) / (high - low), 0, 1)
    return share


def _upsample_map(
    estimate: Planes, level: int, shape: tuple[int, ...], storage: MemoryStorage
) -> WritablePlanes:
    """Return radius and confidence of a level at the plane's own size and in its pixels."""

    def in_plane_pixels(rows: slice, columns: slice) -> FloatArray:
        radius, confidence = estimate[:, rows, columns]
        return np.stack([radius * level, confidence_within(confidence, 1 / level)])

    large = storage.array((2, *shape))
    for block in storage.blocks(shape, 1):
        coarse = ComputedPlanes(estimate.shape, in_plane_pixels)
        large[:, *block.slices] = upsample_window(coarse, level, block)
    return large
