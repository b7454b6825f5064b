"""Inverse kernels: regularized inverses of a disk blur, of bounded support."""

import math

import torch
from torch import Tensor

from napari_defocus.optics.kernels import disk, support

#: Side in pixels of the square on which a disk is inverted.
_GRID = 256


def inverse_kernel(radius: float, half: int, *, noise: float = 0.004) -> Tensor:
    """Return the kernel that undoes a disk blur as far as noise allows.

    Parameters
    ----------
    radius : float
        Radius in pixels of the disk to undo.
    half : int
        Half-width of the kernel in pixels.
    noise : float
        Noise power relative to the image's at one cycle per disk radius.

    Returns
    -------
    Tensor
        (2 half + 1, 2 half + 1) of unit sum; values of both signs.

    Raises
    ------
    ValueError
        If the disk is wider than the 256 px on which it is undone: a radius above 126.5 px.

    Notes
    -----
    Wiener's inverse K* / (|K|^2 + n(f)), windowed to its size by a Hann window. n(f) rises with the
    square of the frequency, because the power of natural images falls with it.

    Examples
    --------
    >>> round(inverse_kernel(2.0, 8).sum().item(), 3)
    1.0
    """
    if 2 * support(radius) + 1 > _GRID:
        raise ValueError(f"a disk of radius {radius:g} px is wider than {_GRID} px")
    blur = torch.zeros(_GRID, _GRID, device="cpu", dtype=torch.float32)
    kernel = disk(radius)
    size = kernel.shape[-1]
    blur[:size, :size] = kernel
    blur = blur.roll((-(size // 2), -(size // 2)), (0, 1))
    transfer = torch.fft.rfft2(blur)
    fy = torch.fft.fftfreq(_GRID, device="cpu", dtype=torch.float32)[:, None]
    fx = torch.fft.rfftfreq(_GRID, device="cpu", dtype=torch.float32)[None]
    noise_power = noise * (1 + (fy**2 + fx**2) * radius**2 * math.pi**2)
    inverse: Tensor = torch.fft.irfft2(transfer.conj() / (transfer.abs() ** 2 + noise_power))
    centered = inverse.roll((half, half), (0, 1))[: 2 * half + 1, : 2 * half + 1]
    window = torch.hann_window(2 * half + 3, periodic=False, device="cpu", dtype=torch.float32)[
        1:-1
    ]
    kernel = centered * window[:, None] * window[None]
    return kernel / kernel.sum()


def inverse_bank(radii: tuple[float, ...], half: int) -> Tensor:
    """Return the inverse kernels of several radii, (K, 2 half + 1, 2 half + 1)."""
    return torch.stack([inverse_kernel(radius, half) for radius in radii])
