"""Blurring of a sharp image by a map of radii, in linear light."""

from bisect import bisect_left, bisect_right
from functools import lru_cache

import torch
from torch import Tensor

from napari_defocus.optics.convolution import BlockConvolution, convolve
from napari_defocus.optics.pupil import DISK, Pupil

#: Least coverage of a pixel by all visible layers, by which its light is divided.
_MIN_COVERAGE = 1e-6
#: Binary digits of the largest radii in px that layers have one by one.
_FINE_BITS = 4


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
    The scene is cut into layers one pixel of radius apart, from 16 px on two, from 32 px on four,
    and so on (`layer_radii`); a pixel between two layers is shared linearly. Layers are composed
    from far to near. A layer covers all layers behind it but its direct neighbor, with which it
    forms one surface. Where the coverage does not add up to 1, as behind the edge of a blurred
    foreground, the visible layers are scaled up.

    Examples
    --------
    >>> image = torch.rand(1, 3, 16, 16)
    >>> bool((reblur_layers(image, torch.zeros(1, 1, 16, 16)) - image).abs().max() < 1e-5)
    True
    """
    steps = layer_radii(float(radius.min()), float(radius.max()))
    composed = torch.zeros_like(torch.cat([sharp, radius], 1))
    nearest_layer = composed
    for before, step, after in zip(steps, steps[1:], steps[2:], strict=False):
        rising, falling = (radius - before) / (step - before), (after - radius) / (after - step)
        share = torch.minimum(rising, falling).clamp_(min=0)
        if not bool(share.any()):
            composed, nearest_layer = composed + nearest_layer, torch.zeros_like(nearest_layer)
            continue
        layer = torch.cat([sharp * share, share], 1)
        layer = convolve(layer, _kernel(pupil, step)[None].to(sharp))[:, 0] if step else layer
        cover = layer[:, -1:].clamp(0, 1)
        composed, nearest_layer = composed * (1 - cover) + nearest_layer, layer
    total = composed + nearest_layer
    return total[:, :-1] / total[:, -1:].clamp(min=_MIN_COVERAGE)


def layer_radii(farthest: float, nearest: float) -> list[int]:
    """Return the signed radii in px of layers between two radii, and of one beyond either end.

    Examples
    --------
    >>> layer_radii(-0.5, 2.0)
    [-2, -1, 0, 1, 2, 3]
    >>> layer_radii(15.0, 19.0)
    [14, 15, 16, 18, 20, 22]
    """
    sizes, largest = [0], max(abs(farthest), abs(nearest))
    while len(sizes) < 2 or sizes[-2] < largest:
        sizes.append(sizes[-1] + (1 << max(0, sizes[-1].bit_length() - _FINE_BITS)))
    radii = [*(-size for size in reversed(sizes[1:])), *sizes]
    first, last = bisect_right(radii, farthest) - 1, bisect_left(radii, nearest)
    return radii[first - 1 : last + 2]


@lru_cache(maxsize=64)
def _kernel(pupil: Pupil, radius: int) -> Tensor:
    """Return a kernel of a pupil, which many tiles take."""
    return pupil.kernel(float(radius))
