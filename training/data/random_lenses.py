"""Random lenses: dual-pixel kernels of varied shape for any signed radius, traced ray by ray."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_defocus.optics.kernels import normalize
from training.data.rng import SampleRNG

#: Disparity of the random lenses, in radii: the median.
TYPICAL_DISPARITY = 0.67
_REACH = 1.3
_PUPIL_POINTS = 4000
_GOLDEN_TURN = math.pi * (3 - math.sqrt(5))


@dataclass(frozen=True)
class TracedLenses:
    """A batch of lenses; every field is a (B,) tensor unless said otherwise.

    Attributes
    ----------
    ring : Tensor
        Dip in the middle: 0 is a flat pupil, 1 a ring that is dark in its center.
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
    spherical : Tensor
        Spherical aberration: how far rays from the pupil's rim miss their point, in px.
    coma, astigmatism : Tensor
        (B, 2) likewise, along two directions each.
    fringe : Tensor
        (B, 3) what red, green and blue add to the radius, in px.
    """

    ring: Tensor
    soft_edge: Tensor
    blades: Tensor
    turn: Tensor
    cut_x: Tensor
    cut_y: Tensor
    ramp: Tensor
    leak: Tensor
    spherical: Tensor
    coma: Tensor
    astigmatism: Tensor
    fringe: Tensor

    def kernels(self, scene: Tensor, radius: Tensor, half: int) -> Tensor:
        """As `Optics.kernels`.

        Notes
        -----
        A ray through the pupil at (u, v), in radii, meets the sensor at ``radius (u, v)`` plus the
        third-order transverse ray aberrations (Born and Wolf, "Principles of Optics", 5.3): with
        rho^2 = u^2 + v^2, ``rho^2 (u, v)`` for spherical aberration, ``(3 u^2 + v^2, 2 u v)`` for
        coma along u, and ``(u, -v)`` for astigmatism. They are balanced by defocus (same, 9.2):
        radius 0 is where the spot is smallest, not where rays through the pupil's middle meet.
        """
        u, v = (w.to(radius.device) for w in pupil_points(14 * half**2 + 500))
        views = self._views(u, v)
        stray_x, stray_y = _aberration(self, u, v, views.sum(-1))
        x = radius[:, None] * u + stray_x[scene]
        y = radius[:, None] * v + stray_y[scene]
        return normalize(splat(x, y, views[scene], half))

    def disparity(self, radius: Tensor) -> Tensor:
        """As `Lenses.disparity`."""
        u, v = (w.to(self.ramp.device) for w in pupil_points(_PUPIL_POINTS))
        views = self._views(u, v)
        stray, _ = _aberration(self, u, v, views.sum(-1))
        places = torch.stack([u.expand_as(stray), stray], 1)
        means = places @ views / views.sum(1, keepdim=True)
        slope, offset = (means[..., 0] - means[..., 1]).unbind(1)
        return radius * slope[:, None, None, None] + offset[:, None, None, None]

    def _views(self, u: Tensor, v: Tensor) -> Tensor:
        """(B, P, 2) light of points of the pupil that the left and the right photodiode receive."""
        light = _transmission(self, u, v)
        leak = self.leak[:, None]
        ramp = leak + (1 - 2 * leak) * (u / self.ramp[:, None] / 2 + 0.5).clamp(0, 1)
        return torch.stack([light * ramp, light * (1 - ramp)], -1)


class RandomLenses:
    """LensSource that draws lenses of varied families."""

    def draw(self, rng: SampleRNG) -> TracedLenses:
        """A lens for each stream of rng."""
        aberrant, colored = rng.bernoulli(0.4, 1), rng.bernoulli(0.4, 1)
        fringe = colored * rng.uniform(-0.4, 0.4, 2)
        return TracedLenses(
            ring=rng.bernoulli(0.5) * rng.uniform(0.0, 0.9),
            soft_edge=rng.uniform(0.02, 0.5),
            blades=rng.bernoulli(0.3) * rng.integers(5, 10).float(),
            turn=rng.uniform(0.0, 2 * math.pi),
            cut_x=rng.bernoulli(0.35) * rng.uniform(-0.5, 0.5),
            cut_y=rng.bernoulli(0.35) * rng.uniform(-0.5, 0.5),
            ramp=rng.uniform(0.1, 0.9),
            leak=rng.uniform(0.0, 0.08),
            spherical=aberrant[:, 0] * rng.uniform(-0.8, 0.8),
            coma=aberrant * rng.uniform(-0.2, 0.2, 2),
            astigmatism=aberrant * rng.uniform(-0.4, 0.4, 2),
            fringe=torch.stack([fringe[:, 0], torch.zeros_like(fringe[:, 0]), fringe[:, 1]], 1),
        )


def pupil_points(count: int) -> tuple[Tensor, Tensor]:
    """Return evenly spread points of the pupil plane, (P,) each: Vogel's sunflower."""
    index = torch.arange(count) + 0.5
    rho, turn = _REACH * (index / count).sqrt(), index * _GOLDEN_TURN
    return rho * torch.cos(turn), rho * torch.sin(turn)


