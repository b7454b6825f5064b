"""Convolution with many kernels at once, in the Fourier domain, block by block.

Two real images are transformed as one complex image: their results are its real and its imaginary
part. Such transforms of blocks that fit into a cache take half the time of real ones of the whole.
"""

from itertools import product

import torch
from torch import Tensor
from torch.nn import functional

#: Prime factors of the lengths that Fourier transforms are fast for.
_FACTORS = (2, 3, 5)
#: Largest side in pixels of a block with its margins, at least a multiple of the kernels' size.
#: Accelerators take an image as one block.
_SIDE, _SIZES = 256, 4
#: Corners of blocks lie at multiples of this number of pixels.
_MULTIPLE = 8

#: Rows and columns of a part of an image.
Window = tuple[slice, slice]


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


class BlockConvolution:
    """Convolution of every image with every kernel, computed block by block.

    Nothing wraps around.

    Parameters
    ----------
    images : Tensor
        (N, C, H, W) real values.
    kernels : Tensor
        (K, S, S), S odd.
    padding : {"replicate", "constant"}
        Values outside the image: those of its edge, or zero.
    """

    def __init__(self, images: Tensor, kernels: Tensor, padding: str = "replicate") -> None:
        size = kernels.shape[-1]
        self._half, self._counts = size // 2, (len(kernels), images.shape[1])
        side = max(_SIDE, _SIZES * size) - 2 * self._half
        if images.device.type != "cpu":
            side = max(images.shape[-2:])
        rows, columns = (_cut(length, side) for length in images.shape[-2:])
        #: Windows that together cover the image.
        self.windows: list[Window] = list(product(rows, columns))
        self._shape = tuple(
            fast_length(parts[0].stop + 2 * self._half) for parts in (rows, columns)
        )
        below, right = (
            parts[-1].start + length - self._half - parts[-1].stop
            for parts, length in zip((rows, columns), self._shape, strict=True)
        )
        self._padded = functional.pad(images, (self._half, right, self._half, below), mode=padding)
        paired = kernels.to(images.dtype)
        if len(kernels) > 1:
            paired = _pair(paired, 0)
        else:
            self._padded = _pair(self._padded, 1)
        self._transfer: Tensor = torch.fft.fft2(_center(paired, *self._shape))

    def at(self, window: Window, kernels: slice = slice(None)) -> Tensor:
        """Return the result of one of the windows, (N, K, C, h, w), for some of the kernels."""
        count, channels = self._counts
        start, stop, _ = kernels.indices(count)
        first = start // 2
        rows, columns = (
            slice(part.start, part.start + length)
            for part, length in zip(window, self._shape, strict=True)
        )
        spectrum = torch.fft.fft2(self._padded[..., rows, columns])[:, None]
        product = spectrum * self._transfer[first : -(-stop // 2), None]
        rows, columns = (slice(self._half, self._half + part.stop - part.start) for part in window)
        both = torch.fft.ifft2(product)[..., rows, columns]
        if count > 1:
            return _unpair(both, 1)[:, start - 2 * first : stop - 2 * first]
        return _unpair(both, 2)[:, :, :channels]


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
    spectrum: Tensor = torch.fft.rfft2(_center(kernels, height, width))
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
    convolution = BlockConvolution(images, kernels, padding)
    if len(convolution.windows) == 1:
        return convolution.at(convolution.windows[0])
    count, channels, height, width = images.shape
    result = images.new_empty(count, len(kernels), channels, height, width)
    for window in convolution.windows:
        result[..., *window] = convolution.at(window)
    return result


def _cut(length: int, side: int) -> list[slice]:
    """Cut a length into parts of about equal size, each at most about `side`."""
    step = -(-length // -(-length // side))
    step = -(-step // _MULTIPLE) * _MULTIPLE
    return [slice(start, min(start + step, length)) for start in range(0, length, step)]


def _center(kernels: Tensor, height: int, width: int) -> Tensor:
    """Return kernels (..., S, S) on a larger grid, with their middle at its first pixel."""
    size = kernels.shape[-1]
    padded = functional.pad(kernels, (0, width - size, 0, height - size))
    return padded.roll((-(size // 2), -(size // 2)), (-2, -1))


def _pair(values: Tensor, axis: int) -> Tensor:
    """Return neighbors along an axis as real and imaginary part; the last may stay alone."""
    if values.shape[axis] % 2:
        values = torch.cat([values, torch.zeros_like(values.narrow(axis, 0, 1))], axis)
    return torch.complex(*values.unflatten(axis, (-1, 2)).unbind(axis + 1))


def _unpair(values: Tensor, axis: int) -> Tensor:
    """Return real and imaginary parts as neighbors along an axis."""
    return torch.view_as_real(values).movedim(-1, axis + 1).flatten(axis, axis + 1)
