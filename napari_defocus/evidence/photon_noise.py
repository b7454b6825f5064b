"""Noise of a linear image that photons explain, by brightness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import FloatArray

if TYPE_CHECKING:
    from torch import Tensor

#: Side in pixels of the tiles from which noise is told by brightness.
_TILE = 16


@dataclass(frozen=True)
class PhotonNoise:
    """Variance of noise by light: ``level + slope * light``, black being 0 and white 1."""

    level: float
    slope: float

    def variance(self, light: Tensor) -> Tensor:
        """Return the variance at some light."""
        return self.level + self.slope * light.clamp(min=0)

    @property
    def photons(self) -> float:
        """Photons at white with whose noise that at white agrees."""
        return 1 / (self.level + self.slope)

    @property
    def dark(self) -> float:
        """Light, at most 0, without which there would be no noise."""
        return -self.level / self.slope if self.slope else -np.inf

    @property
    def ground(self) -> float:
        """Light whose photons would add the noise that there is without light, at most 1."""
        return self.level / max(self.slope, self.level)


def measure_photon_noise(parts: Sequence[FloatArray]) -> PhotonNoise:
    """Return the noise of parts (Y, X) of a linear plane, from second differences in tiles.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> light = np.tile(np.linspace(10, 1000, 256), (256, 1))
    >>> counts = (rng.poisson(light) / 1000).astype(np.float32)
    >>> 0.8e-3 < measure_photon_noise([counts]).slope < 1.2e-3
    True
    """
    from scipy.optimize import nnls

    tiles = np.concatenate([_cut(part) for part in parts])
    if not len(tiles):
        return PhotonNoise(1.0, 0.0)
    second = np.diff(np.diff(tiles, 2, axis=-1), 2, axis=-2)
    power = (second**2).mean(axis=(-2, -1)) / 36 + 1e-9
    mean = np.maximum(tiles.mean(axis=(-2, -1)), 0)
    (level, slope), _ = nnls(np.stack([1 / power, mean / power], axis=1), np.ones(len(power)))
    return PhotonNoise(max(float(level), 1e-9), float(slope))


def _cut(light: FloatArray) -> FloatArray:
    """Return the tiles (N, y, x) of a plane."""
    rows, columns = (length // _TILE for length in light.shape)
    whole = light[: rows * _TILE, : columns * _TILE].astype(np.float64)
    tiles = whole.reshape(rows, _TILE, columns, _TILE).swapaxes(1, 2)
    return np.asarray(tiles.reshape(-1, _TILE, _TILE))