def _transmission(lens: TracedLenses, u: Tensor, v: Tensor) -> Tensor:
    """(B, P) light through points of the pupil."""
    rho = torch.hypot(u, v)
    round_, angular = rho, rho / _polygon(lens, u, v)
    distance = torch.where(lens.blades[:, None] > 0, angular, round_)
    shifted = torch.hypot(u - lens.cut_x[:, None], v - lens.cut_y[:, None])
    outer = torch.maximum(distance, shifted)
    open_area = ((1 - outer) / lens.soft_edge[:, None] + 0.5).clamp(0, 1)
    lift = (rho / 0.8) ** 6
    return open_area * (1 - lens.ring[:, None] / (1 + lift))


def _polygon(lens: TracedLenses, u: Tensor, v: Tensor) -> Tensor:
    """Radius of a regular polygon of about a unit disk's area in each direction."""
    sector = 2 * math.pi / lens.blades[:, None].clamp(min=5)
    angle = torch.atan2(v, u) + lens.turn[:, None]
    within = torch.remainder(angle, sector) - sector / 2
    return (torch.cos(sector / 2) / torch.cos(within)) * (1 + 0.06 * sector)


def _aberration(lens: TracedLenses, u: Tensor, v: Tensor, light: Tensor) -> tuple[Tensor, Tensor]:
    """Return displacements, (B, P) in px along x and y, without shift and defocus."""
    uu, uv, vv = u * u, u * v, v * v
    coma_x, coma_y = lens.coma[:, :1], lens.coma[:, 1:]
    straight, slanted = lens.astigmatism[:, :1], lens.astigmatism[:, 1:]
    swell = lens.spherical[:, None] * (uu + vv)
    x = swell * u + coma_x * (3 * uu + vv) + coma_y * 2 * uv + straight * u + slanted * v
    y = swell * v + coma_y * (uu + 3 * vv) + coma_x * 2 * uv - straight * v + slanted * u
    share = light / light.sum(1, keepdim=True)

    def center(w: Tensor) -> Tensor:
        return w - (w * share).sum(1, keepdim=True)

    x, y, u, v = center(x), center(y), center(u), center(v)
    moments = ((share * (x * u + y * v)).sum(1), (share * (u * u + v * v)).sum(1))
    defocus = (moments[0] / moments[1])[:, None]
    return x - defocus * u, y - defocus * v


def splat(x: Tensor, y: Tensor, light: Tensor, half: int) -> Tensor:
    """Accumulate light: each ray is shared by the four nearest quarters of pixels.

    `x`, `y` (M, P) in px from the middle, `light` (M, P, V); gives (M, V, S, S). What falls outside
    the square is lost.
    """
    side = 2 * half + 1
    wide = 2 * side
    x, y = 2 * x + side - 0.5, 2 * y + side - 0.5
    left, top = x.floor(), y.floor()
    right_share, low_share = x - left, y - top
    square = torch.arange(len(x), device=x.device)[:, None] * wide**2
    canvas = light.new_zeros(len(x) * wide**2, light.shape[-1])
    for column, share_x in ((left, 1 - right_share), (left + 1, right_share)):
        for row, share_y in ((top, 1 - low_share), (top + 1, low_share)):
            inside = (column >= 0) & (column < wide) & (row >= 0) & (row < wide)
            place = (row * wide + column).long().where(inside, 0) + square
            share = (share_x * share_y * inside)[..., None] * light
            canvas.index_add_(0, place.flatten(), share.flatten(0, 1))
    pixels = canvas.view(len(x), side, 2, side, 2, -1).sum((2, 4))
    return pixels.permute(0, 3, 1, 2)
