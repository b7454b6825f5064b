"""Rendered fluorescence: sparse bright structures on a dark background."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from training.data.noise_texture import noise_texture
from training.data.random_fields import slope, smooth_field
from training.data.rng import SampleRNG

_SPOTS = 400
_STRANDS = 3
_CELLS = 2
_NEIGHBORS = 9
_RODS = 48
_VESICLES = 40
_BODIES = 24
_THICK = 10
_DROPLETS = 36


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


def _points(rng: SampleRNG, side: int) -> Tensor:
    """Draw points of varied brightness between pixels, few or many, (N, 1, H, W).

    A point gives its light to the four nearest pixels.
    """
    place = rng.uniform(1, side - 2, _SPOTS, 2)
    brightness = (0.7 * rng.normal(_SPOTS)).exp()
    brightness = brightness * (
        torch.arange(_SPOTS, device=rng.device) < rng.log_uniform(10, _SPOTS, 1)
    )
    corner = place.floor()
    y, x = (place - corner).unbind(-1)
    index = (corner[..., 0] * side + corner[..., 1]).long()
    light = brightness.new_zeros(len(rng), side * side)
    for down, share in ((0, 1 - y), (side, y)):
        light.scatter_add_(1, index + down, brightness * share * (1 - x))
        light.scatter_add_(1, index + down + 1, brightness * share * x)
    return light.view(-1, 1, side, side)


def _bodies(rng: SampleRNG, side: int) -> Tensor:
    """Draw crowded, overlapping cell bodies, granular, with darker nuclei, (N, 1, H, W)."""
    distance, size = _ellipses(rng, side, _BODIES, (6, 22))
    edge = rng.log_uniform(1, 5, _BODIES, 1, 1)
    inside = ((1 - distance) * size / edge + 0.5).clamp(0, 1)
    nucleus = ((0.5 - distance) * size / edge + 0.5).clamp(0, 1)
    body = inside * (1 - rng.uniform(0, 0.9, _BODIES, 1, 1) * nucleus)
    body = body * rng.log_uniform(0.15, 1, _BODIES, 1, 1)
    granules = 1 + rng.uniform(0, 0.4, 1, 1, 1) * noise_texture(rng, 1, side)
    return body.sum(1, keepdim=True) * granules.clamp(0.2, 3)


def _chromatin(rng: SampleRNG, side: int) -> Tensor:
    """Draw thick nuclei, as bright as they are deep, clumped at several sizes, (N, 1, H, W)."""
    distance, _ = _ellipses(rng, side, _THICK, (10, 34))
    depth = (1 - distance.square()).clamp(min=0).sqrt()
    depth = (depth * rng.log_uniform(0.3, 1, _THICK, 1, 1)).sum(1, keepdim=True)
    clumps = 1 + rng.uniform(0.1, 0.5, 1, 1, 1) * noise_texture(rng, 1, side)
    centers = (6 * (smooth_field(rng, 1, side, 12) - rng.uniform(0.6, 1.2, 1, 1, 1))).sigmoid()
    return depth * (clumps.clamp(0.1, 3) + 2 * centers)


def _droplets(rng: SampleRNG, side: int) -> Tensor:
    """Draw balls and shells, as bright as they are deep, (N, 1, H, W)."""
    distance, size = _ellipses(rng, side, _DROPLETS, (1.5, 16))
    hollow = rng.uniform(0, 0.95, _DROPLETS, 1, 1) * rng.bernoulli(0.7, _DROPLETS, 1, 1)
    outer = (1 - distance.square()).clamp(min=0).sqrt()
    inner = (hollow.square() - distance.square()).clamp(min=0).sqrt()
    light = size * (outer - inner) * rng.log_uniform(0.05, 1, _DROPLETS, 1, 1)
    return light.sum(1, keepdim=True)


def _clouds(rng: SampleRNG, side: int) -> Tensor:
    """Draw islands whose edges are soft over several px even in focus, (N, 1, H, W)."""
    field = smooth_field(rng, 1, side) - rng.uniform(0.2, 0.8, 1, 1, 1)
    width = rng.log_uniform(0.5, 3, 1, 1, 1)
    return (field / slope(field).mean((-2, -1), keepdim=True) / width).sigmoid()


def _ellipses(
    rng: SampleRNG, side: int, count: int, sizes: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """Draw ellipses; return distances from their middles, 1 at the rim, and their sizes in px.

    The distances are (N, count, side, side); the sizes, log-uniform in a range, (N, count, 1, 1).
    """
    line = torch.arange(side, device=rng.device, dtype=torch.float32)
    y, x = (axis - side * rng.uniform(0, 1, count, 1, 1) for axis in (line[:, None], line))
    size, turn = rng.log_uniform(*sizes, count, 1, 1), rng.uniform(0, torch.pi, count, 1, 1)
    stretch = rng.uniform(0.8, 1.25, count, 1, 1)
    along, across = x * turn.cos() + y * turn.sin(), y * turn.cos() - x * turn.sin()
    return torch.hypot(along * stretch, across / stretch) / size, size


#: Functions of a rng and a side that draw structures (N, 1, side, side), by name.
KINDS: Mapping[str, Callable[[SampleRNG, int], Tensor]] = {
    "spots": _spots,
    "filaments": _filaments,
    "cells": _cells,
    "membranes": _membranes,
    "nuclei": _nuclei,
    "rods": _rods,
    "vesicles": _vesicles,
    "points": _points,
    "bodies": _bodies,
    "chromatin": _chromatin,
    "droplets": _droplets,
    "clouds": _clouds,
}
#: Kinds for training, in photographs and under microscopes, and kinds held out for evaluation.
TRAINED = ("spots", "filaments", "cells", "membranes", "nuclei")
SPECIMENS = (*TRAINED, "points", "bodies", "chromatin", "droplets", "clouds")
HELD_OUT = ("rods", "vesicles")
