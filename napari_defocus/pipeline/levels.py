"""Resolution levels at which a plane is processed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ..array_types import Array, FloatArray
from ..errors import OptionError
from ..inference.resample import downsample, level_shape
from ..inference.storage import MemoryStorage, Planes
from .progress import ProgressMeter
from .upsampling import detect_upsampling

if TYPE_CHECKING:
    from torch import nn

    from ..networks.descriptor import Descriptor


#: Share of the confidence that must lie on radii that the coarsest level is at ease with.
_COVERED = 0.995


#: Share of the largest radius a network knows that those radii should not exceed.
_COMFORTABLE = 8 / 24


#: Shortest side in pixels of the smallest image that is looked at, and the most that an image is
#: downsample: nearly everything looks blurred from far enough, and blur of 100 pixels and more is rare.  # noqa: E501
_LEAST_SIDE, _COARSEST = 64, 16


#: Radii are looked at in about this many pixels to choose a scale.
_SAMPLE = 1 << 20


def check_downscale(scale: int | np.integer | str) -> int | str:
    """Return `scale`; an OptionError unless it is "auto" or a whole number of 1 or more."""
    if isinstance(scale, int | np.integer) and not isinstance(scale, bool) and scale >= 1:
        return int(scale)
    if isinstance(scale, str) and scale == "auto":
        return scale
    raise OptionError(f"scale is {scale!r}; 'auto' or a whole number of 1 or more is expected")


def choose_downscale(radius: FloatArray, confidence: FloatArray, limit: float) -> int:
    """Return the least power of two that brings nearly all radii to what a network knows.

    Parameters
    ----------
    radius, confidence : (Y, X) float32 array
        Radius in pixels, of any sign, and how much each counts.
    limit : float
        Largest radius that the network knows.

    Examples
    --------
    >>> choose_downscale(np.full((8, 8), 40.0), np.ones((8, 8)), limit=24.0)
    8
    """
    largest = weighted_quantile(np.abs(radius), confidence, _COVERED)
    scale = 1
    while largest > _COMFORTABLE * limit * scale:
        scale *= 2
    return scale


def weighted_quantile(values: Array, weights: Array, share: float) -> float:
    """Return the value below which values of this share of all weight lie.

    Examples
    --------
    >>> weighted_quantile(np.array([[3.0, 1.0]]), np.array([[1.0, 5.0]]), 0.5)
    1.0
    """
    order = np.argsort(values, axis=None)
    reached = np.cumsum(weights.ravel()[order], dtype=np.float64)
    return float(values.ravel()[order][np.searchsorted(reached, share * reached[-1])])


def as_rgb(picture: FloatArray) -> FloatArray:
    """Return gray (1, Y, X) as the three channels that networks see; all else as it is."""
    return np.broadcast_to(picture, (3, *picture.shape[1:])) if len(picture) == 1 else picture


def smoothstep_down(radius: FloatArray, full: float, none: float) -> FloatArray:
    """Return 1 up to `full`, 0 from `none` on, smooth between, for values of either sign."""
    fall = np.clip((np.abs(radius) - full) / (none - full), 0, 1)
    trusted: FloatArray = (1 - fall * fall * (3 - 2 * fall)).astype(np.float32)
    return trusted


def shrink_to_levels(image: Planes, levels: list[int], storage: MemoryStorage) -> list[Planes]:
    """Shrink display-encoded (C, Y, X) to several levels, block by block."""
    coarse = [level for level in levels if level > 1]
    channels, shape = image.shape[0], image.shape[-2:]
    pictures = [storage.array((channels, *level_shape(shape, level))) for level in coarse]
    for block in storage.blocks(shape, levels[-1]) if coarse else []:
        parts = downsample(image[:, *block.slices], coarse)
        for picture, level, part in zip(pictures, coarse, parts, strict=True):
            picture[:, *block.downsample(level).slices] = part
    return [*([image] if levels[0] == 1 else []), *pictures]


def sample(found: Planes) -> tuple[FloatArray, int]:
    """Radius and confidence (2, y, x) of evenly spread pixels, and how far these are apart."""
    step = int(np.ceil((found.shape[-2] * found.shape[-1] / _SAMPLE) ** 0.5))
    return found[:, ::step, ::step], step


def power_of_two_levels(finest: int, coarsest: int) -> list[int]:
    """Powers of two from the finest level to the coarsest; the finest alone if that is coarser."""
    levels = [finest]
    while 2 * levels[-1] <= coarsest:
        levels.append(2 * levels[-1])
    return levels


def finest_level(image: Planes, meter: ProgressMeter) -> int:
    """Return the level at which an image is resolved; what lies below it is no work any more."""
    shape = image.shape[-2:]
    finest = detect_upsampling(image)
    meter.skip(int(np.prod(shape) - np.prod(level_shape(shape, finest))))
    return finest


def size_multiple(network: nn.Module) -> int:
    """Return the number that height and width must be multiples of."""
    return cast("Descriptor", network.descriptor).multiple


def coarsest_level(shape: tuple[int, ...]) -> int:
    """Return the coarsest level that leaves a plane large enough to look at."""
    return min(1 << max(min(shape) // _LEAST_SIDE, 1).bit_length() - 1, _COARSEST)
