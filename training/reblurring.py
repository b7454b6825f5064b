"""Reblurring with a bank of kernels, and the radius whose reblurring fits two views best."""

from dataclasses import dataclass

import torch
from torch import Tensor

from napari_defocus.networks.blocks import box
from napari_defocus.optics.bank import KernelBank
from napari_defocus.optics.convolution import convolve

#: Share of the light below which differences of the matching error are taken for noise.
_FLAT = 0.02
#: Largest difference in px between the matches of small and large windows.
_AGREEING = 1.0


def left_candidates(sharp: Tensor, bank: KernelBank) -> Tensor:
    """Return the left view for every whole signed radius.

    Parameters
    ----------
    sharp : Tensor
        (N, 1, H, W) linear light.
    bank : KernelBank
        Kernels up to radius R.

    Returns
    -------
    Tensor
        (N, 2 R + 1, H, W) for radii -R, ..., R. Flipped along this axis they are the right views:
        the right view for a radius is the left view for the opposite radius.
    """
    positive, negative = bank.views(in_front=True)[0], bank.views(in_front=False)[0]
    kernels = torch.cat([negative[1:].flip(0), positive])
    return convolve(sharp, kernels)[:, :, 0]


def interpolation_weights(radius: Tensor, limit: int) -> Tensor:
    """Return the share (N, S, H, W) of every whole signed radius -limit, ..., limit."""
    steps = torch.arange(-limit, limit + 1, device=radius.device, dtype=radius.dtype)
    return (1 - (radius.clamp(-limit, limit) - steps[:, None, None]).abs()).clamp(min=0)


def reblur_views(candidates: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
    """Return left and right view (N, 1, H, W) for a signed radius (N, 1, H, W).

    Parameters
    ----------
    candidates : Tensor
        From `left_candidates`.
    radius : Tensor
        (N, 1, H, W) signed, in px.

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
    """Radii whose candidates fit the views best.

    Attributes
    ----------
    radius : Tensor
        (N, 1, H, W) signed, in px.
    clearness : Tensor
        (N, 1, H, W) in [0, 1]: by how much it fits better than the mean candidate. 0 where texture
        is missing, and where wider windows yield another radius, as beside edges in depth.
    """

    radius: Tensor
    clearness: Tensor


@torch.no_grad()
def best_match(candidates: Tensor, left: Tensor, right: Tensor, half: int) -> Match:
    """Match views with candidates in (2 half + 1)-wide windows, and in twice as wide ones."""
    errors = (candidates - left).abs() + (candidates.flip(1) - right).abs()
    errors = errors.contiguous(memory_format=torch.channels_last)
    cost = box(errors, half)
    radius, least = _minimum(cost)
    wide_radius, _ = _minimum(box(errors, 2 * half))
    level = box((left + right) / 2, half).clamp(min=_FLAT)
    clearness = ((cost.mean(1, keepdim=True) - least) / (least + _FLAT * level)).clamp(0, 1)
    return Match(radius, clearness * ((radius - wide_radius).abs() < _AGREEING))


def _minimum(cost: Tensor) -> tuple[Tensor, Tensor]:
    """Return the signed radius of the least cost, refined by a parabola, and that cost."""
    best = cost[:, 1:-1].argmin(1, keepdim=True) + 1
    below, at, above = (cost.gather(1, best + step) for step in (-1, 0, 1))
    bend = (below - 2 * at + above).clamp(min=1e-9)
    offset = (0.5 * (below - above) / bend).clamp(-0.5, 0.5)
    return best - cost.shape[1] // 2 + offset, at


def free_of_edge(radius: Tensor, reach: int) -> Tensor:
    """Return 1 where blur mixes in nothing from beyond the picture's edge, else 0.

    Radius and result are (N, 1, H, W); `reach` is the largest radius that counts.
    """
    height, width = radius.shape[-2:]
    rows = torch.arange(height, device=radius.device)
    columns = torch.arange(width, device=radius.device)
    from_rows = torch.minimum(rows, height - 1 - rows)[:, None]
    from_columns = torch.minimum(columns, width - 1 - columns)[None]
    distance = torch.minimum(from_rows, from_columns)
    return (distance >= radius.abs().clamp(max=reach) + 1).float()


def match_light(sharp: Tensor, view: Tensor) -> Tensor:
    """Scale `sharp` (N, 1, H, W) so that each picture has the mean light of `view`.

    The means are weighted by a Hann window, because blur carries light across the edges of a
    picture.
    """
    rows, columns = (
        torch.hann_window(size + 2, periodic=False, device=sharp.device)[1:-1]
        for size in sharp.shape[-2:]
    )
    window = rows[:, None] * columns
    light = [(image * window).mean((1, 2, 3)) for image in (view, sharp)]
    factor = (light[0] / light[1].clamp(min=1e-5)).clamp(0.25, 4.0)
    return sharp * factor[:, None, None, None]
