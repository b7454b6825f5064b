"""Tiles of a plane: radius, confidence and variance of each, and whether it shows anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from ..array_types import FloatArray, Mask

Floats = npt.NDArray[np.float64]

#: Smallest side of a tile in pixels, and how many tiles fit along the shorter side of a plane.
_SMALLEST, _TILES = 16, 32
#: Side in pixels of the blocks whose means tell structure from noise.
_BLOCK = 4
#: Side in pixels of the blocks of whose means detail is measured, and number of correlated second
#: differences of such.
_DETAIL, _CORRELATED = 2, 4
#: Standard deviations by which these means must vary more than those of white noise. A false tile
#: among a million.
_DEVIATIONS = 6.0
#: Least mean confidence of a tile that is judged. Noise alone reaches 0.3 in microscopy.
_LEAST_CONFIDENCE = 0.3
#: Largest share of a tile without data, or at white, where nothing can be judged.
_MOST_LOST = 0.5


@dataclass(frozen=True)
class Tiles:
    """Figures of the tiles (rows, columns) of one plane.

    Parameters
    ----------
    radius : (rows, columns) array
        Mean radius in pixels, weighted by confidence; NaN where a tile shows nothing to judge by.
    variance : (rows, columns) array
        Variance over mean of the values; NaN without data.
    coarse : (rows, columns, blocks) float32 array
        Means of blocks of 4 x 4 pixels, without the slope of each tile.
    """

    radius: Floats
    variance: Floats
    coarse: FloatArray


def tile_shape(size: tuple[int, ...]) -> tuple[int, int]:
    """Return height and width of the tiles of a plane (Y, X).

    Examples
    --------
    >>> tile_shape((2048, 2048)), tile_shape((100, 10))
    ((64, 64), (16, 10))
    """
    side = max(_SMALLEST, min(size) // _TILES)
    return min(side, size[0]), min(side, size[1])


def measure_tiles(
    radius: FloatArray, confidence: FloatArray, light: FloatArray, quantum: float
) -> Tiles:
    """Return the figures of a plane's tiles.

    Parameters
    ----------
    radius, confidence : (Y, X) float32 array
        The plane's map.
    light : (Y, X) float32 array
        Values from 0, black, to 1, white; NaN where there is no data.
    quantum : float
        Step between neighboring values.
    """
    radii, weights, values = (_cut(part) for part in (radius, confidence, light))
    lost = np.isnan(values)
    unusable = (lost | (values >= 1)).mean(axis=(-2, -1)) > _MOST_LOST
    means = _mean(np.where(lost, 0.0, values), ~lost)
    filled = np.where(lost, means[..., None, None], values)
    variance = filled.var(axis=(-2, -1)) / np.maximum(means, quantum + 1e-6)
    sure = weights.mean(axis=(-2, -1)) >= _LEAST_CONFIDENCE
    coarse = _coarse_structure(filled)
    judged = sure & ~unusable & _exceeds_noise(coarse, filled, quantum)
    mean_radius = _mean(np.abs(radii) * weights, weights)
    return Tiles(
        np.where(judged, mean_radius, np.nan),
        np.where(lost.all(axis=(-2, -1)), np.nan, variance),
        coarse.astype(np.float32),
    )


def degrees_of_freedom(coarse: FloatArray) -> int:
    """Return how many of the block means of a tile are free, its slope subtracted."""
    return max(int(coarse.shape[-1]) - 3, 0)


def measure_detail(light: FloatArray) -> Floats:
    """Return the energy of detail (rows, columns) of each tile: of second differences.

    They are those of means of 2 x 2 pixels, which hold less noise. Pixels without data count as 0.
    """
    tiles = _cut(np.nan_to_num(light))
    rows, columns = (length // _DETAIL for length in tiles.shape[-2:])
    tiles = tiles[..., : rows * _DETAIL, : columns * _DETAIL]
    blocks = tiles.reshape(*tiles.shape[:-2], rows, _DETAIL, columns, _DETAIL).mean(axis=(-3, -1))
    second = np.diff(np.diff(blocks, 2, axis=-1), 2, axis=-2)
    return cast(Floats, np.square(second).mean(axis=(-2, -1)))


def detail_samples(tile: tuple[int, int]) -> int:
    """Return how many independent values the energy of detail in a tile is the mean of."""
    return max(tile[0] // _DETAIL * (tile[1] // _DETAIL) // _CORRELATED, 1)


def _mean(sums: Floats, weights: Floats | Mask) -> Floats:
    """Return the mean of tiles from weighted values; 0 where no weight is."""
    total = weights.sum(axis=(-2, -1))
    return cast(Floats, sums.sum(axis=(-2, -1)) / np.where(total > 0, total, 1))


def _cut(plane: FloatArray) -> Floats:
    """Return the tiles (rows, columns, y, x) of a plane; what is left over at its ends is cut."""
    height, width = tile_shape(plane.shape)
    rows, columns = plane.shape[0] // height, plane.shape[1] // width
    inner = plane[: rows * height, : columns * width].astype(np.float64)
    return cast(Floats, inner.reshape(rows, height, columns, width).swapaxes(1, 2))


def _coarse_structure(tiles: Floats) -> Floats:
    """Return means of blocks (..., blocks) of tiles (..., y, x) without the slope of each tile."""
    rows, columns = (length // _BLOCK for length in tiles.shape[-2:])
    if min(rows, columns) < 2:
        return np.zeros((*tiles.shape[:-2], 0))
    blocks = tiles[..., : rows * _BLOCK, : columns * _BLOCK]
    blocks = blocks.reshape(*tiles.shape[:-2], rows, _BLOCK, columns, _BLOCK)
    return _without_slope(blocks.mean(axis=(-3, -1)))


def _exceeds_noise(coarse: Floats, tiles: Floats, quantum: float) -> Mask:
    """Return which tiles (..., y, x) vary at a coarse scale more than white noise does.

    The noise is measured by second differences along both axes, as by Immerkær (1996).
    """
    degrees = coarse.shape[-1] - 3
    if degrees < 1:
        return np.zeros(tiles.shape[:-2], bool)
    variance = coarse.var(axis=-1) * coarse.shape[-1] / degrees
    second = np.diff(np.diff(tiles, 2, axis=-1), 2, axis=-2)
    noise = (second**2).mean(axis=(-2, -1)) / 36 + quantum**2 / 12
    limit = 1 + _DEVIATIONS * np.sqrt(2 / degrees)
    return cast(Mask, variance * _BLOCK**2 > limit * noise + 1e-12)


def _without_slope(means: Floats) -> Floats:
    """Return block means (..., y, x) as (..., blocks), with the plane that fits them subtracted."""
    rows, columns = means.shape[-2:]
    y, x = (axis.ravel() for axis in np.mgrid[:rows, :columns])
    basis, _ = np.linalg.qr(np.stack([np.ones(y.size), y, x], axis=1))
    flat = means.reshape(*means.shape[:-2], -1)
    return cast(Floats, flat - (flat @ basis) @ basis.T)
