"""Blur of layered scenes through a lens out of focus, with occlusion, for both views."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from napari_defocus.optics.convolution import transfer_function
from training.data.layers import Depths
from training.data.lenses import Optics

_STEP = 1.25


def blur_layers(
    textures: Tensor, alphas: Tensor, depths: Depths, lenses: Optics, half: int
) -> tuple[Tensor, Tensor]:
    """Render both dual-pixel views: blur each layer with its kernels, and lay it over those behind.

    Parameters
    ----------
    textures : Tensor
        (N, L, 3, H, W) linear light, farthest layer first.
    alphas : Tensor
        (N, L, H, W) coverage of each layer; the first covers everything.
    depths : Depths
        Radii of the layers.
    lenses : Optics
        One for each scene.
    half : int
        Half-width of the kernels' square in pixels; as much wraps around at the borders.

    Returns
    -------
    left, right : Tensor
        (N, 3, H, W) linear light.

    Notes
    -----
    A slanted layer is cut into sheets at most 1.25 px of radius apart, and every pixel, color by
    color, shared linearly between its neighboring two.
    """
    everywhere = torch.arange(len(textures), device=textures.device)
    views = _blur_layer(textures[:, 0], everywhere, depths, 0, lenses, half)
    for layer in range(1, textures.shape[1]):
        alpha = alphas[:, layer, None]
        shown = alpha.amax((1, 2, 3)).nonzero().flatten()
        if len(shown):
            colors = torch.cat([textures[:, layer] * alpha, alpha.expand(-1, 3, -1, -1)], 1)
            laid = _blur_layer(colors, shown, depths, layer, lenses, half)
            light, cover = laid.split(3, 2)
            views[shown] = views[shown] * (1 - cover.clamp(0, 1)) + light
    left, right = views.clamp(min=0).unbind(1)
    return left, right


def _blur_layer(
    channels: Tensor, shown: Tensor, depths: Depths, layer: int, lenses: Optics, half: int
) -> Tensor:
    """A layer's channels (N, C, H, W) in both views, (len(shown), 2, C, H, W).

    C is a multiple of the number of colors.
    """
    size = channels.shape[-2:]
    radius = depths.radius[shown, layer, None] + lenses.fringe[shown, :, None, None]
    widest = lenses.fringe[shown].abs().amax(1)
    low, high = depths.low[shown, layer] - widest, depths.high[shown, layer] + widest
    counts = [1 + math.ceil(span / _STEP) for span in (high - low).tolist()]
    owner = torch.arange(len(shown), device=shown.device).repeat_interleave(
        torch.tensor(counts, device=shown.device)
    )
    at, step = _sheets(low, high, counts)
    share = 1 - (radius[owner] - at[:, None, None, None]).abs() / step[:, None, None, None]
    share = share.clamp(min=0)
    repeats = channels.shape[1] // share.shape[1]
    sheets = channels[shown[owner]] * share.repeat(1, repeats, 1, 1)
    spectra = torch.fft.rfft2(sheets)
    transfer = transfer_function(lenses.kernels(shown[owner], at, half), *size)
    summed = spectra.new_zeros(len(shown), transfer.shape[1], *spectra.shape[1:])
    for scene, spectrum, lens in zip(owner.tolist(), spectra, transfer, strict=True):
        per_color = lens.repeat(1, repeats, 1, 1) if lens.ndim > 3 else lens[:, None]
        summed[scene].addcmul_(spectrum, per_color)
    blurred: Tensor = torch.fft.irfft2(summed, s=size)
    return blurred


def _sheets(low: Tensor, high: Tensor, counts: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return the radii of all sheets, and their spacing within their layer, (M,) each."""
    at, step = [], []
    for first, last, count in zip(low, high, counts, strict=True):
        at.append(first + (last - first) * torch.linspace(0, 1, count, device=low.device))
        step.append(((last - first) / max(count - 1, 1)).clamp(min=1e-3).expand(count))
    return torch.cat(at), torch.cat(step)
