"""Smooth random fields, the material of masks, depths and structures."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from training.data.rng import SampleRNG

#: Range of the cells of a smooth field along a side.
LEAST_CELLS, _MOST_CELLS = 2.5, 14.0
_CELLS = 16


def smooth_field(rng: SampleRNG, count: int, side: int, least: float = LEAST_CELLS) -> Tensor:
    """Draw fields (N, count, side, side) of deviation 0.5 or so, `least` to 14 cells a side."""
    noise = rng.normal(count, _CELLS, _CELLS).flatten(0, 1)[:, None]
    zoom = rng.log_uniform(least, _MOST_CELLS, count).flatten() / _CELLS
    turn = torch.eye(2, 3, device=rng.device) * zoom[:, None, None]
    grid = functional.affine_grid(turn, [len(noise), 1, side, side], align_corners=False)
    field = functional.grid_sample(noise, grid, mode="bicubic", align_corners=False)
    return field.view(len(rng), count, side, side)


def slope(field: Tensor) -> Tensor:
    """Return the steepness (..., H, W) of a field per px, at least 0.001."""
    return torch.hypot(*torch.gradient(field, dim=(-2, -1))).clamp(min=1e-3)


def random_plane(rng: SampleRNG, count: int, side: int) -> Tensor:
    """Draw slopes (N, count, side, side) in random directions, 0 in the middle, 1 at the rim."""
    line = torch.linspace(-1, 1, side, device=rng.device)
    turn = rng.uniform(0, 2 * math.pi, count, 1, 1)
    return torch.cos(turn) * line + torch.sin(turn) * line[:, None]
