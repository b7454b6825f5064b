"""Best plane of a profile: vertex of the parabola through the squared radii."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Radius in pixels above which nothing is sharp: mosaics alone blur by 1.1 px. Larger radii do not
#: tell reliably which of two blurred planes is nearer to focus.
SHARP = 2.0
#: Planes whose radius exceeds the smallest one by up to this many pixels take part in the fit.
_REACH = 1.0
#: Uncertainty in planes where the profile does not tell the place between two planes.
_HALF_A_PLANE = 0.5


def best_plane(radius: Floats, error: Floats) -> tuple[float, float]:
    """Return the fractional index of the sharpest plane, and its uncertainty in planes.

    Parameters
    ----------
    radius : (planes,) array
        Radius in pixels; NaN where there is none.
    error : (planes,) array
        Standard error of the radius; above 0.

    Returns
    -------
    index, uncertainty : float
        NaN if no plane is sharp.

    Notes
    -----
    Blurs add up in mean square, so the squared radius is a parabola of the distance from the plane
    of focus, whatever the lens adds to it.

    Examples
    --------
    >>> planes = np.arange(7)
    >>> radius = np.hypot(0.5, planes - 3.25)
    >>> index, uncertainty = best_plane(radius, np.full(7, 0.1))
    >>> round(index, 2), uncertainty < 0.5
    (3.25, True)
    """
    (places,) = np.nonzero(np.isfinite(radius))
    if places.size == 0:
        return np.nan, np.nan
    finite = radius[places]
    middle = int(np.argmin(finite))
    near = _around(finite <= finite[middle] + _REACH, middle)
    if finite[middle] > SHARP:
        return np.nan, np.nan
    lowest = float(places[middle])
    if near.stop - near.start < 3:
        return lowest, _HALF_A_PLANE
    return _vertex(np.subtract(places[near], lowest), finite[near], error[places[near]], lowest)


def _around(member: npt.NDArray[np.bool_], middle: int) -> slice:
    """Return the run of members around one, with at least one place on each side of it."""
    (others,) = np.nonzero(~member)
    start = int(max(others[others < middle], default=-1)) + 1
    stop = int(min(others[others > middle], default=member.size))
    return slice(max(min(start, middle - 1), 0), min(max(stop, middle + 2), member.size))


def _vertex(offset: Floats, radius: Floats, error: Floats, lowest: float) -> tuple[float, float]:
    """Return the vertex of the parabola through squared radii, within the planes it is fit to."""
    weight = 1 / (2 * np.maximum(radius, error) * error)
    (curvature, slope, _), covariance = np.polyfit(offset, radius**2, 2, w=weight, cov="unscaled")
    if curvature <= 0:
        return lowest, _HALF_A_PLANE
    vertex = -slope / (2 * curvature)
    inner = float(np.clip(vertex, offset.min(), offset.max()))
    if inner != vertex:  # focus lies beyond the planes
        return lowest + inner, _HALF_A_PLANE
    gradient = np.array([slope / (2 * curvature**2), -1 / (2 * curvature), 0])
    uncertainty = float(np.sqrt(gradient @ covariance @ gradient))
    return lowest + inner, min(uncertainty, float(np.ptp(offset)))
