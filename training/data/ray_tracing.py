"""Tracing of rays through the surfaces of a lens."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.data.prescriptions import AIR, LINE_D, Prescription, Surface

Floats = NDArray[np.float64]

#: Newton steps to an aspheric surface, and the distance in mm within which a ray has met it.
_STEPS, _MET = 20, 1e-9
#: Height in mm, and slope, of paraxial rays.
_PARAXIAL = 1e-4


@dataclass(frozen=True)
class Rays:
    """Rays in air or glass; light travels toward z > 0.

    Attributes
    ----------
    position : array
        (N, 3) x, y, z in mm.
    direction : array
        (N, 3) of unit length.
    passing : array
        (N,) bool: not stopped by a rim, nor reflected.
    """

    position: Floats
    direction: Floats
    passing: NDArray[np.bool_]

    def at_plane(self, z: float) -> Floats:
        """Return x and y (N, 2) in mm where the rays meet a plane across the axis."""
        ahead = (z - self.position[:, 2]) / self.direction[:, 2]
        meeting: Floats = self.position[:, :2] + ahead[:, None] * self.direction[:, :2]
        return meeting

    @property
    def slope(self) -> Floats:
        """Return the growth (N, 2) of x and y along z."""
        slope: Floats = self.direction[:, :2] / self.direction[:, 2:]
        return slope


def trace(
    rays: Rays, surfaces: Sequence[Surface], wavelength: float, *, stopped: bool = True
) -> Rays:
    """Return rays behind the last surface.

    Parameters
    ----------
    rays : Rays
        In air, in front of the first surface.
    surfaces : sequence of Surface
        Surfaces in order.
    wavelength : float
        In micrometers.
    stopped : bool
        Whether rays beyond a surface's clear diameter are stopped.

    Notes
    -----
    Spencer and Murty, "General ray-tracing procedure" (J. Opt. Soc. Am. 52, 1962): Newton steps to
    the surface, and Snell's law in vectors.
    """
    before = AIR
    with np.errstate(invalid="ignore", over="ignore"):  # rays that miss become NaN and are stopped
        for surface in surfaces:
            ratio = before.at(wavelength) / surface.after.at(wavelength)
            rays = _refract(rays, surface, ratio, stopped=stopped)
            before = surface.after
    return rays


def _refract(rays: Rays, surface: Surface, ratio: float, *, stopped: bool) -> Rays:
    vertex = np.array([0.0, 0.0, surface.place])
    place = rays.position - vertex
    position = place - (place[:, 2:] / rays.direction[:, 2:]) * rays.direction
    for _ in range(_STEPS):
        sag, gradient = _sag(surface, position)
        miss = position[:, 2] - sag
        facing = rays.direction[:, 2] - (gradient * rays.direction[:, :2]).sum(1)
        position = position - (miss / facing)[:, None] * rays.direction
        if np.nanmax(np.abs(miss), initial=0) < _MET:
            break
    _, gradient = _sag(surface, position)
    normal = np.concatenate([-gradient, np.ones((len(gradient), 1))], 1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    cosine = (normal * rays.direction).sum(1, keepdims=True)
    refracted = 1 - ratio**2 * (1 - cosine**2)
    direction = ratio * rays.direction + (np.sqrt(refracted) - ratio * cosine) * normal
    passing = rays.passing & np.isfinite(direction).all(1) & (np.abs(miss) < 1e-6)
    if stopped:
        passing = passing & (np.hypot(*position[:, :2].T) <= surface.half)
    return Rays(position + vertex, direction, passing)


def _sag(surface: Surface, position: Floats) -> tuple[Floats, Floats]:
    """Return height z (N,) of the surface at x and y, and its gradient (N, 2)."""
    squared = (position[:, :2] ** 2).sum(1)
    curvature = surface.curvature
    root = np.sqrt(1 - (1 + surface.conic) * curvature**2 * squared)
    sag = curvature * squared / (1 + root)
    by_square = curvature / (2 * root)
    for power, coefficient in enumerate(surface.asphere, 1):
        sag = sag + coefficient * squared**power
        by_square = by_square + power * coefficient * squared ** (power - 1)
    return sag, 2 * by_square[:, None] * position[:, :2]


def from_infinity(height: Floats, angle: float, z: float) -> Rays:
    """Return parallel rays that meet a plane at x, y (N, 2) in mm, from an angle in x, radians."""
    direction = np.array([math.sin(angle), 0.0, math.cos(angle)])
    start = np.concatenate([height, np.full((len(height), 1), z)], 1)
    return Rays(start, np.tile(direction, (len(start), 1)), np.ones(len(start), bool))


def focal_length(lens: Prescription, wavelength: float = LINE_D) -> tuple[float, float]:
    """Return focal length, and position of the paraxial focus, in mm."""
    ray = from_infinity(np.array([[_PARAXIAL, 0.0]]), 0.0, lens.surfaces[0].place - 1)
    ray = trace(ray, lens.surfaces, wavelength, stopped=False)
    focus = ray.position[0, 2] - ray.position[0, 0] / ray.slope[0, 0]
    return float(-_PARAXIAL / ray.slope[0, 0]), float(focus)


def entrance_pupil(lens: Prescription) -> tuple[float, float]:
    """Return position and radius in mm of the image of the stop that the object sees, paraxially.

    Rays from the middle of the stop are traced backward through the surfaces in front of it.
    """
    front, stop = lens.surfaces[: lens.stop], lens.surfaces[lens.stop]
    if not front:
        return stop.place, stop.half
    media = [AIR, *(surface.after for surface in front)]
    mirrored = [
        replace(
            surface,
            place=-surface.place,
            curvature=-surface.curvature,
            asphere=tuple(-a for a in surface.asphere),
            after=before,
        )
        for surface, before in zip(reversed(front), reversed(media[:-1]), strict=True)
    ]
    start = Rays(
        np.array([[0.0, 0.0, -stop.place], [_PARAXIAL, 0.0, -stop.place]]),
        np.array([[_PARAXIAL, 0.0, 1.0], [0.0, 0.0, 1.0]]),
        np.ones(2, bool),
    )
    ray = trace(start, mirrored, LINE_D, stopped=False)
    # middle and rim of the stop: two rays of the middle's bundle and of the rim's meet at images
    middle = -(ray.position[0, 2] - ray.position[0, 0] / ray.slope[0, 0])
    rim = ray.at_plane(-middle)[1, 0]
    return float(middle), float(stop.half * rim / _PARAXIAL)


def _moved_before(rays: Rays, lens: Prescription) -> Rays:
    """Move rays back along their direction to a plane in front of the lens."""
    z = lens.surfaces[0].place - 5.0
    back = (z - rays.position[:, 2]) / rays.direction[:, 2]
    return replace(rays, position=rays.position + back[:, None] * rays.direction)


def bundle(lens: Prescription, angle: float, points: Floats, wavelength: float) -> Rays:
    """Trace the rays of a distant point through points of the entrance pupil.

    Parameters
    ----------
    lens : Prescription
        The lens.
    angle : float
        Of the point to the axis, in x, in radians.
    points : array
        (N, 2) points of the entrance pupil, in its radii.
    wavelength : float
        In micrometers.
    """
    place, radius = entrance_pupil(lens)
    rays = from_infinity(radius * points, angle, place)
    return trace(_moved_before(rays, lens), lens.surfaces, wavelength)
