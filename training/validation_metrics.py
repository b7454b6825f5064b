"""Scores on held-out scenes during a training, as tensors."""

import torch
from torch import Tensor
from torch.nn import functional

from napari_defocus.networks.blocks import box, luma
from napari_defocus.optics.bank import KernelBank

#: Difference in px between neighboring radii that makes an edge in depth.
_DEPTH_STEP = 0.7
#: Slope of the gray value per 2 px of texture that weighs one half.
_TEXTURED = 0.03


def texture_weight(gray: Tensor) -> Tensor:
    """Return (N, 1, H, W) weights in [0, 1): high where texture shows horizontal shifts."""
    slope = functional.pad(gray, (1, 1, 0, 0), mode="replicate")
    energy = box((slope[..., 2:] - slope[..., :-2]) ** 2, 3)
    return energy / (energy + _TEXTURED**2)


def texture_mask(image: Tensor) -> Tensor:
    """Return where a display-encoded image (N, 3, H, W) has enough texture to show its blur."""
    return texture_weight(luma(image.float())) > 0.5


def beside_depth_edges(radius: Tensor, reach: int = 12) -> Tensor:
    """Return where a step of the radius (N, 1, H, W) lies within `reach` px."""
    step = functional.max_pool2d(radius, 3, 1, 1) + functional.max_pool2d(-radius, 3, 1, 1)
    edge = (step > _DEPTH_STEP).float()
    return functional.max_pool2d(edge, 2 * reach + 1, 1, reach) > 0


@torch.no_grad()
def correlations(bank: KernelBank, other: KernelBank) -> Tensor:
    """Return Pearson's correlation (R,) of the left view's kernels of two banks, by radius."""
    count = min(len(bank.scores), len(other.scores))
    left = (each.views(in_front=True)[0][:count] for each in (bank, other))
    return torch.stack([_correlation(_same_support(a, b)) for a, b in zip(*left, strict=True)])


def psnr_each(image: Tensor, target: Tensor) -> Tensor:
    """Return the PSNR in dB of each image of a batch (N, 3, H, W) in [0, 1]."""
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
    """Return the correlation of two rows.

    It uses no matrix product, because autocast would compute that in half precision.
    """
    centered = pair - pair.mean(1, keepdim=True)
    length = centered.square().sum(1).sqrt()
    return (centered[0] * centered[1]).sum() / (length[0] * length[1])
