"""What a fluorescence microscope sees: sparse bright structures on a dark background."""

import torch
from torch import Tensor

from training.data.chance import Chance
from training.data.fields import slope, smooth_field

_SPOTS = 400
_STRANDS = 3
_CELLS = 2


def fluorescent_textures(chance: Chance, side: int) -> Tensor:
    """Draw spots, filaments and cells, mixed.

    Parameters
    ----------
    chance : Chance
        N streams.
    side : int
        Side in pixels.

    Returns
    -------
    Tensor
        (N, 3, side, side) linear light, grey, sharp to the pixel; the brightest structures are 1.
    """
    kinds = torch.cat([_spots(chance, side), _filaments(chance, side), _cells(chance, side)], 1)
    strength = chance.log_uniform(0.1, 1, 3, 1, 1) * chance.happens(0.6, 3, 1, 1)
    always = torch.nn.functional.one_hot(chance.integers(0, 3), 3)[..., None, None]
    structures = (kinds * torch.maximum(strength, always)).sum(1, keepdim=True)
    structures = structures / structures.amax((-2, -1), keepdim=True)
    background = chance.log_uniform(1e-3, 0.1, 1, 1, 1)
    return (background + (1 - background) * structures).expand(-1, 3, -1, -1)


def _spots(chance: Chance, side: int) -> Tensor:
    """(N, 1, H, W): small Gaussian spots of varied brightness, few or many."""
    place = (chance.uniform(0, 1, _SPOTS, 2) * side).long().clamp(max=side - 1)
    brightness = (0.7 * chance.normal(_SPOTS)).exp()
    number = chance.log_uniform(10, _SPOTS, 1)
    brightness = brightness * (torch.arange(_SPOTS, device=chance.device) < number)
    points = brightness.new_zeros(len(chance), side * side)
    points.scatter_add_(1, place[..., 0] * side + place[..., 1], brightness)
    width = chance.uniform(0.5, 1.3, 1, 1)
    y = torch.fft.fftfreq(side, device=chance.device)[:, None]
    x = torch.fft.rfftfreq(side, device=chance.device)
    gauss = (-2 * (torch.pi * width) ** 2 * (y**2 + x**2)).exp()
    spectrum = torch.fft.rfft2(points.view(-1, side, side)) * gauss
    blurred = torch.fft.irfft2(spectrum, s=(side, side)).clamp(min=0)
    return (blurred * 2 * torch.pi * width**2)[:, None]


def _filaments(chance: Chance, side: int) -> Tensor:
    """(N, 1, H, W): curved strands of even width, brighter in some places."""
    field = smooth_field(chance, _STRANDS, side)
    width = chance.uniform(0.5, 1.2, _STRANDS, 1, 1)
    strands = (-0.5 * (field / slope(field) / width) ** 2).exp()
    brightness = (0.5 + smooth_field(chance, _STRANDS, side)).clamp(0, 1)
    return (strands * brightness).sum(1, keepdim=True)


def _cells(chance: Chance, side: int) -> Tensor:
    """(N, 1, H, W): islands with a texture inside."""
    field = smooth_field(chance, _CELLS, side) - chance.uniform(0.2, 0.8, _CELLS, 1, 1)
    inside = (field / slope(field) + 0.5).clamp(0, 1)
    grain = chance.noise(_CELLS, side, side)
    grain = torch.nn.functional.avg_pool2d(grain, 3, 1, 1)
    return (inside * (0.5 + 0.6 * grain).clamp(0.1, 2)).sum(1, keepdim=True)
