"""Surfaces are mostly even: what a map's surroundings say, where they belong to the same one."""

from __future__ import annotations

import numpy as np

from ..arrays import FloatArray
from .cells import CELL, in_cells
from .doubt import expected_error
from .likeness import alike_within, hues
from .room import Planes, Room, Store
from .scaling import enlarged_part, level_shape

#: How far cells matter to each other, in cells: at most, and as a Gaussian's standard deviation.
_REACH, _STEP, _NEAR = 18, 3, 12.0
#: How many of a radius' own expected errors another of the same color may be away.
_ERRORS = 1.5
_PASSES = 2
#: Cells that are filtered at a time, so that steps find their data in the cache.
_STRIP = 2**16


def even_out(found: Store, views: Planes, room: Room, alike: float) -> None:
    """Draw radii toward those of their surroundings that are nearly the same, and confident.

    A bilateral filter of what varies slowly, over some 150 pixels; what varies within a few pixels
    is kept, and edges in depth stay sharp. What is in doubt learns from what has its color, as far
    as its doubt allows.

    Parameters
    ----------
    found : (2, Y, X) float32 array
        Signed or unsigned radius in pixels, which is changed, but not to below zero if none was;
        and confidence in [0, 1].
    views : (1, 3 or 6, Y, X) float32 array
        The image or both views, display-encoded.
    room : Room
        How large a part is taken at a time.
    alike : float
        Difference in pixels that small radii may have and still count as nearly the same.

    Notes
    -----
    Cells weigh by the mean square of their confidence. The filter (Tomasi and Manduchi, "Bilateral
    filtering for gray and color images", ICCV 1998) passes twice. Joint with color (Petschnigg et
    al., "Digital photography with flash and no-flash image pairs", SIGGRAPH 2004) it would print
    textures on maps, so color only lets more radii count, none less.

    Examples
    --------
    >>> noisy = 4 + np.random.default_rng(0).normal(0, 0.2, (64, 64)).astype(np.float32)
    >>> found = np.stack([noisy, np.ones_like(noisy)])
    >>> even_out(found, np.ones((1, 64, 64), np.float32), Room(), alike=0.2)
    >>> print(f"{found[0].mean():.1f}")
    4.0
    """
    blocks = room.blocks(found.shape, CELL)
    least = min(0.0, *(float(found[0, *block.slices].min()) for block in blocks))
    radius, weights = in_cells(found, room)
    change = (_evened(radius, weights, _hues(views, room), alike) - radius)[None]
    for block in blocks:
        changed = found[:1, *block.slices] + enlarged_part(change, CELL, block)
        found[:1, *block.slices] = np.maximum(changed, least)


def _hues(views: Planes, room: Room) -> FloatArray:
    """Mean color (3, y, x) of each cell."""
    cells = np.empty((3, *level_shape(views.shape, CELL)), np.float32)
    for block in room.blocks(views.shape, CELL):
        cells[:, *block.shrunk(CELL).slices] = hues(views[:, *block.slices], CELL)
    return cells


def _evened(radius: FloatArray, weights: FloatArray, hues: FloatArray, alike: float) -> FloatArray:
    """Radius of cells (y, x), filtered strip by strip."""
    error = _ERRORS * expected_error(np.sqrt(weights))
    counts = np.pad(weights, _REACH)
    around = np.stack([np.pad(hue, _REACH, mode="edge") for hue in hues])
    rows = max(_STRIP // radius.shape[1], 1)
    for _ in range(_PASSES):
        radii = np.pad(radius, _REACH, mode="edge")
        strips = []
        for top in range(0, len(radius), rows):
            strip, sight = slice(top, top + rows), slice(top, top + rows + 2 * _REACH)
            near = alike_within(radius[strip], alike)
            likeness = np.reciprocal(-2 * np.stack([near, near + np.square(error[strip])]))
            strips.append(_bilateral(radii[sight], around[:, sight], counts[sight], likeness))
        radius = np.concatenate(strips)
    return radius


def _bilateral(
    radii: FloatArray, hues: FloatArray, counts: FloatArray, likeness: FloatArray
) -> FloatArray:
    """Mean radius of the cells around, by nearness, likeness and weight.

    `likeness` is what a squared difference of radii takes off the logarithm of a weight: of any
    cells, and of such of the same hue. All else reaches farther, to either side.
    """
    height, width = likeness.shape[1:]
    here = np.s_[..., _REACH : _REACH + height, _REACH : _REACH + width]
    own, own_hues = radii[here], hues[here]
    total = np.zeros((height, width), np.float32)
    share = np.zeros((height, width), np.float32)
    offsets = range(0, 2 * _REACH + 1, _STEP)
    for down in offsets:
        for right in offsets:
            window = np.s_[..., down : down + height, right : right + width]
            other = radii[window]
            apart = np.square(other - own)
            differing = hues[window] - own_hues
            unlike = np.einsum("cyx,cyx->yx", differing, differing)
            distance = (down - _REACH) ** 2 + (right - _REACH) ** 2
            nearness = np.float32(-0.5 * distance / _NEAR**2)
            like = np.maximum(likeness[0] * apart, likeness[1] * apart - unlike)
            weight = counts[window] * np.exp(like + nearness)
            total += weight * other
            share += weight
    mean: FloatArray = total / share
    return mean
