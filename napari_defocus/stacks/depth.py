"""Depth of a stack: the plane in which each place is in focus, from figures of cells."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, median_filter

from ..array_types import FloatArray
from .cells import BANDS, Cells
from .semi_global import aggregate

#: Cost of detail that is weaker than in the sharpest plane, for each unit of the logarithm of
#: energies; and the largest such cost of a band.
_DETAIL, _MOST_DETAIL = 20.0, 30.0
#: Standard deviation in cells of the windows in which energies are averaged where they are mostly
#: noise, and shares of noise in the sharpest plane between which this begins and is complete. It
#: takes the error of depths at a peak of 20 photons from 0.53 to 0.47 planes, on textured surfaces.
_POOL, _POOLED = 2.0, (0.15, 0.55)
#: Cost of a pixel of radius where the map is certain, and the radius from which on it is the same.
_RADIUS, _LARGEST = 3.0, 4.0
#: Cost of a cell that tells nothing.
_UNKNOWN = 20.0
#: Penalties of neighbors that differ by one plane, and by more.
_STEP, _JUMP = 3.0, 40.0
#: Difference in brightness, relative to the contrast of the picture, that halves the latter.
_EDGE = 0.05
#: Share of cells of like brightness whose energy is at most that of noise, and the energy of noise
#: relative to that of these cells. Number of groups of like brightness.
_FLAT, _FLAT_FACTOR, _GROUPS = 0.1, 1.2, 8
#: Cost by which the best plane is to be cheaper than others for a confidence of 63 %.
_CERTAIN = 60.0
#: Confidence from which on a cell keeps its depth, standard deviation in cells of the surroundings
#: that others are drawn to, and weight in them of a cell without confidence.
_SURE, _AROUND, _LEAST_WEIGHT = 0.5, 3.0, 1e-4
#: Range of radii, in pixels, and least confidence by which the growth of radii is measured.
_RADII, _CONFIDENT = (1.0, 8.0), 0.5


@dataclass(frozen=True)
class Depth:
    """Depth of a stack in cells.

    Parameters
    ----------
    depth : (y, x) float32 array
        Fractional index among the planes.
    confidence : (y, x) float32 array
        From 0 to 1.
    noise : (y, x) float32 array
        Energy of noise in the finest band of detail.
    noise_share : (y, x) float32 array
        Share of noise in the energy of detail of the sharpest plane, 0 to 1.
    growth : float
        Growth of the radius in pixels from one plane to the next, away from focus.
    rest, trust : (y, x) float32 array
        Radius in the plane of the depth, and the map's confidence in it.
    """

    depth: FloatArray
    confidence: FloatArray
    noise: FloatArray
    noise_share: FloatArray
    growth: float
    rest: FloatArray
    trust: FloatArray


def find_depth(cells: Cells) -> Generator[int, None, Depth]:
    """Return the depth of a stack, yielding the number of each step of the work."""
    noise = _noise_levels(cells)
    costs = _costs(cells, noise)
    total = np.zeros_like(costs)
    yield from aggregate(costs, total, _STEP, _jump_penalty(cells))
    best = total.argmin(axis=-1)
    confidence = _confidence(total, best)
    depth = _steady(_refine(total, best), confidence)
    energy = np.exp(_take(cells.detail[0].astype(np.float32), best))
    level = _take(noise[0], best)
    share = np.clip(level / np.maximum(energy, 1e-30), 0, 1)
    growth = _measure_growth(cells, depth)
    rest = _take(cells.radius.astype(np.float32), best)
    rest = np.where(np.isnan(rest), 0, rest).astype(np.float32)
    trust = _take(cells.confidence.astype(np.float32), best)
    return Depth(depth, confidence, level, share.astype(np.float32), growth, rest, trust)


def _noise_levels(cells: Cells) -> FloatArray:
    """Return the energy of noise (2, planes, y, x), a function of brightness.

    Most cells are out of focus in most planes, so that the weakest energies among those of like
    brightness are those of noise.
    """
    edges = np.quantile(cells.brightness, np.linspace(0, 1, _GROUPS + 1)[1:-1])
    group = np.searchsorted(edges, cells.brightness)
    levels = np.empty(cells.detail.shape, np.float32)
    for band in range(BANDS):
        detail = cells.detail[band]
        table = np.zeros(_GROUPS)
        for number in range(_GROUPS):
            own = detail[group == number].astype(np.float64)
            table[number] = _FLAT_FACTOR * np.exp(np.quantile(own, _FLAT)) if own.size else 0
        levels[band] = table[group]
    return levels


def _costs(cells: Cells, noise: FloatArray) -> FloatArray:
    """Return the cost (y, x, planes) of taking each cell from each plane."""
    finite = ~np.isnan(cells.radius)
    radius = np.where(finite, cells.radius, 0).astype(np.float32)
    cost = _RADIUS * cells.confidence.astype(np.float32) * np.minimum(radius, _LARGEST)
    for band in range(BANDS):
        energy = _pool(np.exp(cells.detail[band].astype(np.float32)), noise[band])
        level = np.log(energy + noise[band])
        level[~finite] = -np.inf
        most = level.max(axis=0)
        lack = np.where(np.isfinite(most), most, 0) - np.where(finite, level, 0)
        cost += np.minimum(_DETAIL * lack, _MOST_DETAIL)
    cost -= np.where(finite, cost, np.inf).min(axis=0, initial=1e6)
    cost[~finite] = _UNKNOWN
    return np.ascontiguousarray(np.moveaxis(cost, 0, -1), np.float32)


def _pool(energy: FloatArray, noise: FloatArray) -> FloatArray:
    """Return energies (planes, y, x), averaged over more cells where they are mostly noise.

    In low light a cell counts too few photons to tell planes apart, and its neighbors help.
    """
    wide = np.empty_like(energy)
    share = np.full(energy.shape[1:], np.inf, np.float32)
    for plane, smooth, level in zip(energy, wide, noise, strict=True):
        gaussian_filter(plane, _POOL, output=smooth, mode="nearest")
        np.minimum(share, level / np.maximum(smooth, 1e-30), out=share)
    low, high = _POOLED
    wide -= energy
    wide *= np.clip((share - low) / (high - low), 0, 1)
    wide += energy
    return wide


def _jump_penalty(cells: Cells) -> FloatArray:
    """Return the penalty (y, x) of a jump in depth, which is less at edges of the picture."""
    picture = np.median(cells.brightness, axis=0)
    contrast = float(np.subtract(*np.quantile(picture, [0.99, 0.01]))) or 1.0
    slope = np.hypot(*np.gradient(picture)) if min(picture.shape) > 1 else 0 * picture
    return np.asarray(_JUMP / (1 + slope / (_EDGE * contrast)), np.float32)


def _refine(total: FloatArray, best: npt.NDArray[np.intp]) -> FloatArray:
    """Return the vertex of the parabola through the costs around the best plane."""
    planes = total.shape[-1]
    if planes < 3:
        return best.astype(np.float32)
    middle = np.clip(best, 1, planes - 2)
    before, at, after = (
        np.take_along_axis(total, (middle + offset)[..., None], -1)[..., 0] for offset in (-1, 0, 1)
    )
    curvature = before - 2 * at + after
    offset = (before - after) / (2 * np.maximum(curvature, 1e-6))
    refined = middle + np.clip(np.where(curvature > 1e-6, offset, best - middle), -1, 1)
    return np.clip(np.where(middle == best, refined, best), 0, planes - 1).astype(np.float32)


def _steady(depth: FloatArray, confidence: FloatArray) -> FloatArray:
    """Return the depth without specks, that of doubtful cells drawn to their surroundings'."""
    depth = median_filter(depth, 3, mode="nearest")
    weight = np.square(confidence) + _LEAST_WEIGHT
    total, weights = (
        gaussian_filter(part, _AROUND, mode="nearest") for part in (depth * weight, weight)
    )
    own = np.minimum(confidence / _SURE, 1)
    return np.asarray(own * depth + (1 - own) * total / weights, np.float32)


