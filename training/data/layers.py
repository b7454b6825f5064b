"""Layers of a scene: where they cover what lies behind, and how far out of focus they are."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from training.data.chance import Chance

_CELLS = 16


@dataclass(frozen=True)
class Depths:
    """Signed blur radii, farthest layer first.

    Attributes
    ----------
    low, high : Tensor
        (N, L) radii in px at the two ends of each layer.
    along : Tensor
        (N, L, H, W) where a pixel lies between them, 0 to 1.
    """

    low: Tensor
    high: Tensor
    along: Tensor

    @property
    def radius(self) -> Tensor:
        """(N, L, H, W) in px."""
        low, high = self.low[..., None, None], self.high[..., None, None]
        return low + (high - low) * self.along


def random_masks(chance: Chance, layers: int, side: int) -> Tensor:
    """Blobs, bands, straight edges or nothing, (N, L, side, side); edges are one pixel wide."""
    field = _smooth_field(chance, layers, side)
    kind = chance.uniform(0, 1, layers, 1, 1)
    field = torch.where(kind < 0.25, 2 * _plane(chance, layers, side) + 0.2 * field, field)
    field = torch.where(kind > 0.75, 0.35 - field.abs(), field)
    field = field - chance.uniform(-0.5, 0.3, layers, 1, 1)
    slope = torch.hypot(*torch.gradient(field, dim=(-2, -1))).clamp(min=1e-3)
    present = chance.happens(0.6, layers, 1, 1)
    return (field / slope + 0.5).clamp(0, 1) * present


def random_depths(
    chance: Chance, layers: int, side: int, min_radius: float, max_radius: float
) -> Depths:
    """Slanted, bent layers; the largest radius of a scene is drawn log-uniformly."""
    share = chance.uniform(0, 1, 1) ** 1.2
    largest = min_radius * (math.log(max_radius / min_radius) * share).exp()
    centre = largest * chance.uniform(-1, 1, layers)
    in_focus = chance.happens(0.2, layers)
    centre = torch.where(in_focus, 0.3 * (centre / largest), centre)
    centre = centre.sort(1, descending=True)[0]
    tilt = largest * 0.5 * chance.uniform(0, 1, layers) ** 2
    tilt = tilt * ~(in_focus & chance.happens(0.7, layers))
    low = (centre - tilt).clamp(-max_radius, max_radius)
    high = (centre + tilt).clamp(-max_radius, max_radius)
    ramp = _plane(chance, layers, side)
    bend = chance.uniform(-0.5, 0.5, layers, 1, 1)
    along = (0.5 + 0.5 * (ramp + bend * (1 - ramp**2))).clamp(0, 1)
    return Depths(low, high, along)


def _plane(chance: Chance, layers: int, side: int) -> Tensor:
    """(N, L, side, side): a slope in a random direction, 0 in the middle, about 1 at the rim."""
    line = torch.linspace(-1, 1, side, device=chance.device)
    turn = chance.uniform(0, 2 * math.pi, layers, 1, 1)
    return torch.cos(turn) * line + torch.sin(turn) * line[:, None]


def _smooth_field(chance: Chance, layers: int, side: int) -> Tensor:
    """(N, L, side, side) smooth noise with 3 to 14 cells along a side."""
    noise = chance.normal(layers, _CELLS, _CELLS).flatten(0, 1)[:, None]
    zoom = chance.uniform(3, 14, layers).flatten() / _CELLS
    turn = torch.eye(2, 3, device=chance.device) * zoom[:, None, None]
    grid = functional.affine_grid(turn, [len(noise), 1, side, side], align_corners=False)
    field = functional.grid_sample(noise, grid, mode="bicubic", align_corners=False)
    return field.view(len(chance), layers, side, side)
