"""Random places of the field of traced lenses, as lenses of rendered scenes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from napari_defocus.optics.kernels import normalize
from training.data.lens_bank import FIELDS, PUPIL_HALF, TracedCameraLens, monomials_of
from training.data.lenses import Lenses, LensSource
from training.data.random_lenses import pupil_points, splat
from training.data.rng import SampleRNG

#: Log-uniform range of the pixels along half the diagonal of an image.
_PIXELS = (700.0, 3600.0)
#: Half the width of a scene in pixels, over which the field varies.
_HALF_SCENE = 100.0
#: Log-uniform range of the stop, as a share of the full aperture, in a share of the scenes.
_STOPPED, _STOPPED_SHARE = (0.35, 1.0), 0.6
#: Largest spot of green in focus, root mean square in px: a picture that is softer everywhere would
#: be shown smaller.
_SPOT = 1.2
#: Ranges of the divided pupil, as in `RandomLenses`.
_RAMP, _LEAK = (0.1, 0.9), 0.08
_POINTS = 4000


@dataclass(frozen=True)
class TracedLenses:
    """A batch of places in the fields of traced lenses.

    Attributes
    ----------
    light : Tensor
        (B, 1, 40, 40) light through points of the pupil; the field lies along x.
    errors : Tensor
        (B, 3, 2, 21) coefficients of where rays of each color meet the sensor, in px.
    azimuth : Tensor
        (B,) direction of the field in the scene, in radians.
    stop : Tensor
        (B,) radius of the stop, as a share of the full aperture.
    ramp, leak : Tensor
        (B,) of the divided pupil, as in `RandomLenses`.
    outward : TracedLenses, optional
        The same lenses farther out in the field, at the scenes' other end.
    """

    light: Tensor
    errors: Tensor
    azimuth: Tensor
    stop: Tensor
    ramp: Tensor
    leak: Tensor
    outward: "TracedLenses | None" = None

    @property
    def fringe(self) -> Tensor:
        """As `Optics.fringe`: the rays' errors hold it."""
        return torch.zeros(len(self.stop), 3, device=self.stop.device)

    @property
    def other_end(self) -> "TracedLenses":
        """As `FieldLenses.other_end`."""
        return self if self.outward is None else self.outward

    @property
    def toward(self) -> Tensor:
        """As `FieldLenses.toward`."""
        return torch.stack([self.azimuth.cos(), self.azimuth.sin()], 1)

    def kernels(self, scene: Tensor, radius: Tensor, half: int) -> Tensor:
        """As `Optics.kernels`, for each color: (M, 2, 3, S, S)."""
        u, v = (w.to(radius.device) for w in pupil_points(14 * half**2 + 500))
        bundle = self._bundle(u, v)
        kernels = []
        for color in range(3):
            x = radius[:, None] * bundle.u[scene] + bundle.x[scene, color]
            y = radius[:, None] * bundle.v[scene] + bundle.y[scene, color]
            kernels.append(normalize(splat(x, y, bundle.views[scene], half)))
        return torch.stack(kernels, 2)

    @property
    def spot(self) -> Tensor:
        """Return the root mean square size (B,) in px of green's spot in focus."""
        u, v = (w.to(self.stop.device) for w in pupil_points(_POINTS))
        bundle = self._bundle(u, v)
        light = bundle.views.sum(-1)
        squared = bundle.x[:, 1] ** 2 + bundle.y[:, 1] ** 2
        return ((squared * light).sum(1) / light.sum(1)).sqrt()

    def disparity(self, radius: Tensor) -> Tensor:
        """As `Lenses.disparity`, of green."""
        u, v = (w.to(radius.device) for w in pupil_points(_POINTS))
        bundle = self._bundle(u, v)
        places = torch.stack([bundle.u, bundle.x[:, 1]], 1)
        means = places @ bundle.views / bundle.views.sum(1, keepdim=True)
        slope, offset = (means[..., 0] - means[..., 1]).unbind(1)
        return radius * slope[:, None, None, None] + offset[:, None, None, None]

    def _bundle(self, u: Tensor, v: Tensor) -> "_Bundle":
        """Return rays through points of the pupil, stopped down and turned to the azimuth.

        Radius 0 is where the spot of green is smallest: aberrations are balanced by defocus.
        """
        count = len(self.stop)
        stop = self.stop[:, None]
        full_u, full_v = stop * u, stop * v
        place = torch.stack([full_u, full_v], -1)[:, None] / PUPIL_HALF
        light = functional.grid_sample(
            self.light, place, padding_mode="zeros", align_corners=False
        ).view(count, -1)
        inside = torch.hypot(u, v) <= 1
        light = torch.where((stop < 1) & ~inside, 0, light)
        base = monomials_of(full_u, full_v)  # (21, B, P)
        x, y = torch.einsum("bcdk,kbp->dbcp", self.errors, base)
        share = light / light.sum(1, keepdim=True)
        x, y = _balance(x, y, u, v, share)
        cos, sin = self.azimuth.cos()[:, None], self.azimuth.sin()[:, None]
        turned_u, turned_v = cos * u - sin * v, sin * u + cos * v
        cos, sin = cos[:, None], sin[:, None]
        turned_x, turned_y = cos * x - sin * y, sin * x + cos * y
        leak = self.leak[:, None]
        ramp = leak + (1 - 2 * leak) * (turned_u / self.ramp[:, None] / 2 + 0.5).clamp(0, 1)
        views = torch.stack([light * ramp, light * (1 - ramp)], -1)
        return _Bundle(turned_u, turned_v, turned_x, turned_y, views)


