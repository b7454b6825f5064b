"""Band-pass filters in the Fourier domain, and local means on a coarser grid.

The filters are made of Lindeberg's discrete Gaussians, whose variances add up exactly.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from ..optics.convolution import fast_length

#: Returns the transfer functions of filters at frequencies of rows and columns.
Responses = Callable[[Tensor, Tensor], Tensor]

#: Standard deviations in px of the Gaussians whose differences are the octave bands.
OCTAVE_WIDTHS = (0.6, 1.2, 2.4, 4.8)
#: Variance in px^2 of the narrow Gaussian of the finest half-octave band.
_FINEST = 0.2
#: Number of half-octave bands, centered on 0.5 to 0.06 cycles a pixel.
HALF_OCTAVES = 7
#: Side in pixels of the squares whose mean is taken: local means vary slowly.
GRID = 4
#: Half-widths of Gaussian kernels in standard deviations, of bands and of local means.
_CUT, _MEAN_CUT = 4.0, 3.2
#: Side of the square of frequencies on which gains are computed.
_SIDE = 256


def octave_bands(images: Tensor) -> Tensor:
    """Split images (F, H, W) into four octave bands (4, F, H, W), the finest first.

    Examples
    --------
    >>> octave_bands(torch.ones(2, 16, 12)).abs().amax() < 1e-5
    tensor(True)
    """
    return _filter(images, octave_responses, octave_reach())


def half_octave_bands(images: Tensor) -> Tensor:
    """Split images (F, H, W) into half-octave bands (B, F, H, W), the finest first.

    Each is a difference of two Gaussians, of which one has twice the variance, applied twice: low
    frequencies, which carry most energy, fall off with the fourth power.
    """
    return _filter(images, half_octave_responses, half_octave_reach())


def local_mean(values: Tensor, width: float) -> Tensor:
    """Average values (..., H, W) in a Gaussian window, on a grid of every fourth pixel.

    Parameters
    ----------
    values : Tensor
        Height and width are multiples of 4.
    width : float
        Standard deviation of the window in px.

    Returns
    -------
    Tensor
        (..., H / 4, W / 4); see `to_pixels`.
    """
    flat = values.reshape(-1, 1, *values.shape[-2:])
    pooled = functional.avg_pool2d(flat, GRID)
    reach = _mean_reach(width)
    steps = torch.arange(-reach, reach + 1, dtype=values.dtype, device=values.device)
    weights = (-((GRID * steps / width) ** 2) / 2).exp()
    weights = weights / weights.sum()
    for shape, margin in (((-1, 1), (0, 0, reach, reach)), ((1, -1), (reach, reach, 0, 0))):
        padded = functional.pad(pooled, margin, mode="replicate")
        pooled = functional.conv2d(padded, weights.view(1, 1, *shape))
    return pooled.view(*values.shape[:-2], *pooled.shape[-2:])


def to_pixels(values: Tensor) -> Tensor:
    """Interpolate values (F, h, w) of every fourth pixel between, (F, 4 h, 4 w)."""
    fine: Tensor = functional.interpolate(values[None], scale_factor=GRID, mode="bilinear")
    return fine[0]


def local_reach(width: float) -> int:
    """Return how far beyond a pixel `local_mean` and `to_pixels` read, in pixels."""
    return GRID * (_mean_reach(width) + 2)


def octave_reach() -> int:
    """Return how far beyond a pixel the octave bands read, in pixels."""
    return math.ceil(_CUT * OCTAVE_WIDTHS[-1])


def half_octave_reach() -> int:
    """Return how far beyond a pixel the half-octave bands read, in pixels."""
    return math.ceil(_CUT * math.sqrt(_FINEST * 2 * 2**HALF_OCTAVES))


@functools.cache
def octave_gains() -> tuple[float, ...]:
    """Return the variance of white noise of variance 1 in each octave band."""
    return tuple((octave_responses(*_square()) ** 2).mean((1, 2)).tolist())


@functools.cache
def half_octave_gains() -> tuple[float, ...]:
    """Return the variance of white noise of variance 1 in each half-octave band."""
    return tuple((half_octave_responses(*_square()) ** 2).mean((1, 2)).tolist())


@functools.cache
def soft_noise_gains() -> tuple[Tensor, Tensor]:
    """Return the gains, (S, 4) and (S, B), of white noise that Gaussians of rising width smoothed.

    As `octave_gains` and `half_octave_gains`, for widths from 0 to 0.8 px, as of demosaicing and of
    JPEG.
    """
    rows, columns = _square()
    squares = [_gaussian(rows, columns, width**2) ** 2 for width in torch.linspace(0, 0.8, 17)]
    both = (octave_responses(rows, columns) ** 2, half_octave_responses(rows, columns) ** 2)
    octaves, half_octaves = (
        torch.stack([(energy * square).mean((1, 2)) for square in squares]) for energy in both
    )
    return octaves, half_octaves


@functools.cache
def octave_frequencies() -> tuple[float, ...]:
    """Return the mean frequency, in cycles a pixel, of white noise in each octave band."""
    return _mean_frequencies(octave_responses(*_square()))


@functools.cache
def half_octave_frequencies() -> tuple[float, ...]:
    """Return the mean frequency, in cycles a pixel, of white noise in each half-octave band."""
    return _mean_frequencies(half_octave_responses(*_square()))


def octave_responses(rows: Tensor, columns: Tensor) -> Tensor:
    """Return the transfer functions (4, H, W) of the octave bands.

    Parameters
    ----------
    rows, columns : Tensor
        Frequencies (H,) and (W,) along the two axes, in cycles a pixel.
    """
    levels = [_gaussian(rows, columns, width**2) for width in (0.0, *OCTAVE_WIDTHS)]
    return torch.stack([fine - coarse for fine, coarse in itertools.pairwise(levels)])


def half_octave_responses(rows: Tensor, columns: Tensor) -> Tensor:
    """Return the transfer functions (B, H, W) of the half-octave bands; see `octave_responses`."""
    scales = [_FINEST * 2**octave for octave in range(HALF_OCTAVES + 1)]
    levels = [_gaussian(rows, columns, scale) for scale in scales]
    return torch.stack([(narrow - wide) ** 2 for narrow, wide in itertools.pairwise(levels)])


def _filter(images: Tensor, responses: Responses, reach: int) -> Tensor:
    height, width = images.shape[-2:]
    rows, columns = (fast_length(length + 2 * reach) for length in (height, width))
    margin = (reach, columns - width - reach, reach, rows - height - reach)
    padded = functional.pad(images[None], margin, mode="replicate")[0]
    transfer = _transfer(responses, rows, columns).to(images)
    bands: Tensor = torch.fft.irfft2(torch.fft.rfft2(padded) * transfer[:, None], s=(rows, columns))
    inner: Tensor = bands[..., reach : reach + height, reach : reach + width]
    return inner


@functools.lru_cache(maxsize=8)
def _transfer(responses: Responses, rows: int, columns: int) -> Tensor:
    return responses(torch.fft.fftfreq(rows), torch.fft.rfftfreq(columns))


def _gaussian(rows: Tensor, columns: Tensor, variance: float | Tensor) -> Tensor:
    down, across = ((variance * ((2 * math.pi * line).cos() - 1)).exp() for line in (rows, columns))
    return down[:, None] * across


def _square() -> tuple[Tensor, Tensor]:
    line = torch.fft.fftfreq(_SIDE, device="cpu")
    return line, line


def _mean_frequencies(responses: Tensor) -> tuple[float, ...]:
    rows, columns = _square()
    frequency = torch.hypot(rows[:, None], columns.expand(_SIDE, -1))
    energy = responses**2
    return tuple(((energy * frequency).sum((1, 2)) / energy.sum((1, 2))).tolist())


def _mean_reach(width: float) -> int:
    return math.ceil(_MEAN_CUT * width / GRID)
