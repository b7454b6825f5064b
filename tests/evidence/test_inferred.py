"""Detail at frequencies that blur has erased."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.special import j1

from napari_defocus.evidence.bands import (
    half_octave_frequencies,
    half_octave_gains,
    half_octave_responses,
    octave_gains,
)
from napari_defocus.evidence.inferred import inferred_share, lost_shares
from napari_defocus.optics.convolution import convolve
from napari_defocus.optics.kernels import disk

SIDE, SIGMA = 256, 0.02


def white_noise():
    gains = torch.tensor(octave_gains())[:, None, None]
    return (SIGMA**2 * gains).expand(-1, SIDE // 4, SIDE // 4)


def blur(image, radius):
    return convolve(image[None, None], disk(radius)[None])[0, 0, 0]


def transfer(frequency, radius):
    x = 2 * np.pi * frequency * radius
    return np.abs(2 * j1(x) / x)


@pytest.mark.parametrize("radius", [3.0, 5.0])
def test_onset_on_a_siemens_star(radius):
    """The share passes a half at the frequency whose contrast sinks into the noise of its band."""
    spokes, contrast = 24, 0.3
    line = torch.arange(SIDE) - SIDE / 2 + 0.5
    y, x = torch.meshgrid(line, line, indexing="ij")
    star = 0.5 + contrast * torch.cos(spokes * torch.atan2(y, x))
    blurred = blur(star, radius)
    share = inferred_share(star - blurred, blurred, white_noise())
    frequency = spokes / (2 * np.pi * torch.hypot(y, x)[2::4, 2::4])
    reached = (frequency < 0.61 / radius) & (frequency > 0.04)
    places = np.geomspace(0.04, 0.61 / radius, 25)
    shares = [
        float(share[reached & (frequency >= low) & (frequency < high)].mean())
        for low, high in pairwise(places)
    ]
    onset = np.interp(0.5, shares, np.sqrt(places[1:] * places[:-1]))
    assert onset == pytest.approx(expected_onset(radius, contrast), rel=0.15)


def expected_onset(radius, contrast):
    """Return where a wave's energy, over all bands, equals the noise of those bands."""
    frequency = np.linspace(0.02, 0.6 / radius, 2000)
    responses = half_octave_responses(torch.from_numpy(frequency), torch.zeros(1))[:, :, 0].numpy()
    power = responses**2 * contrast**2 / 2
    noise = SIGMA**2 * np.array(half_octave_gains())[:, None]
    lost = noise / (noise + power * transfer(frequency, radius) ** 2)
    share = (lost * power).sum(0) / power.sum(0)
    return frequency[np.argmax(share > 0.5)]


@pytest.mark.parametrize("radius", [2.0, 4.0])
def test_onset_on_a_slanted_edge(radius):
    """Bands are lost from the frequency on at which the edge's contrast sinks into the noise."""
    line = torch.arange(SIDE) - SIDE / 2 + 0.5
    distance = line[None] * np.cos(0.1) - line[:, None] * np.sin(0.1)
    edge = 0.2 + 0.6 * (distance + 0.5).clamp(0, 1)
    lost = lost_shares(blur(edge, radius), white_noise())
    at_edge = lost[:, SIDE // 8 - 12 : SIDE // 8 + 12, :].amin(2).mean(1).numpy()
    onset = np.interp(0.5, at_edge[::-1], np.log(half_octave_frequencies())[::-1])
    assert np.exp(onset) == pytest.approx(expected_edge_onset(radius), rel=0.15)


def expected_edge_onset(radius):
    """Return the frequency from the edge's spectrum: contrast / (2 pi f) times the transfer."""
    line = np.fft.fftfreq(SIDE)
    edge = 0.6 * transfer(np.where(line == 0, 1e-9, line), radius) * np.sinc(line)
    spectrum = np.where(line == 0, 0, edge / (2j * np.pi * np.where(line == 0, 1, line)))
    responses = half_octave_responses(torch.from_numpy(line), torch.zeros(1))[:, :, 0].numpy()
    waves = np.fft.ifft(responses * spectrum).real
    window = np.exp(-(np.minimum(np.arange(SIDE), SIDE - np.arange(SIDE)) ** 2) / (2 * 4.0**2))
    energies = (waves**2 * window).sum(1) / window.sum()
    noise = SIGMA**2 * np.array(half_octave_gains())
    lost = noise / (noise + energies)
    order = np.argsort(half_octave_frequencies())
    return np.exp(np.interp(0.5, lost[order], np.log(half_octave_frequencies())[order]))


def test_nothing_is_inferred_where_nothing_is_changed():
    image = torch.rand(SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    assert inferred_share(torch.zeros_like(image), image, white_noise()).abs().max() == 0
