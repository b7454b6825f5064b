"""Point-spread functions of a blur radius in pixels.

A kernel is a (2 h + 1, 2 h + 1) float32 tensor, non-negative, of unit sum, centered on its middle
pixel. Kernels are to be convolved: weight at x > 0 moves content to the right.

Kernels of a radius are made on the CPU, also within ``torch.device("meta")``, where these few
operations would load torch's compiler.
"""

import math

import torch
from torch import Tensor

#: The centers of mass of the two halves of a disk of radius r are 8 r / (3 pi) apart.
RADIUS_PER_DISPARITY = 3 * math.pi / 8
#: Subpixels along a side of a pixel, over which a kernel is averaged.
_SUBPIXELS = 5


def support(radius: float) -> int:
    """Return the half-width in pixels of the smallest square that holds a kernel."""
    return math.ceil(abs(radius) + 0.5)


def grid(half: int, subpixels: int = 1) -> tuple[Tensor, Tensor]:
    """Return coordinates (y, x) in px of the subpixels of a (2 half + 1)-wide square."""
    steps = (2 * half + 1) * subpixels
    line = (torch.arange(steps, dtype=torch.float32, device="cpu") + 0.5) / subpixels - half - 0.5
    y, x = torch.meshgrid(line, line, indexing="ij")
    return y, x


def disk(radius: float, half: int | None = None) -> Tensor:
    """Return a uniform disk: the circle of confusion of an ideal thin lens.

    Parameters
    ----------
    radius : float
        Circle-of-confusion radius in pixels, >= 0. Below half a pixel the disk is a single pixel.
    half : int, optional
        Half-width of the returned square; by default the smallest that fits.

    Returns
    -------
    Tensor
        Kernel (2 half + 1, 2 half + 1).

    Examples
    --------
    >>> disk(3.0).shape
    torch.Size([9, 9])
    """
    half = support(radius) if half is None else half
    y, x = grid(half, _SUBPIXELS)
    distance = torch.hypot(y, x)
    coverage = ((max(radius, 0.5) - distance) * _SUBPIXELS + 0.5).clamp(0, 1)
    return normalize(_pool(coverage))


def disks(largest: int) -> Tensor:
    """Return the disk of each whole radius, for `interpolated_reblur`.

    Parameters
    ----------
    largest : int
        Largest radius in pixels.

    Returns
    -------
    Tensor
        Kernels (largest + 1, 2 largest + 3, 2 largest + 3).

    Examples
    --------
    >>> disks(3).shape
    torch.Size([4, 9, 9])
    """
    return torch.stack([disk(float(radius), largest + 1) for radius in range(largest + 1)])


def butterworth(radius: float, half: int | None = None, *, order: int = 3) -> Tensor:
    """Return a disk with a dip in its middle, as in real dual-pixel lenses.

    Parameters
    ----------
    radius : float
        Circle-of-confusion radius in pixels, >= 0.
    half : int, optional
        Half-width of the returned square; by default the smallest that fits.
    order : int
        Order n of the Butterworth high-pass profile.

    Returns
    -------
    Tensor
        Kernel (2 half + 1, 2 half + 1).

    Notes
    -----
    Disk times q / (1 + q), q = (rho^2 / D0^2)^n with D0 = 0.8 radius, rescaled to [0.1, 1], as in
    Zhai et al., "Learnable Blur Kernel for Single-Image Defocus Deblurring in the Wild" (2023).

    Examples
    --------
    >>> k = butterworth(6.0)
    >>> bool(k[7, 7] < k[7, 12])
    True
    """
    half = support(radius) if half is None else half
    if radius < 0.5:
        return disk(radius, half)
    y, x = grid(half, _SUBPIXELS)
    distance = torch.hypot(y, x)
    coverage = ((radius - distance) * _SUBPIXELS + 0.5).clamp(0, 1)
    quotient = (distance / (0.8 * radius)).pow(2 * order)
    profile = quotient / (1 + quotient)
    top = profile[distance <= radius].max()
    return normalize(_pool(coverage * (0.1 + 0.9 * profile / top)))


def half_pupil(kernel: Tensor, ramp: float) -> Tensor:
    """Return the kernel of one of two dual-pixel photodiodes: the right side of a kernel.

    Parameters
    ----------
    kernel : Tensor
        Kernel (..., S, S) of the whole pupil, S odd.
    ramp : float
        Distance in px from the middle over which one half fades into the other; about half the
        radius in real sensors. At least half a pixel, which is a hard cut.

    Returns
    -------
    Tensor
        Left view's kernel of unit sum for a positive radius, in front of the plane of focus. Its
        mirror image along x is the right view's; the mean of both is the whole pupil, if that is
        symmetric.

    Examples
    --------
    >>> left = half_pupil(disk(4.0), ramp=2.0)
    >>> bool((left * torch.arange(-5, 6)).sum() > 1)
    True
    """
    half = kernel.shape[-1] // 2
    x = torch.arange(-half, half + 1, device=kernel.device, dtype=kernel.dtype)
    return normalize(kernel * ((x / max(ramp, 0.5) + 1) / 2).clamp(0, 1))


def mirror(kernel: Tensor) -> Tensor:
    """Mirror along x: return the other view's kernel, or the same view's of opposite sign."""
    return kernel.flip(-1)


def normalize(kernel: Tensor) -> Tensor:
    """Scale a kernel (..., S, S) to unit sum."""
    return kernel / kernel.sum((-2, -1), keepdim=True)


def _pool(fine: Tensor) -> Tensor:
    return torch.nn.functional.avg_pool2d(fine[None, None], _SUBPIXELS)[0, 0]