@dataclass(frozen=True)
class _Bundle:
    """Rays: pupil coordinates (B, P), errors (B, 3, P) in px, light in both views (B, P, 2)."""

    u: Tensor
    v: Tensor
    x: Tensor
    y: Tensor
    views: Tensor


def _balance(x: Tensor, y: Tensor, u: Tensor, v: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Shift and defocus errors (B, 3, P) so that green's spot is smallest, and in the middle."""

    def mean(values: Tensor) -> Tensor:
        return (values * share).sum(1, keepdim=True)

    green_x, green_y = x[:, 1], y[:, 1]
    u, v = u - mean(u.expand_as(share)), v - mean(v.expand_as(share))
    slope = mean(green_x * u + green_y * v) / mean(u * u + v * v)
    x = x - mean(green_x)[:, None] - (slope * u)[:, None]
    y = y - mean(green_y)[:, None] - (slope * v)[:, None]
    return x, y


class LensBank:
    """Source that draws a lens of a bank, a place of its field, a stop and a size of the pixels.

    Parameters
    ----------
    lenses : sequence of TracedCameraLens
        From `read_lens_bank`.
    """

    def __init__(self, lenses: Sequence[TracedCameraLens]) -> None:
        self._lenses = lenses

    def draw(self, rng: SampleRNG) -> TracedLenses:
        """As `LensSource.draw`."""
        picked = rng.integers(0, len(self._lenses)).tolist()
        pixels = rng.log_uniform(*_PIXELS)
        field = rng.uniform(0, 1) ** 0.5
        step = _HALF_SCENE / pixels
        stopped = rng.bernoulli(_STOPPED_SHARE)
        lenses = TracedLenses(
            light=torch.zeros(0),
            errors=torch.zeros(0),
            azimuth=rng.uniform(0, 2 * math.pi),
            stop=torch.where(stopped, rng.log_uniform(*_STOPPED), 1.0),
            ramp=rng.uniform(*_RAMP),
            leak=rng.uniform(0, _LEAK),
        )
        outward = self._at(lenses, picked, field + step, pixels)
        inward = self._at(lenses, picked, field - step, pixels)
        scale = (_SPOT / outward.spot.maximum(inward.spot)).clamp(max=1)[:, None, None, None]
        outward = replace(outward, errors=scale * outward.errors)
        return replace(inward, errors=scale * inward.errors, outward=outward)

    def _at(
        self, lenses: TracedLenses, picked: Sequence[int], field: Tensor, pixels: Tensor
    ) -> TracedLenses:
        """Return the lenses at places of the field, between those that were traced."""
        drawn = [
            _interpolate(self._lenses[index], place, size)
            for index, place, size in zip(picked, field.tolist(), pixels.tolist(), strict=True)
        ]
        light, errors = (
            torch.from_numpy(np.stack(part).astype(np.float32)).to(field.device)
            for part in zip(*drawn, strict=True)
        )
        return replace(lenses, light=light[:, None], errors=errors)


def _interpolate(
    lens: TracedCameraLens, field: float, pixels: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return light and errors, in px, of a lens at a place of the field."""
    last = len(lens.fields) - 1
    at = float(np.interp(abs(field), FIELDS[: last + 1], range(last + 1)))
    low = min(int(at), max(last - 1, 0))
    near, far = lens.fields[low], lens.fields[min(low + 1, last)]
    share = at - low
    light = (1 - share) * near.light + share * far.light
    errors = (1 - share) * near.errors + share * far.errors
    return light, errors * pixels / lens.half_diagonal


class MixedLenses:
    """Source that draws each lens from one of two sources.

    Parameters
    ----------
    first, second : LensSource
        Sources.
    share : float
        Share of lenses from the second one.
    """

    def __init__(self, first: LensSource, second: LensSource, share: float) -> None:
        self._first, self._second, self._share = first, second, share

    def draw(self, rng: SampleRNG) -> Lenses:
        """As `LensSource.draw`."""
        chosen = rng.bernoulli(self._share)
        if not chosen.any():
            return self._first.draw(rng)
        if chosen.all():
            return self._second.draw(rng)
        return _Mixture(
            self._first.draw(rng.select(~chosen)), self._second.draw(rng.select(chosen)), chosen
        )


@dataclass(frozen=True)
class _Mixture:
    """Lenses of two batches: those of the second where `chosen`, (N,) bool."""

    first: Lenses
    second: Lenses
    chosen: Tensor

    @property
    def fringe(self) -> Tensor:
        """As `Optics.fringe`."""
        return self._join(self.first.fringe, self.second.fringe)

    @property
    def other_end(self) -> "_Mixture":
        """As `FieldLenses.other_end`."""
        first, second = (getattr(part, "other_end", part) for part in (self.first, self.second))
        return _Mixture(first, second, self.chosen)

    @property
    def toward(self) -> Tensor:
        """As `FieldLenses.toward`."""
        parts = (
            getattr(part, "toward", torch.zeros(len(part.fringe), 2, device=self.chosen.device))
            for part in (self.first, self.second)
        )
        return self._join(*parts)

    def kernels(self, scene: Tensor, radius: Tensor, half: int) -> Tensor:
        """As `Optics.kernels`, for each color: (M, 2, 3, S, S)."""
        place = torch.where(self.chosen, self.chosen.cumsum(0), (~self.chosen).cumsum(0)) - 1
        from_second = self.chosen[scene]
        side = 2 * half + 1
        kernels = torch.zeros(len(scene), 2, 3, side, side, device=radius.device)
        for part, mine in ((self.first, ~from_second), (self.second, from_second)):
            if mine.any():
                drawn = part.kernels(place[scene[mine]], radius[mine], half)
                kernels[mine] = drawn if drawn.ndim == 5 else drawn[:, :, None]
        return kernels

    def disparity(self, radius: Tensor) -> Tensor:
        """As `Lenses.disparity`."""
        parts = (
            self.first.disparity(radius[~self.chosen]),
            self.second.disparity(radius[self.chosen]),
        )
        return self._join(*parts)

    def _join(self, first: Tensor, second: Tensor) -> Tensor:
        """Return rows of two batches in the order of the scenes."""
        joined = first.new_empty(len(self.chosen), *first.shape[1:])
        joined[~self.chosen], joined[self.chosen] = first, second
        return joined
