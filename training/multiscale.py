"""Coarse-to-fine estimation as in the plugin, but differentiable, and its losses."""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.optics.light import decode_srgb, encode_srgb
from training.losses import USUAL_RELIEF, confidence_loss, radius_loss, spread_loss

_COARSEST = 8


def coarse_to_fine(
    network: nn.Module, pictures: Tensor, coarsest: int = _COARSEST, max_side: int | None = None
) -> dict[int, Tensor]:
    """Estimate at a fraction of the pictures' size, then at twice that size, and so on.

    Parameters
    ----------
    network : nn.Module
        An estimator.
    pictures : Tensor
        (N, C, H, W) display-encoded, without a coarser estimate.
    coarsest : int
        Factor by which the pictures are downscaled at first, a power of two; less where their
        sides are not multiples of it.
    max_side : int, optional
        Longest side in pixels that the network sees: of larger pictures, only the middle.

    Returns
    -------
    dict of int to Tensor
        Estimates by the factor by which the pictures were downscaled, coarsest first: (N, 2, h, w),
        radius in pixels of the downscaled pictures, confidence. No gradient flows from an estimate
        into the coarser one.
    """
    multiple = cast("Descriptor", network.descriptor).multiple
    estimates: dict[int, Tensor] = {}
    coarser: Tensor | None = None
    for factor in _factors(pictures.shape[-2:], multiple, coarsest):
        if max_side is not None:
            pictures = middle(pictures, max_side * factor)
            coarser = None if coarser is None else middle(coarser, max_side // 2)
        small = downsample(pictures, factor)
        prior = _no_prior(small) if coarser is None else upsample_map(coarser)
        estimates[factor] = network(torch.cat([small, prior], 1)).float()
        coarser = estimates[factor].detach()
    return estimates


def multiscale_losses(
    estimates: Mapping[int, Tensor],
    truth: Tensor,
    weight: Tensor,
    relief: float = USUAL_RELIEF,
    spread: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Return the losses of the radius and of the confidence, averaged over all scales.

    Parameters
    ----------
    estimates : mapping of int to Tensor
        From `coarse_to_fine`.
    truth, weight : Tensor
        (N, 1, H, W) radius in px, and the weight of each in [0, 1].
    relief : float
        Decrease of the weight of errors per px of the true radius.
    spread : float
        Weight of `spread_loss` beside `confidence_loss`.

    Returns
    -------
    (Tensor, Tensor)
        Scalars. The loss of the radius is in pixels of the picture, not of the downscaled one.
    """
    radius_losses, confidence_losses = [], []
    for factor, estimate in estimates.items():
        radius, confidence = estimate[:, :1], estimate[:, 1:]
        side = estimate.shape[-1]
        true, counts = (_sample_centers(values, factor, side) for values in (truth, weight))
        radius_losses.append(radius_loss(factor * radius, true, counts, relief))
        loss = confidence_loss(confidence, radius, true / factor, counts)
        if spread:
            loss = loss + spread * spread_loss(confidence, radius, true / factor, counts)
        confidence_losses.append(loss)
    return torch.stack(radius_losses).mean(), torch.stack(confidence_losses).mean()


def middle(values: Tensor, side: int) -> Tensor:
    """Return the square of a side from the middle of (..., H, W), cut to H and W."""
    top, left = (max(length - side, 0) // 2 for length in values.shape[-2:])
    return values[..., top : top + side, left : left + side]


def downsample(display: Tensor, factor: int) -> Tensor:
    """Return display-encoded pictures downscaled by averaging their linear light."""
    if factor == 1:
        return display
    return encode_srgb(functional.avg_pool2d(decode_srgb(display), factor))


def upsample_map(estimate: Tensor) -> Tensor:
    """Return radius and confidence (N, 2, H, W) at twice the size, the radius in its pixels."""
    large = functional.interpolate(estimate, scale_factor=2, mode="bilinear", align_corners=False)
    return torch.cat([2 * large[:, :1], large[:, 1:]], 1)


def _no_prior(pictures: Tensor) -> Tensor:
    return pictures.new_zeros(len(pictures), 2, *pictures.shape[-2:])


def _factors(shape: Sequence[int], multiple: int, coarsest: int) -> list[int]:
    factors = [1]
    while factors[0] < coarsest and all(side % (2 * factors[0] * multiple) == 0 for side in shape):
        factors.insert(0, 2 * factors[0])
    return factors


def _sample_centers(values: Tensor, factor: int, side: int) -> Tensor:
    """Return the values (N, 1, H, W) at the centers of the pixels of a downscaled estimate."""
    center = factor // 2
    return middle(values, factor * side)[..., center::factor, center::factor]
