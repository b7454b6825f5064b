"""Noise of a micrograph's tiles: whether it is white, and where anything else shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..array_types import FloatArray
from ..inference.storage import Planes
from ..inference.tiles import Box, plan_tiles

Floats = npt.NDArray[np.float64]

#: Side in pixels of the tiles, and of the blocks whose means tell structure from noise.
_TILE, _BLOCK = 32, 4
#: Side in pixels of the part that is read at a time.
_READ = 1024
#: Standard deviations by which these means must vary more than those of white noise, and by which
#: the brightest must stand out.
_DEVIATIONS, _PEAK = 4.5, 6.0
#: The pixels around one, and what a pixel may exceed the brightest of them by.
_NEIGHBORS, _SPIKE = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool), np.float32(0.1)
#: Tiles to either side of one with structure that are judged with it.
_REACH = 2
#: Largest power of the means of blocks, in units of that of means of 2 x 2 pixels, in a tile that
#: shows little but noise; and the fewest, and the least share, of such tiles that tell of it.
_MOST_ROUGH, _FEWEST, _LEAST_SHARE = 8.0, 4, 0.05
#: Quantile of the tiles' ratios of the power of noise at half the resolution to that at full, 1 of
#: white noise, and ratios between which trust falls: simulated fields have 0.8 to 1.1 as they are
#: counted, and 2.9 to 13 after a median of 3 x 3, a Gaussian of 0.7 px, a mean of 2 x 2 or a move
#: by half a pixel.
_CALM, _WHITE, _FILTERED = 0.25, 1.5, 2.6
#: Least deviation of noise, in display values from 0 to 1, whose correlation matters.
_LEAST_NOISE = 0.003
#: Factor of the confidence where noise was filtered.
_TRUST_OF_FILTERED = 0.15


@dataclass(frozen=True)
class NoiseTiles:
    """Figures of the tiles (rows, columns) of a plane.

    Parameters
    ----------
    fine, coarse : array
        Power of the second differences of the pixels, and of means of 2 x 2 pixels, each in units
        in which white noise of variance v has v.
    rough : array
        Power of the means of blocks, in the same units.
    structure : bool array
        Whether a tile varies at a coarse scale more than white noise.
    """

    fine: Floats
    coarse: Floats
    rough: Floats
    structure: npt.NDArray[np.bool_]

    @property
    def correlation(self) -> float:
        """Ratio of coarse to fine noise, 1 of white noise.

        It is told by tiles that show little but noise; 1 too where there are hardly any.
        """
        calm = self.rough < _MOST_ROUGH * self.coarse
        if calm.sum() < max(_FEWEST, _LEAST_SHARE * calm.size):
            return 1.0
        coarse, fine = self.coarse[calm], self.fine[calm]
        if float(np.median(coarse)) < _LEAST_NOISE**2:
            return 1.0
        return float(np.quantile(coarse / np.maximum(fine, 1e-12), _CALM))

    def trust_at(self, rows: slice, columns: slice) -> FloatArray:
        """Return the factor of the confidence (y, x): 0 where nothing shows."""
        from scipy.ndimage import maximum_filter

        span = (self.correlation - _WHITE) / (_FILTERED - _WHITE)
        white = 1 - (1 - _TRUST_OF_FILTERED) * float(np.clip(span, 0, 1))
        near = maximum_filter(self.structure, 2 * _REACH + 1, mode="nearest")
        places = (
            np.minimum(np.arange(part.start, part.stop) // _TILE, length - 1)
            for part, length in zip((rows, columns), near.shape, strict=True)
        )
        return np.asarray(white * near[np.ix_(*places)], np.float32)


def measure_noise_tiles(image: Planes) -> NoiseTiles:
    """Return the figures of the tiles of a gray plane.

    Parameters
    ----------
    image : (1, Y, X) float32 array
        Display-encoded, so that noise of photons is nearly even.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0.3, 0.02, (1, 256, 256)).astype(np.float32)
    >>> tiles = measure_noise_tiles(noise)
    >>> 0.7 < tiles.correlation < 1.3, bool(tiles.structure.any())
    (True, False)
    """
    height, width = (length // _TILE * _TILE for length in image.shape[1:])
    if not height * width:  # too small to tell
        nothing = np.zeros((1, 1))
        return NoiseTiles(nothing, nothing, nothing, np.ones((1, 1), bool))
    shape = height // _TILE, width // _TILE
    fine, coarse, rough = np.zeros((3, *shape))
    structure = np.zeros(shape, bool)
    for block in plan_tiles(Box(0, 0, height, width), _READ, _TILE):
        tiles = _cut(without_spikes(image[:, *block.slices][0]).astype(np.float64))
        place = block.downscale(_TILE).slices
        fine[place] = _second_differences(tiles)
        coarse[place] = 4 * _second_differences(_shrink(tiles, 2))
        means = _shrink(tiles, _BLOCK)
        rough[place] = means.var(axis=(-2, -1), ddof=1) * _BLOCK**2
        structure[place] = _shows_structure(means, rough[place], fine[place])
    return NoiseTiles(fine, coarse, rough, structure)


def without_spikes(display: FloatArray) -> FloatArray:
    """Return a plane (Y, X) from black to white, without pixels far above all their neighbors.

    Examples
    --------
    >>> plane = np.zeros((5, 5), np.float32)
    >>> plane[2, 2] = 7
    >>> round(float(without_spikes(plane).max()), 1)
    0.1
    """
    from scipy.ndimage import maximum_filter

    around = maximum_filter(display, footprint=_NEIGHBORS, mode="nearest")
    return np.asarray(np.minimum(display, around + _SPIKE).clip(0, 1), np.float32)


def _cut(plane: Floats) -> Floats:
    """Return the tiles (rows, columns, y, x) of a plane."""
    rows, columns = (length // _TILE for length in plane.shape)
    return plane.reshape(rows, _TILE, columns, _TILE).swapaxes(1, 2)


def _shrink(tiles: Floats, factor: int) -> Floats:
    """Return the means of squares of pixels of tiles (..., y, x)."""
    *leading, height, width = tiles.shape
    parts = tiles.reshape(*leading, height // factor, factor, width // factor, factor)
    return np.asarray(parts.mean(axis=(-3, -1)))


def _second_differences(tiles: Floats) -> Floats:
    """Return the mean square of second differences along both axes, of white noise its variance.

    J. Immerkær, "Fast noise variance estimation" (1996).
    """
    second = np.diff(np.diff(tiles, 2, axis=-1), 2, axis=-2)
    return np.asarray((second**2).mean(axis=(-2, -1)) / 36)


def _shows_structure(means: Floats, rough: Floats, noise: Floats) -> npt.NDArray[np.bool_]:
    """Return which tiles hold more than noise, by the means of their blocks (..., y, x)."""
    degrees = means.shape[-1] * means.shape[-2] - 1
    limit = 1 + _DEVIATIONS * np.sqrt(2 / degrees)
    middle = np.median(means, axis=(-2, -1), keepdims=True)
    peak = np.square(means - middle).max(axis=(-2, -1)) * _BLOCK**2
    return np.asarray((rough > limit * noise + 1e-12) | (peak > _PEAK**2 * noise + 1e-12))
