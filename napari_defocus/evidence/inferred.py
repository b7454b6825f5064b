"""Share of detail at frequencies that blur has erased from an image."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .bands import (
    half_octave_bands,
    half_octave_frequencies,
    half_octave_gains,
    half_octave_reach,
    local_mean,
    local_reach,
    octave_frequencies,
    octave_gains,
)

#: Standard deviation in px of the window in which energies are measured.
_WINDOW = 4.0
#: Share of the noise that a change must exceed to count as detail.
_NEGLIGIBLE = 0.05


def inferred_reach() -> int:
    """Return how far beyond a pixel `inferred_share` reads, in pixels."""
    return half_octave_reach() + local_reach(_WINDOW)


def inferred_share(change: Tensor, blurred: Tensor, noise: Tensor) -> Tensor:
    """Return the share of a change's energy that the image says nothing about.

    Parameters
    ----------
    change : Tensor
        (H, W) the sharp picture less the image.
    blurred : Tensor
        (H, W) the sharp picture, blurred again: what would arrive of it without noise.
    noise : Tensor
        (4, h, w) variance of the noise in each octave band, of every fourth pixel.

    Returns
    -------
    Tensor
        (h, w) in [0, 1].

    Notes
    -----
    In each half-octave band, N / (N + B), N being the energy of the noise and B that of the blurred
    picture, is the share of the signal that even the best linear estimate (Wiener's) misses. It is
    a half where what the kernel transmits is as strong as the noise.
    """
    energies = _energies(change)
    lost = lost_shares(blurred, noise)
    ground = _NEGLIGIBLE * _half_octave_noise(noise).sum(0)
    share: Tensor = ((lost * energies).sum(0) / (energies.sum(0) + ground)).clamp(0, 1)
    return share


def lost_shares(blurred: Tensor, noise: Tensor) -> Tensor:
    """Return the share (B, h, w) of the signal of each half-octave band that noise covers.

    Parameters
    ----------
    blurred, noise : Tensor
        As for `inferred_share`.
    """
    level = _half_octave_noise(noise)
    return level / (level + _energies(blurred))


def _energies(image: Tensor) -> Tensor:
    return local_mean(half_octave_bands(image[None])[:, 0] ** 2, _WINDOW)


def _half_octave_noise(noise: Tensor) -> Tensor:
    """Return the energy (B, h, w) of noise in the half-octave bands; white beyond the octaves'."""
    density = noise / torch.tensor(octave_gains()).to(noise)[:, None, None]
    places = np.interp(
        -np.log(half_octave_frequencies()),
        -np.log(octave_frequencies()),
        np.arange(len(density)),
    )
    low = np.minimum(places.astype(int), len(density) - 2)
    levels = []
    for place, start, gain in zip(places, low, half_octave_gains(), strict=True):
        weight = float(place - start)
        levels.append(gain * torch.lerp(density[start], density[start + 1], weight))
    return torch.stack(levels)
