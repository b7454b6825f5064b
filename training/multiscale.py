"""What estimators see when they look at pictures from coarse to fine."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_defocus.optics.light import decode_srgb, encode_srgb
from training.losses import USUAL_RELIEF, confidence_loss, radius_loss, spread_loss

_COARSEST = 8


def coarse_to_fine(
    network: nn.Module, pictures: Tensor, coarsest: int = _COARSEST, largest: int | None = None
) -> dict[int, Tensor]:
    """Look at pictures at a fraction of their size, then at twice that size, and so on.

    Parameters
    ----------
    network : nn.Module
        An estimator.
    pictures : Tensor
        (N, C, H, W) display-encoded, without what a coarser look has found.
    coarsest : int
        How many times the pictures are shrunk at first, a power of two; less where their sides
        allow no more.
    largest : int, optional
        Longest side of a look in its pixels: of larger ones, the middle alone is looked at.

    Returns
    -------
    dict of int to Tensor
        By how many times the pictures were shrunk, coarsest first: (N, 2, h, w), radius in pixels
        of the shrunken pictures, confidence. No gradient flows from a look into the one before.
    """
    levels = _levels(pictures.shape[-2:], network.descriptor.multiple, coarsest)
    answers: dict[int, Tensor] = {}
    found = None
    for level in levels:
        if largest is not None:
            pictures = middle(pictures, largest * level)
            found = None if found is None else middle(found, largest // 2)
        seen = downsample(pictures, level)
        found = seen.new_zeros(len(seen), 2, *seen.shape[-2:]) if found is None else doubled(found)
        answers[level] = network(torch.cat([seen, found], 1)).float()
        found = answers[level].detach()
    return answers


def multiscale_losses(
    looks: Mapping[int, Tensor],
    truth: Tensor,
    sure: Tensor,
    relief: float = USUAL_RELIEF,
    spread: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Mean losses, over all looks, of the radius in px of the picture and of the confidence.

    Parameters
    ----------
    looks : mapping of int to Tensor
        From `coarse_to_fine`.
    truth, sure : Tensor
        (N, 1, H, W) radius in px, and how much each counts.
    relief : float
        How much less errors count for each px of the true radius.
    spread : float
        How much it counts, beside whether errors are below 1 px, how large they are expected to be.
    """
    wrong, doubt = [], []
    for level, look in looks.items():
        radius, confidence = look[:, :1], look[:, 1:]
        true, counts = (_sampled(values, level, look.shape[-1]) for values in (truth, sure))
        wrong.append(radius_loss(level * radius, true, counts, relief))
        believed = confidence, radius, true / level, counts
        unsure = confidence_loss(*believed)
        if spread:
            unsure = unsure + spread * spread_loss(*believed)
        doubt.append(unsure)
    return torch.stack(wrong).mean(), torch.stack(doubt).mean()


def middle(values: Tensor, side: int) -> Tensor:
    """The square of at most a side in the middle of (..., H, W)."""
    top, left = (max(length - side, 0) // 2 for length in values.shape[-2:])
    return values[..., top : top + side, left : left + side]


def downsample(display: Tensor, times: int) -> Tensor:
    """Display-encoded pictures shrunk by averaging their light."""
    if times == 1:
        return display
    return encode_srgb(functional.avg_pool2d(decode_srgb(display), times))


def doubled(found: Tensor) -> Tensor:
    """Radius and confidence at twice the size, (N, 2, H, W), the radius in its pixels."""
    large = functional.interpolate(found, scale_factor=2, mode="bilinear", align_corners=False)
    return torch.cat([2 * large[:, :1], large[:, 1:]], 1)


def _levels(shape: Sequence[int], multiple: int, coarsest: int) -> list[int]:
    levels = [1]
    while levels[0] < coarsest and all(side % (2 * levels[0] * multiple) == 0 for side in shape):
        levels.insert(0, 2 * levels[0])
    return levels


def _sampled(values: Tensor, level: int, side: int) -> Tensor:
    """What a look of a side saw of (N, 1, H, W): the value amid each `level` x `level` pixels."""
    center = level // 2
    return middle(values, level * side)[..., center::level, center::level]
