"""Rendered fluorescence: sparse bright structures on a dark background."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from training.data.random_fields import slope, smooth_field
from training.data.rng import SampleRNG

_SPOTS = 400
_STRANDS = 3
_CELLS = 2
_NEIGHBORS = 9
_RODS = 48
_VESICLES = 40


def fluorescent_textures(rng: SampleRNG, side: int, kinds: Sequence[str] | None = None) -> Tensor:
    """Draw structures of several kinds, mixed.

    Parameters
    ----------
    rng : SampleRNG
        N streams.
    side : int
        Side in pixels.
    kinds : sequence of str, optional
        Of `KINDS`; by default those of `TRAINED`.

    Returns
    -------
    Tensor
        (N, 3, side, side) linear light, gray, sharp to the pixel; the brightest structures are 1.
    """
    draw = [KINDS[kind] for kind in (TRAINED if kinds is None else kinds)]
    drawn = torch.cat([kind(rng, side) for kind in draw], 1)
    strength = rng.log_uniform(0.1, 1, len(draw), 1, 1)
    strength = strength * rng.bernoulli(min(1.8 / len(draw), 1), len(draw), 1, 1)
    one = torch.nn.functional.one_hot(rng.integers(0, len(draw)), len(draw))
    structures = (drawn * torch.maximum(strength, one[..., None, None])).sum(1, keepdim=True)
    structures = structures / structures.amax((-2, -1), keepdim=True)
    background = rng.log_uniform(1e-3, 0.1, 1, 1, 1)
    return (background + (1 - background) * structures).expand(-1, 3, -1, -1)


def _spots(rng: SampleRNG, side: int) -> Tensor:
    """Draw small Gaussian spots of varied brightness, few or many, (N, 1, H, W)."""
    place = (rng.uniform(0, 1, _SPOTS, 2) * side).long().clamp(max=side - 1)
    brightness = (0.7 * rng.normal(_SPOTS)).exp()
    number = rng.log_uniform(10, _SPOTS, 1)
    brightness = brightness * (torch.arange(_SPOTS, device=rng.device) < number)
    points = brightness.new_zeros(len(rng), side * side)
    points.scatter_add_(1, place[..., 0] * side + place[..., 1], brightness)
    width = rng.uniform(0.5, 1.3, 1, 1)
    y = torch.fft.fftfreq(side, device=rng.device)[:, None]
    x = torch.fft.rfftfreq(side, device=rng.device)
    gauss = (-2 * (torch.pi * width) ** 2 * (y**2 + x**2)).exp()
    spectrum = torch.fft.rfft2(points.view(-1, side, side)) * gauss
    blurred: Tensor = torch.fft.irfft2(spectrum, s=(side, side))
    return (blurred.clamp(min=0) * 2 * torch.pi * width**2)[:, None]


def _filaments(rng: SampleRNG, side: int) -> Tensor:
    """Draw curved strands of even width, brighter in some places, (N, 1, H, W)."""
    field = smooth_field(rng, _STRANDS, side)
    width = rng.uniform(0.5, 1.2, _STRANDS, 1, 1)
    strands = (-0.5 * (field / slope(field) / width) ** 2).exp()
    brightness = (0.5 + smooth_field(rng, _STRANDS, side)).clamp(0, 1)
    return (strands * brightness).sum(1, keepdim=True)


def _cells(rng: SampleRNG, side: int) -> Tensor:
    """Draw islands with a texture inside, (N, 1, H, W)."""
    field = smooth_field(rng, _CELLS, side) - rng.uniform(0.2, 0.8, _CELLS, 1, 1)
    inside = (field / slope(field) + 0.5).clamp(0, 1)
    grain = rng.noise(_CELLS, side, side)
    grain = torch.nn.functional.avg_pool2d(grain, 3, 1, 1)
    return (inside * (0.5 + 0.6 * grain).clamp(0.1, 2)).sum(1, keepdim=True)


def _membranes(rng: SampleRNG, side: int) -> Tensor:
    """Draw bright borders between cells that touch, (N, 1, H, W)."""
    fields = smooth_field(rng, _NEIGHBORS, side)
    first, second = fields.topk(2, 1).values.unbind(1)
    apart = (first - second)[:, None]
    width = rng.uniform(0.5, 1.2, 1, 1, 1)
    border = (-0.5 * (apart / slope(apart) / width) ** 2).exp()
    return border * (0.7 + smooth_field(rng, 1, side)).clamp(0.2, 1.2)


def _nuclei(rng: SampleRNG, side: int) -> Tensor:
    """Draw smooth islands, clumped inside, with darker nucleoli, (N, 1, H, W)."""
    field = smooth_field(rng, 1, side, 5) - rng.uniform(0.1, 0.6, 1, 1, 1)
    inside = (field / slope(field) + 0.5).clamp(0, 1)
    clumps = 0.7 + 0.5 * smooth_field(rng, 1, side, 12)
    nucleoli = (8 * (smooth_field(rng, 1, side, 12) - 0.6)).sigmoid()
    return inside * clumps.clamp(0.2, 1.4) * (1 - 0.7 * nucleoli)


def _rods(rng: SampleRNG, side: int) -> Tensor:
    """Draw short straight rods, each evenly bright, (N, 1, H, W)."""
    line = torch.arange(side, device=rng.device, dtype=torch.float32)
    turn = rng.uniform(0, torch.pi, _RODS, 1, 1)
    y, x = (
        line[:, None] - side * rng.uniform(0, 1, _RODS, 1, 1),
        line - side * rng.uniform(0, 1, _RODS, 1, 1),
    )
    along, across = x * turn.cos() + y * turn.sin(), y * turn.cos() - x * turn.sin()
    length = rng.log_uniform(2, 12, _RODS, 1, 1)
    distance = torch.hypot((along.abs() - length).clamp(min=0), across)
    width = rng.uniform(0.8, 2.5, _RODS, 1, 1)
    body = (width - distance + 0.5).clamp(0, 1) * rng.log_uniform(0.2, 1, _RODS, 1, 1)
    return body.amax(1, keepdim=True)


def _vesicles(rng: SampleRNG, side: int) -> Tensor:
    """Draw hollow bubbles with thin, bright rims, (N, 1, H, W)."""
    line = torch.arange(side, device=rng.device, dtype=torch.float32)
    y, x = (side * rng.uniform(0, 1, _VESICLES, 1, 1) for _ in range(2))
    distance = torch.hypot(line[:, None] - y, line - x)
    radius = rng.log_uniform(2, 20, _VESICLES, 1, 1)
    width = rng.uniform(0.6, 1.2, _VESICLES, 1, 1)
    rims = (-0.5 * ((distance - radius) / width) ** 2).exp()
    return (rims * rng.log_uniform(0.2, 1, _VESICLES, 1, 1)).amax(1, keepdim=True)


#: Functions of a rng and a side that draw structures (N, 1, side, side), by name.
KINDS: Mapping[str, Callable[[SampleRNG, int], Tensor]] = {
    "spots": _spots,
    "filaments": _filaments,
    "cells": _cells,
    "membranes": _membranes,
    "nuclei": _nuclei,
    "rods": _rods,
    "vesicles": _vesicles,
}
#: Kinds for training, and kinds held out for evaluation.
TRAINED = ("spots", "filaments", "cells", "membranes", "nuclei")
HELD_OUT = ("rods", "vesicles")
