"""Reblurring with a bank of kernels, and the radius that reblurs best: no radius is ever given."""

from dataclasses import dataclass

import torch
from torch import Tensor

from napari_defocus.networks.blocks import box
from napari_defocus.optics.bank import KernelBank
from napari_defocus.optics.convolution import convolve

_FLAT = 0.02
_AGREEING = 1.0


def left_candidates(sharp: Tensor, bank: KernelBank) -> Tensor:
    """The left view for every whole signed radius.

    Parameters
    ----------
    sharp : Tensor
        (N, 1, H, W) linear light.
    bank : KernelBank
        Of kernels up to radius R.

    Returns
    -------
    Tensor
        (N, 2 R + 1, H, W) for radii -R, ..., R. The right view for a radius is the left one for
        its opposite: flip the axis.
    """
    positive, negative = bank.views(in_front=True)[0], bank.views(in_front=False)[0]
    kernels = torch.cat([negative[1:].flip(0), positive])
    return convolve(sharp, kernels)[:, :, 0]


def interpolation_weights(radius: Tensor, limit: int) -> Tensor:
    """Share of every whole signed radius -limit, ..., limit: (N, 1, H, W) to (N, S, H, W)."""
    steps = torch.arange(-limit, limit + 1, device=radius.device, dtype=radius.dtype)
    return (1 - (radius.clamp(-limit, limit) - steps[:, None, None]).abs()).clamp(min=0)


def reblur_views(candidates: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
    """Left and right view (N, 1, H, W) by `left_candidates` and a signed radius (N, 1, H, W).

    Notes
    -----
    out(p) = sum_i max(0, 1 - |r(p) - i|) (k_i * sharp)(p), with one kernel for each sign: the
    reblurring of the learnable blur kernel (Zhai et al. 2023).
    """
    weights = interpolation_weights(radius, candidates.shape[1] // 2)
    left = (weights * candidates).sum(1, keepdim=True)
    right = (weights * candidates.flip(1)).sum(1, keepdim=True)
    return left, right


@dataclass(frozen=True)
class Match:
    """The radius whose candidates fit the views best.

    Attributes
    ----------
    radius : Tensor
        (N, 1, H, W) signed, in px.
    clear : Tensor
        (N, 1, H, W) in [0, 1]: how much better it fits than the mean candidate. 0 where there is
        no texture to tell, and where wider windows say otherwise, as beside edges in depth.
    """

    radius: Tensor
    clear: Tensor


@torch.no_grad()
def best_match(candidates: Tensor, left: Tensor, right: Tensor, half: int) -> Match:
    """Compare views with candidates over (2 half + 1)-wide windows, and over twice as wide ones."""
    errors = (candidates - left).abs() + (candidates.flip(1) - right).abs()
    errors = errors.contiguous(memory_format=torch.channels_last)
    cost = box(errors, half)
    radius, at = _least(cost)
    wide, _ = _least(box(errors, 2 * half))
    level = box((left + right) / 2, half).clamp(min=_FLAT)
    clear = ((cost.mean(1, keepdim=True) - at) / (at + _FLAT * level)).clamp(0, 1)
    return Match(radius, clear * ((radius - wide).abs() < _AGREEING))


def _least(cost: Tensor) -> tuple[Tensor, Tensor]:
    """Signed radius of the least cost, refined by a parabola; and that cost."""
    best = cost[:, 1:-1].argmin(1, keepdim=True) + 1
    below, at, above = (cost.gather(1, best + step) for step in (-1, 0, 1))
    bend = (below - 2 * at + above).clamp(min=1e-9)
    offset = (0.5 * (below - above) / bend).clamp(-0.5, 0.5)
    return best - cost.shape[1] // 2 + offset, at


def inside(radius: Tensor, reach: int) -> Tensor:
    """Where nothing beyond the picture's edge can have been blurred in, (N, 1, H, W) of 0 and 1."""
    height, width = radius.shape[-2:]
    rows = torch.arange(height, device=radius.device)
    columns = torch.arange(width, device=radius.device)
    from_rows = torch.minimum(rows, height - 1 - rows)[:, None]
    from_columns = torch.minimum(columns, width - 1 - columns)[None]
    distance = torch.minimum(from_rows, from_columns)
    return (distance >= radius.abs().clamp(max=reach) + 1).float()


def same_light(sharp: Tensor, view: Tensor) -> Tensor:
    """`sharp` (N, 1, H, W) times the factor that gives it the mean light of `view`.

    Means are taken under a Hann window: blur carries light across the edges of a picture, but
    hardly from where that window is high to where it is low.
    """
    rows, columns = (
        torch.hann_window(size + 2, periodic=False, device=sharp.device)[1:-1]
        for size in sharp.shape[-2:]
    )
    window = rows[:, None] * columns
    light = [(image * window).mean((1, 2, 3)) for image in (view, sharp)]
    factor = (light[0] / light[1].clamp(min=1e-5)).clamp(0.25, 4.0)
    return sharp * factor[:, None, None, None]
