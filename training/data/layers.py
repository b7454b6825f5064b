"""Random layers of a scene: their coverage and their depths."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from training.data.random_fields import LEAST_CELLS, random_plane, slope, smooth_field
from training.data.rng import SampleRNG


@dataclass(frozen=True)
class Depths:
    """Signed blur radii of slanted and bent layers, farthest layer first.

    Attributes
    ----------
    low, high : Tensor
        (N, L) least and greatest radius of each layer in px.
    radius : Tensor
        (N, L, H, W) in px.
    """

    low: Tensor
    high: Tensor
    radius: Tensor


def random_masks(
    rng: SampleRNG, layers: int, side: int, least_cells: float = LEAST_CELLS
) -> Tensor:
    """Draw blobs, bands, straight edges or nothing, (N, L, side, side), with edges 1 px wide.

    Blobs are the larger, the fewer cells of a smooth field a side may hold.
    """
    field = smooth_field(rng, layers, side, least_cells)
    kind = rng.uniform(0, 1, layers, 1, 1)
    field = torch.where(kind < 0.25, 2 * random_plane(rng, layers, side) + 0.2 * field, field)
    field = torch.where(kind > 0.75, 0.35 - field.abs(), field)
    field = field - rng.uniform(-0.5, 0.3, layers, 1, 1)
    present = rng.bernoulli(0.6, layers, 1, 1)
    return (field / slope(field) + 0.5).clamp(0, 1) * present


def random_depths(
    rng: SampleRNG, layers: int, side: int, min_radius: float, max_radius: float
) -> Depths:
    """Draw layers; the largest radius of a scene is log-uniform between the two limits.

    Radii are drawn positive behind the plane of focus; mirroring scenes at random reverses the
    sign of half of them (`training.data.scene.mirror_at_random`), so both orders occur.
    """
    share = rng.uniform(0, 1, 1) ** 1.2
    largest = min_radius * (math.log(max_radius / min_radius) * share).exp()
    center = largest * rng.uniform(-1, 1, layers)
    in_focus = rng.bernoulli(0.2, layers)
    center = torch.where(in_focus, 0.3 * (center / largest), center)
    center = center.sort(1, descending=True)[0]
    tilt = largest * 0.5 * rng.uniform(0, 1, layers) ** 2
    tilt = tilt * ~(in_focus & rng.bernoulli(0.7, layers))
    low = (center - tilt).clamp(-max_radius, max_radius)
    high = (center + tilt).clamp(-max_radius, max_radius)
    ramp = random_plane(rng, layers, side)
    bend = rng.uniform(-0.5, 0.5, layers, 1, 1)
    along = (0.5 + 0.5 * (ramp + bend * (1 - ramp**2))).clamp(0, 1)
    return Depths(low, high, low[..., None, None] + (high - low)[..., None, None] * along)
