"""Blurring of a sharp image by a map of radii, in linear light."""

import torch
from torch import Tensor

from napari_defocus.optics.convolution import BlockConvolution, convolve
from napari_defocus.optics.pupil import DISK, Pupil

#: Least coverage of a pixel by all visible layers, by which its light is divided.
_MIN_COVERAGE = 1e-6


def interpolated_reblur(sharp: Tensor, radius: Tensor, kernels: Tensor) -> Tensor:
    """Blur each pixel by interpolation between images blurred with neighboring radii.

    Parameters
    ----------
    sharp : Tensor
        (N, C, H, W) linear light.
    radius : Tensor
        (N, 1, H, W) radius in px, in the range of the kernels.
    kernels : Tensor
        (R, S, S): the kernels of the whole radii 0, 1, ..., R - 1, as `KernelBank.center` returns.

    Returns
    -------
    Tensor
        (N, C, H, W), differentiable in every argument.

    Notes
    -----
    out(p) = sum_i max(0, 1 - | |r(p)| - i |) (k_i * sharp)(p): the reblurring of the learnable
    blur kernel (Zhai et al. 2023). Without occlusion.

    Examples
    --------
    >>> from napari_defocus.optics.kernels import disks
    >>> bank = disks(2)
    >>> interpolated_reblur(torch.rand(1, 3, 8, 8), torch.full((1, 1, 8, 8), 1.5), bank).shape
    torch.Size([1, 3, 8, 8])
    """
    radius = radius.abs()
    steps = torch.arange(len(kernels), device=sharp.device, dtype=sharp.dtype)
    convolution = BlockConvolution(sharp, kernels)
    result = torch.empty_like(sharp)
    for window in convolution.windows:
        part = radius[..., *window]
        some = slice(max(int(part.min()), 0), int(part.max()) + 2)
        weights = (1 - (part - steps[some, None, None]).abs()).clamp(min=0)
        blurred = convolution.at(window, some)
        result[..., *window] = (weights[:, :, None] * blurred).sum(1)
    return result


def reblur_layers(sharp: Tensor, radius: Tensor, pupil: Pupil = DISK) -> Tensor:
    """Blur in layers that hide each other.

    Parameters
    ----------
    sharp : Tensor
        (N, C, H, W) linear light.
    radius : Tensor
        (N, 1, H, W) signed radius in px: positive in front of the plane of focus, negative behind
        it. Negate the radii of an unsigned map to place everything behind that plane.
    pupil : Pupil
        Shape of the kernels; by default a uniform disk.

    Returns
    -------
    Tensor
        (N, C, H, W).

    Notes
    -----
    The scene is cut into layers one pixel of radius apart; a pixel between two layers is shared
    linearly. Layers are composed from far to near. A layer covers all layers behind it but its
    direct neighbor, with which it forms one surface. Where the coverage does not add up to 1, as
    behind the edge of a blurred foreground, the visible layers are scaled up.

    Examples
    --------
    >>> image = torch.rand(1, 3, 16, 16)
    >>> bool((reblur_layers(image, torch.zeros(1, 1, 16, 16)) - image).abs().max() < 1e-5)
    True
    """
    farthest = int(radius.min().floor())
    nearest = int(radius.max().ceil())
    composed = torch.zeros_like(torch.cat([sharp, radius], 1))
    nearest_layer = composed
    for step in range(farthest, nearest + 1):
        share = (1 - (radius - step).abs()).clamp(min=0)
        if not bool(share.any()):
            composed, nearest_layer = composed + nearest_layer, torch.zeros_like(nearest_layer)
            continue
        layer = torch.cat([sharp * share, share], 1)
        psf = pupil.kernel(float(step)).to(sharp)
        layer = convolve(layer, psf[None])[:, 0] if step else layer
        cover = layer[:, -1:].clamp(0, 1)
        composed, nearest_layer = composed * (1 - cover) + nearest_layer, layer
    total = composed + nearest_layer
    return total[:, :-1] / total[:, -1:].clamp(min=_MIN_COVERAGE)
