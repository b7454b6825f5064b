"""Resolution levels at which a plane is processed.

Level s is the plane shrunk by the factor s. A blur of radius r has radius r / s there, so radii
that are too large for a network are processed at a coarser level, whose result is enlarged.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import Array, FloatArray
from ..inference.resample import downsample, level_shape
from ..inference.storage import MemoryStorage, Planes
from .progress import ProgressMeter
from .upsampling import detect_upsampling

if TYPE_CHECKING:
    from ..networks.network import Network

#: Quantile of the radii, weighted by confidence, that the coarsest level must handle well.
_COVERED = 0.995
#: Largest radius that a level handles well, as a share of the largest that the network knows.
_WELL_HANDLED = 8 / 24
#: Shortest side in pixels that a level may have: in a tiny image nearly everything looks blurred.
_MIN_SIDE = 64
#: Coarsest level. Radii beyond 100 pixels are rare.
_COARSEST = 16
#: Approximate number of pixels of the map that are sampled to choose a level.
_SAMPLE = 1 << 20


class ImageLevels:
    """A plane in the networks' form at several resolution levels, each made once.

    Parameters
    ----------
    image : (C, Y, X) float32 array
        Display-encoded; gray is one channel.
    storage : MemoryStorage
        Holds the levels.
    resolved : int
        Level at which the optics of a microscope are known to be resolved, a power of two.
    """

    def __init__(self, image: Planes, storage: MemoryStorage, resolved: int = 1) -> None:
        self.image = image
        self._resolved = min(resolved, coarsest_level(image.shape[-2:]))
        self._storage = storage
        self._levels: dict[int, Planes] = {1: image}

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width of the plane."""
        return self.image.shape[-2:]

    @cached_property
    def finest(self) -> int:
        """Level at which the image is resolved: how many times it was enlarged."""
        return max(detect_upsampling(self.image), self._resolved)

    def skip_unresolved(self, meter: ProgressMeter) -> None:
        """Subtract from the expected work what is saved by starting at the finest level."""
        meter.skip(math.prod(self.shape) - math.prod(level_shape(self.shape, self.finest)))

    def up_to(self, coarsest: int) -> list[int]:
        """Return the powers of two from the finest level to the coarsest, at least the finest."""
        levels = [self.finest]
        while 2 * levels[-1] <= coarsest:
            levels.append(2 * levels[-1])
        return levels

    def at(self, levels: list[int]) -> list[Planes]:
        """Return the image at several levels, each a multiple of the one before."""
        missing = [level for level in levels if level not in self._levels]
        if missing:
            self._make([level for level in levels if level > 1])
        return [self._levels[level] for level in levels]

    def _make(self, levels: list[int]) -> None:
        channels = self.image.shape[0]
        shapes = ((channels, *level_shape(self.shape, level)) for level in levels)
        pictures = [self._storage.array(shape) for shape in shapes]
        for block in self._storage.blocks(self.shape, levels[-1]):
            parts = downsample(self.image[:, *block.slices], levels)
            for picture, level, part in zip(pictures, levels, parts, strict=True):
                picture[:, *block.downscale(level).slices] = part
        self._levels |= dict(zip(levels, pictures, strict=True))


def choose_downscale(radius: FloatArray, confidence: FloatArray, limit: float) -> int:
    """Return the level, a power of two, at which a network handles nearly all radii well.

    Parameters
    ----------
    radius, confidence : (Y, X) float32 array
        Radius in pixels, of either sign, and confidence, which is its weight.
    limit : float
        Largest radius that the network knows.

    Examples
    --------
    >>> choose_downscale(np.full((8, 8), 40.0), np.ones((8, 8)), limit=24.0)
    8
    """
    largest = weighted_quantile(np.abs(radius), confidence, _COVERED)
    factor = 1
    while largest > _WELL_HANDLED * limit * factor:
        factor *= 2
    return factor


def weighted_quantile(values: Array, weights: Array, share: float) -> float:
    """Return the weighted quantile.

    Examples
    --------
    >>> weighted_quantile(np.array([[3.0, 1.0]]), np.array([[1.0, 5.0]]), 0.5)
    1.0
    """
    order = np.argsort(values, axis=None)
    cumulative = np.cumsum(weights.ravel()[order], dtype=np.float64)
    return float(values.ravel()[order][np.searchsorted(cumulative, share * cumulative[-1])])


def as_rgb(picture: FloatArray) -> FloatArray:
    """Return gray (1, Y, X) as the three channels that networks take; anything else as it is."""
    return np.broadcast_to(picture, (3, *picture.shape[1:])) if len(picture) == 1 else picture


def smoothstep_down(radius: FloatArray, full: float, none: float) -> FloatArray:
    """Return 1 up to `full`, 0 from `none` on, smooth between, for values of either sign."""
    fall = np.abs(radius, dtype=np.float32)
    fall -= np.float32(full)
    fall /= np.float32(none - full)
    np.clip(fall, 0, 1, out=fall)
    share: FloatArray = 2 * fall
    share -= 3
    share *= fall
    share *= fall
    share += 1
    return share


def sample_map(estimate: Planes) -> tuple[FloatArray, int]:
    """Return radius and confidence (2, y, x) of every n-th row and column, and n."""
    step = int(np.ceil((estimate.shape[-2] * estimate.shape[-1] / _SAMPLE) ** 0.5))
    return estimate[:, ::step, ::step], step


def size_multiple(network: Network) -> int:
    """Return the number that height and width must be multiples of."""
    return network.descriptor.multiple


def coarsest_level(shape: tuple[int, ...]) -> int:
    """Return the coarsest level that leaves a plane large enough."""
    return min(1 << max(min(shape) // _MIN_SIDE, 1).bit_length() - 1, _COARSEST)
