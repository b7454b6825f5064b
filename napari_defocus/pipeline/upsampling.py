"""Detection of images that were enlarged.

What enlarges an image interpolates between its pixels, and how much its values change from one
pixel to the next then depends on how far these lie from where there was one: a pattern that repeats
with every pixel that there was (Gallagher, "Detection of linear and cubic interpolation in JPEG
compressed images", 2005). No blur leaves such a pattern. Shrunk back, the image is what it was.
"""

from __future__ import annotations

import numpy as np

from ..array_types import Array, FloatArray
from ..inference.storage import Planes

#: Side of the squares that are looked at, in pixels, and the most along each axis.
_SIDE, _MOST = 128, 16
#: Shares of red, green and blue in what JPEG takes for brightness.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
#: Compression as JPEG repeats itself every so many pixels.
_JPEG = 8
#: How strong the pattern must be, as a share of all change, along both axes, by how many times the
#: image was upsample; and how much stronger than those of JPEG alone. Seven photographs upsample by
#: cubic interpolation had 0.048 and more; as they were, blurred or sharp, up to 0.02.
_STRONG = {4: 0.035, 2: 0.05}
_OVER_JPEG = 2
#: Finest and coarser detail, in cycles per pixel, and the most power of the former, as a share of
#: that of the latter, that may get lost. Photographs had 0.13 and more.
_FINEST, _COARSER = (0.375, 0.5), (0.125, 0.25)
_LOST = 0.02
#: Power, of the range [0, 1], that detail must have to be told from nothing; and the standard
#: deviation of rounding to 8 bits, which is no detail.
_NOTHING, _ROUNDING = 1e-6, 0.3 / 255
#: Mean squared change between neighbors, of the range [0, 1], below which nothing can be told.
_TOLD = 1e-7


def detect_upsampling(image: Planes) -> int:
    """Return how many times an image was upsample, as far as that can be told: 1, 2 or 4.

    Parameters
    ----------
    image : (C, Y, X) float32 array
        Display-encoded; of more than three channels, the first three are looked at.

    Examples
    --------
    >>> import torch
    >>> from torch.nn.functional import interpolate
    >>> small = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> detect_upsampling(interpolate(small, scale_factor=4, mode="bicubic")[0].numpy())
    4
    """
    height, width = image.shape[-2:]
    if min(height, width) < _SIDE:
        return 1
    changes = np.zeros((2, _JPEG))
    for top in _starts(height):
        strip = _gray(image[:, top : top + _SIDE, :][:3])
        if any(_loss(strip[:, left : left + _SIDE]) > _LOST for left in _starts(width)):
            return 1
        changes += _changes(strip) / len(_starts(height))
    return _times(changes) if changes.sum(1).min() > _TOLD else 1


def _gray(colors: FloatArray) -> FloatArray:
    """Brightness as JPEG takes it, for it enlarges colors by themselves; or the only channel."""
    # no product of matrices: its threads would go on waiting for more, and hold up torch's
    weighted = (_LUMA[:, None, None] * colors).sum(0) if len(colors) == 3 else colors[0]
    gray: FloatArray = weighted
    return gray


def _starts(length: int) -> list[int]:
    """Where squares begin along an axis, about evenly spread, at multiples of what JPEG repeats."""
    count = min(-(-length // _SIDE), _MOST)
    starts = np.linspace(0, length - _SIDE, count) // _JPEG * _JPEG
    return [int(start) for start in starts]


def _loss(square: FloatArray) -> float:
    """Power of the finest detail, as a share of that of the coarser; 0 where there is neither."""
    taper = np.hanning(_SIDE + 2)[1:-1]
    windowed = (square - square.mean()) * np.outer(taper, taper)
    power = np.abs(np.fft.fft2(windowed)) ** 2 / (np.square(taper).sum() * _SIDE) ** 2
    cycles = np.abs(np.fft.fftfreq(_SIDE))
    largest = np.maximum.outer(cycles, cycles)
    fine, coarse = (
        (power - _ROUNDING**2 / power.size)[(largest > low) & (largest <= high)].sum()
        for low, high in (_FINEST, _COARSER)
    )
    return float(fine / max(coarse, 1e-12)) if max(fine, coarse) > _NOTHING else 0.0


def _changes(strip: FloatArray) -> Array:
    """Mean squared change between neighbors, down and across, by their place modulo 8: (2, 8)."""
    means = []
    for values in (strip, strip.T):
        squared = np.diff(values.astype(np.float64), axis=0) ** 2
        whole = len(squared) // _JPEG * _JPEG
        means.append(squared[:whole].mean(1).reshape(-1, _JPEG).mean(0))
    return np.array(means)


def _times(changes: Array) -> int:
    """How many times an image with such changes was upsample."""
    pattern = (np.abs(np.fft.fft(changes, axis=1)) / changes.sum(1, keepdims=True)).min(0)
    of_jpeg = _OVER_JPEG * max(pattern[1], pattern[3])
    factors = (n for n, strong in _STRONG.items() if pattern[_JPEG // n] > max(strong, of_jpeg))
    return next(factors, 1)
