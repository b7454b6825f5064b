"""Noise of an image at several scales, as a function of brightness.

Where an image is flat, its bands hold noise alone, so their least energies in windows tell it. At
coarse scales nearly everything has detail. There the noise follows from how its two finest bands
compare: as white noise that demosaicing, JPEG or a camera has smoothed by so much. These are bands
of half an octave, because low frequencies leak into wider ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .bands import (
    GRID,
    half_octave_bands,
    half_octave_gains,
    half_octave_reach,
    local_mean,
    local_reach,
    octave_gains,
    soft_noise_gains,
)

#: Share of windows, of like brightness, whose energy is at most that of noise: on rendered
#: photographs its standard deviation is then within a factor of 1.6 of the truth.
_FLAT = 0.02
#: Number of half-octave bands that are fine.
_FINE = 2
#: Share of flat windows whose second band, relative to the first, is at most that of noise.
_SOFT = 0.02
#: Standard deviation of the windows in px.
_WINDOW = 4.0
#: Fewest samples of like brightness, and the most groups of them.
_FEWEST, _MOST_BINS = 400, 8
#: Largest ratio of noise energies in one picture of display values, whose noise is nearly even.
_MOST_UNEVEN = 4.0
#: Standard deviation that is taken for certain in any image, in shares of the range.
_LEAST = 0.1 / 255
#: Energy of the finest band, in shares of that of rounding, below which values are not measured.
_FLATTEST = 0.3
#: Distance from black and white at which values may be clipped, in shares of the range.
_CLIPPED = 0.004


@dataclass(frozen=True)
class NoiseModel:
    """Energy of the noise in the octave bands.

    Parameters
    ----------
    brightness : Tensor
        (B,) rising brightness.
    energies : Tensor
        (B, 4) variance in each octave band there.
    """

    brightness: Tensor
    energies: Tensor

    def at(self, brightness: Tensor) -> Tensor:
        """Return the variances (4, ...) at places of a brightness (...)."""
        knots = self.brightness.to(brightness)
        values = self.energies.to(brightness)
        if len(knots) == 1:
            return values[0].view(-1, *[1] * brightness.ndim).expand(-1, *brightness.shape)
        index = torch.searchsorted(knots, brightness.contiguous()).clamp(1, len(knots) - 1)
        low, high = knots[index - 1], knots[index]
        weight = ((brightness - low) / (high - low)).clamp(0, 1)
        mixed = torch.lerp(values[index - 1], values[index], weight[..., None])
        return mixed.movedim(-1, 0)


def estimate_noise(blocks: list[Tensor], quantum: float, *, even: bool) -> NoiseModel:
    """Estimate the noise of an image from some of its blocks.

    Parameters
    ----------
    blocks : list of Tensor
        (H, W) parts of the image, black at 0 and white at 1.
    quantum : float
        Step between neighboring values; 0 if values are floats.
    even : bool
        Whether values are display-encoded, so that noise is nearly the same everywhere.

    Returns
    -------
    NoiseModel

    Examples
    --------
    >>> noisy = 0.5 + 0.01 * torch.randn(128, 128, generator=torch.Generator().manual_seed(0))
    >>> model = estimate_noise([noisy], 0, even=True)
    >>> 0.008 < float((model.energies[:, 0] / octave_gains()[0]).mean()) ** 0.5 < 0.012
    True
    """
    gains = torch.tensor(octave_gains())
    floor = max(quantum**2 / 12, _LEAST**2) * gains
    joined = torch.cat(list(map(_windows, blocks)), 1)
    rounding = float(floor[0] / gains[0]) * sum(half_octave_gains()[:_FINE])
    joined = joined[:, joined[1] > _FLATTEST * rounding]
    if joined.shape[1] < 2:
        return NoiseModel(torch.tensor([0.5]), floor[None])
    joined = joined[:, joined[0].argsort()]
    bins = min(max(joined.shape[1] // _FEWEST, 1), _MOST_BINS)
    groups = joined.tensor_split(bins, 1)
    brightness = torch.stack([group[0].mean() for group in groups])
    least = torch.stack([torch.quantile(group[1], _FLAT) for group in groups])
    if even:
        least = least.clamp(max=float(_MOST_UNEVEN * least.min()))
    energies = least[:, None] * _spectrum(joined[1:], float(least.median()))
    distinct = torch.cat([torch.tensor([True]), brightness.diff() > 1e-6])
    return NoiseModel(brightness[distinct], energies.maximum(floor)[distinct])


def _spectrum(energies: Tensor, level: float) -> Tensor:
    """Return the energies (4,) of noise in the octave bands, relative to that of fine bands.

    Parameters
    ----------
    energies : Tensor
        (2, S) energies of the fine bands and of the next coarser one, in windows.
    level : float
        Energy of noise in the fine bands.
    """
    flat = energies[:, energies[0] <= 2 * level]
    ratio = torch.quantile(flat[1] / flat[0], _SOFT)
    octaves, half_octaves = soft_noise_gains()
    fine = half_octaves[:, :_FINE].sum(1)
    softness = int((half_octaves[:, _FINE] / fine - ratio).abs().argmin())
    return octaves[softness] / fine[softness]


def _windows(block: Tensor) -> Tensor:
    """Return brightness and energies (3, S) of windows without clipped values.

    The energies are those of the fine half-octave bands, and of the next coarser one.
    """
    height, width = (length // GRID * GRID for length in block.shape)
    energies = half_octave_bands(block[None])[: _FINE + 1, 0] ** 2
    whole = ((block > _CLIPPED) & (block < 1 - _CLIPPED)).float()
    values = torch.stack([whole, block, energies[:_FINE].sum(0), energies[_FINE]])
    values = values[:, :height, :width]
    means = local_mean(values, _WINDOW)
    margin = (half_octave_reach() + local_reach(_WINDOW)) // GRID
    margin = min(margin, (min(means.shape[-2:]) - 1) // 4)
    rows, columns = (slice(margin, length - margin) for length in means.shape[-2:])
    inner = means[:, rows, columns].flatten(1)
    return inner[1:, inner[0] > 1 - 1e-3]
