"""Convolution with many kernels at once, in the Fourier domain."""

import torch
from torch import Tensor
from torch.nn import functional

#: Prime factors of the lengths that Fourier transforms are fast for.
_FACTORS = (2, 3, 5)


def fast_length(length: int) -> int:
    """Return the smallest number >= `length` whose only prime factors are 2, 3 and 5."""
    while True:
        rest = length
        for factor in _FACTORS:
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1


def transfer_function(kernels: Tensor, height: int, width: int) -> Tensor:
    """Return the Fourier transform of centered kernels on a (height, width) grid.

    Parameters
    ----------
    kernels : Tensor
        (..., S, S), S odd, at most the size of the grid.
    height, width : int
        Size of the grid in pixels.

    Returns
    -------
    Tensor
        Complex (..., height, width // 2 + 1); multiplying a spectrum by it convolves circularly.
    """
    half = kernels.shape[-1] // 2
    padded = functional.pad(
        kernels, (0, width - kernels.shape[-1], 0, height - kernels.shape[-2])
    ).roll((-half, -half), (-2, -1))
    spectrum: Tensor = torch.fft.rfft2(padded)
    return spectrum


def convolve(images: Tensor, kernels: Tensor, *, padding: str = "replicate") -> Tensor:
    """Convolve every image with every kernel; sizes stay, and nothing wraps around.

    Parameters
    ----------
    images : Tensor
        (N, C, H, W) real values.
    kernels : Tensor
        (K, S, S), S odd.
    padding : {"replicate", "constant"}
        Values outside the image: those of its edge, or zero.

    Returns
    -------
    Tensor
        (N, K, C, H, W).

    Examples
    --------
    >>> from napari_defocus.optics.kernels import disk
    >>> convolve(torch.ones(1, 3, 8, 9), disk(2.0)[None]).shape
    torch.Size([1, 1, 3, 8, 9])
    """
    height, width = images.shape[-2:]
    half = kernels.shape[-1] // 2
    rows, columns = fast_length(height + 2 * half), fast_length(width + 2 * half)
    padded = functional.pad(
        images, (half, columns - width - half, half, rows - height - half), mode=padding
    )
    spectrum = torch.fft.rfft2(padded)[:, None]
    transfer = transfer_function(kernels.to(images.dtype), rows, columns)[None, :, None]
    result: Tensor = torch.fft.irfft2(spectrum * transfer, s=(rows, columns))
    return result[..., half : half + height, half : half + width]
