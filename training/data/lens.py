"""Random lenses: dual-pixel kernels of varied shape for any signed radius."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from napari_defocus.optics.kernels import normalised
from training.data.chance import Chance

_SUBPIXELS = 3


@dataclass(frozen=True)
class Lens:
    """Pupils of a batch of lenses; every field is a (B,) tensor.

    Attributes
    ----------
    ring : Tensor
        Dip in the middle: 0 is a flat pupil, 1 a ring that is nearly dark in its centre.
    soft_edge : Tensor
        Width of the pupil's edge as a share of its radius.
    blades : Tensor
        Blades of a polygonal aperture; 0 for a round one.
    turn : Tensor
        Rotation of the polygon in radians.
    cut_x, cut_y : Tensor
        Shift, in radii, of the second circle of a cat's-eye pupil.
    ramp : Tensor
        Width, in radii, of the transition between the two photodiodes' half pupils.
    leak : Tensor
        Share of the light that reaches the wrong photodiode.
    """

    ring: Tensor
    soft_edge: Tensor
    blades: Tensor
    turn: Tensor
    cut_x: Tensor
    cut_y: Tensor
    ramp: Tensor
    leak: Tensor

    def kernels(self, radius: Tensor, half: int) -> Tensor:
        """As `Lenses.kernels`, each view's of unit sum."""
        steps = (2 * half + 1) * _SUBPIXELS
        line = (torch.arange(steps, device=radius.device) + 0.5) / _SUBPIXELS - half - 0.5
        safe = torch.where(radius.abs() < 0.5, torch.where(radius < 0, -0.5, 0.5), radius)
        scale = safe[..., None, None]
        u, v = line[None, None, None] / scale, line[None, None, :, None] / scale
        pupil = _pupil(self, u, v, scale.abs())
        ramp = (u / _wide(self.ramp) / 2 + 0.5).clamp(0, 1)
        leak = _wide(self.leak)
        ramp = leak + (1 - 2 * leak) * ramp
        views = torch.stack([pupil * ramp, pupil * (1 - ramp)], 2)
        fine = views.flatten(0, 2)[:, None]
        kernels = functional.avg_pool2d(fine, _SUBPIXELS)[:, 0].unflatten(0, views.shape[:3])
        return normalised(kernels)


class RandomLenses:
    """Optics that draws lenses of varied families."""

    def draw(self, chance: Chance) -> Lens:
        """A lens for each stream of chance."""
        return Lens(
            ring=chance.happens(0.5) * chance.uniform(0.0, 0.9),
            soft_edge=chance.uniform(0.02, 0.5),
            blades=chance.happens(0.3) * chance.integers(5, 10).float(),
            turn=chance.uniform(0.0, 2 * math.pi),
            cut_x=chance.happens(0.35) * chance.uniform(-0.5, 0.5),
            cut_y=chance.happens(0.35) * chance.uniform(-0.5, 0.5),
            ramp=chance.uniform(0.1, 0.9),
            leak=chance.uniform(0.0, 0.08),
        )


def _pupil(lens: Lens, u: Tensor, v: Tensor, radius: Tensor) -> Tensor:
    """Transmission at pupil coordinates in radii."""
    rho = torch.hypot(u, v)
    edge = torch.maximum(_wide(lens.soft_edge), 1 / (_SUBPIXELS * radius))
    distance = torch.where(_wide(lens.blades) > 0, rho / _polygon(lens, u, v), rho)
    shifted = torch.hypot(u - _wide(lens.cut_x), v - _wide(lens.cut_y))
    outer = torch.maximum(distance, shifted)
    open_area = ((1 - outer) / edge + 0.5).clamp(0, 1)
    lift = (rho / 0.8).clamp(max=2) ** 6
    profile = 1 - _wide(lens.ring) / (1 + lift)
    return open_area * profile + 1e-12


def _polygon(lens: Lens, u: Tensor, v: Tensor) -> Tensor:
    """Radius of a regular polygon of unit area-equivalent size in each direction."""
    sector = 2 * math.pi / _wide(lens.blades).clamp(min=5)
    angle = torch.atan2(v, u) + _wide(lens.turn)
    within = torch.remainder(angle, sector) - sector / 2
    return (torch.cos(sector / 2) / torch.cos(within)) * (1 + 0.06 * sector)


def _wide(x: Tensor) -> Tensor:
    return x[:, None, None, None]