def _confidence(total: FloatArray, best: npt.NDArray[np.intp]) -> FloatArray:
    """Return how clearly the best plane and its neighbors are cheaper than all others."""
    planes = np.arange(total.shape[-1])
    far = np.abs(planes - best[..., None]) > 1
    others = np.where(far, total, np.inf).min(axis=-1)
    least = np.take_along_axis(total, best[..., None], -1)[..., 0]
    margin = np.where(np.isfinite(others), others - least, total.max(axis=-1) - least)
    return np.asarray(1 - np.exp(-margin / _CERTAIN), np.float32)


def _measure_growth(cells: Cells, depth: FloatArray) -> float:
    """Return by how many pixels the radius grows from plane to plane, away from focus."""
    distance = np.abs(np.arange(len(cells))[:, None, None] - depth)
    radius = cells.radius.astype(np.float32)
    low, high = _RADII
    clear = (radius > low) & (radius < high) & (cells.confidence > _CONFIDENT) & (distance > 0.5)
    if not clear.any():
        return 1.0
    return float(np.clip(np.median(radius[clear] / distance[clear]), 0.05, 10))


def _take(values: npt.NDArray[Any], best: npt.NDArray[np.intp]) -> FloatArray:
    """Return the values (planes, y, x) in the best planes."""
    return cast(FloatArray, np.take_along_axis(values, best[None], 0)[0])
