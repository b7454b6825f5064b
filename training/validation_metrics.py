"""Figures that trainings follow."""

import torch
from torch import Tensor
from torch.nn import functional

from napari_defocus.networks.blocks import box, luma
from napari_defocus.optics.bank import KernelBank

_DEPTH_STEP = 0.7
_TEXTURED = 0.03


def texture_weight(gray: Tensor) -> Tensor:
    """How much a pixel's surroundings tell about a horizontal shift, (N, 1, H, W), in [0, 1)."""
    slope = functional.pad(gray, (1, 1, 0, 0), mode="replicate")
    energy = box((slope[..., 2:] - slope[..., :-2]) ** 2, 3)
    return energy / (energy + _TEXTURED**2)


def texture_mask(image: Tensor) -> Tensor:
    """Where a display-encoded image (N, 3, H, W) has enough texture to tell its blur: bool."""
    return texture_weight(luma(image.float())) > 0.5


def beside_depth_edges(radius: Tensor, reach: int = 12) -> Tensor:
    """Where an edge in depth, a step of the radius (N, 1, H, W), is `reach` px or less away."""
    step = functional.max_pool2d(radius, 3, 1, 1) + functional.max_pool2d(-radius, 3, 1, 1)
    edge = (step > _DEPTH_STEP).float()
    return functional.max_pool2d(edge, 2 * reach + 1, 1, reach) > 0


@torch.no_grad()
def correlations(bank: KernelBank, other: KernelBank) -> Tensor:
    """Pearson's correlation of the left view's kernels of each radius of two banks, (R,)."""
    count = min(len(bank.scores), len(other.scores))
    left = (each.views(in_front=True)[0][:count] for each in (bank, other))
    return torch.stack([_correlation(_same_support(a, b)) for a, b in zip(*left, strict=True)])


def psnr_each(image: Tensor, target: Tensor) -> Tensor:
    """PSNR in dB of each image of a batch (N, 3, H, W) in [0, 1]."""
    error = ((image.float() - target) ** 2).mean((1, 2, 3)).clamp(min=1e-9)
    return -10 * error.log10()


def _same_support(a: Tensor, b: Tensor) -> Tensor:
    half = min(a.shape[-1], b.shape[-1]) // 2
    return torch.stack([_middle(k, half).flatten() for k in (a, b)])


def _middle(kernel: Tensor, half: int) -> Tensor:
    center = kernel.shape[-1] // 2
    inner = slice(center - half, center + half + 1)
    return kernel[inner, inner]


def _correlation(pair: Tensor) -> Tensor:
    """Without a matrix product, which automatic casting would do in half precision."""
    centered = pair - pair.mean(1, keepdim=True)
    length = centered.square().sum(1).sqrt()
    return (centered[0] * centered[1]).sum() / (length[0] * length[1])
