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
#: Weights of neighboring planes where the one with the most sharp tiles is looked for.
_NEIGHBORS = np.array([0.25, 0.5, 0.25])
#: Weight of the variance, relative to that of the number of sharp tiles. It tells the plane best
#: in low light, where maps are uncertain; they tell the place between planes.
_OF_VARIANCE = 2.0
#: Radius of tiles that are farther from focus, and least error of the mean radius, in pixels.
_FARTHEST, _LEAST_ERROR = 3.0, 0.1
#: Error of the vertex in planes because radii of neighboring planes err alike: of 17 rendered flat
#: stacks the best plane is off by so much in the mean square.
_COMMON_ERROR = 0.17
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


def surface_radius(tiles: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return the radius of the surface that is in focus most widely, and its standard error.

    Parameters
    ----------
    tiles : (planes, N) array
        Radius of each tile in pixels; NaN where it shows nothing.
    variance : (planes,) array
        Normalized variance; NaN where a plane holds no data, 0 where it is even.

    Returns
    -------
    radius, error : (planes,) array
        Of the tiles that are sharp in the plane of the highest score, a sum of the number of tiles
        that it shows sharply and the variance; NaN for planes beyond those that reach half that
        score, and if no tile is sharp.

    Notes
    -----
    The mean is that of squares, which are parabolas of the place for each tile, and so for all: the
    vertex for a tilted surface is that of its middle.

    Examples
    --------
    >>> places = np.array([2.0, 2.0, 2.0, 6.0])
    >>> radius, _ = surface_radius(np.abs(np.arange(9)[:, None] - places), np.ones(9))
    >>> int(np.nanargmin(radius))
    2
    """
    radius, error = np.full((2, len(tiles)), np.nan)
    limited, near, places = _surface(tiles, variance)
    if limited.shape[1]:
        radius[places[near]] = _quadratic_mean(limited[near])
        own = limited.std(axis=1) / np.sqrt(limited.shape[1])
        error[places] = np.maximum(own, _LEAST_ERROR)
    return radius, error


def surface_curve(tiles: Floats, variance: Floats) -> Floats:
    """Return the radius of the surface that is in focus most widely, in all planes.

    Parameters
    ----------
    tiles : (planes, N) array
        Radius of each tile in pixels; NaN where it shows nothing.
    variance : (planes,) array
        Normalized variance; NaN where a plane holds no data, 0 where it is even.

    Returns
    -------
    (planes,) array
        In pixels, as `surface_radius` gives it near focus; NaN for planes that show nothing, and if
        no tile is sharp.

    Examples
    --------
    >>> places = np.array([2.0, 2.0, 2.0, 6.0])
    >>> surface_curve(np.abs(np.arange(5)[:, None] - places), np.ones(5)).tolist()
    [2.0, 1.0, 0.0, 1.0, 2.0]
    """
    curve = np.full(len(tiles), np.nan)
    limited, _, places = _surface(tiles, variance)
    if limited.shape[1]:
        curve[places] = _quadratic_mean(limited)
    return curve


def _surface(tiles: Floats, variance: Floats) -> tuple[Floats, slice, npt.NDArray[np.intp]]:
    """Return limited radii (n, tiles) of the tiles in focus most widely, and planes near focus.

    They are those of the n planes that show something, whose numbers come third.
    """
    (places,) = np.nonzero(variance > 0)  # NaN without data, 0 where all values are equal
    if not places.size:
        return np.empty((0, 0)), slice(0), places
    radius = np.where(np.isnan(tiles[places]), np.inf, tiles[places])
    sharp = np.maximum(1 - (radius / SHARP) ** 2, 0).sum(axis=1)
    sharp = np.convolve(np.pad(sharp, 1), _NEIGHBORS, mode="valid")
    score = sharp / max(float(sharp.max()), 1e-12) + _OF_VARIANCE * _share(variance[places])
    plane = int(score.argmax())
    own = radius[plane] <= SHARP
    near = _around(score >= score[plane] / 2, plane)
    return np.minimum(radius[:, own], _FARTHEST), near, places


def _quadratic_mean(radius: Floats) -> Floats:
    mean: Floats = np.sqrt(np.square(radius).mean(axis=1))
    return mean


def _share(variance: Floats) -> Floats:
    """Return by how much variances exceed their median, the largest being 1."""
    excess = variance - np.median(variance)
    most = float(excess.max())
    return np.maximum(excess, 0) / most if most > 0 else np.zeros_like(variance)


def _around(member: npt.NDArray[np.bool_], middle: int) -> slice:
    """Return the run of members around one, with at least one place on each side of it."""
    (others,) = np.nonzero(~member)
    start = int(max(others[others < middle], default=-1)) + 1
    stop = int(min(others[others > middle], default=member.size))
    return slice(max(min(start, middle - 1), 0), min(max(stop, middle + 2), member.size))


def _vertex(offset: Floats, radius: Floats, error: Floats, lowest: float) -> tuple[float, float]:
    """Return the vertex of the parabola through squared radii, within the planes it is fit to."""
    weight = 1 / (2 * np.maximum(radius, error) * error)
    parabola, covariance = np.polyfit(offset, radius**2, 2, w=weight, cov="unscaled")
    curvature, slope, _ = parabola
    if curvature <= 0:  # planes that are all as sharp: their middle
        spread = float(np.ptp(offset)) / np.sqrt(12)
        return lowest + float(offset.mean()), max(spread, _HALF_A_PLANE)
    vertex = -slope / (2 * curvature)
    inner = float(np.clip(vertex, offset.min(), offset.max()))
    if inner != vertex:  # focus lies beyond the planes
        return lowest + inner, _HALF_A_PLANE
    gradient = np.array([slope / (2 * curvature**2), -1 / (2 * curvature), 0])
    misfit = np.square(weight * (radius**2 - np.polyval(parabola, offset))).sum()
    scale = max(float(misfit) / max(offset.size - 3, 1), 1.0)
    uncertainty = float(np.sqrt(gradient @ covariance @ gradient * scale + _COMMON_ERROR**2))
    return lowest + inner, min(uncertainty, float(np.ptp(offset)))
