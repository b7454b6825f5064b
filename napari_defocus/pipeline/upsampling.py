"""Detection of images that were enlarged.

An image is enlarged by interpolation between its pixels. How much neighboring values differ then
depends on their distance from the nearest original pixel: a pattern that repeats with every
original pixel (Gallagher, "Detection of linear and cubic interpolation in JPEG compressed images",
2005). Blur leaves no such pattern. Shrunk by the same factor, the image is what it was.
"""

from __future__ import annotations

import numpy as np

from ..array_types import Array, FloatArray
from ..inference.storage import Planes

#: Side in pixels of the squares that are examined, and their largest number along an axis.
_SQUARE, _MAX_SQUARES = 128, 16
#: Weights of red, green and blue in the brightness that JPEG stores.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
#: Side in pixels of the blocks of JPEG, which leave a pattern of this period.
_JPEG_BLOCK = 8
#: Least strength of the pattern along both axes, as a share of all differences, by the factor of
#: enlargement. Seven photographs enlarged by cubic interpolation have 0.048 and more; as they were,
#: sharp or blurred, up to 0.02.
_MIN_STRENGTH = {4: 0.035, 2: 0.05}
#: Least strength in units of the strongest pattern that the blocks of JPEG leave by themselves.
_MIN_OVER_JPEG = 2
#: Frequencies of fine and of coarse detail, in cycles per pixel, along the axis of the higher one.
_FINE, _COARSE = (0.375, 0.5), (0.125, 0.25)
#: Largest power of fine detail, as a share of that of coarse detail, in an enlarged image; what is
#: finer would be lost at its original size. Photographs have 0.13 and more.
_MAX_FINE_SHARE = 0.02
#: Least power of detail, and the standard deviation of rounding to 8 bits, which is no detail; for
#: values from 0 to 1.
_MIN_POWER, _ROUNDING = 1e-6, 0.3 / 255
#: Least mean squared difference between neighbors in which a pattern can show.
_MIN_DIFFERENCE = 1e-7


def detect_upsampling(image: Planes) -> int:
    """Return the factor by which an image was enlarged: 1, 2 or 4.

    Parameters
    ----------
    image : (C, Y, X) float32 array
        Display-encoded; only the first three channels are examined.

    Returns
    -------
    int
        1 if the image was not enlarged, or if that cannot be detected.

    Notes
    -----
    Of 14 pictures enlarged by spline, Lanczos, cubic or linear interpolation, 9 to 12 are detected,
    and none that was stored as JPEG afterward. Of 728 blurred ones, 11 are taken for enlarged, all
    of one picture that had been resampled before.

    Examples
    --------
    >>> import torch
    >>> from torch.nn.functional import interpolate
    >>> small = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> detect_upsampling(interpolate(small, scale_factor=4, mode="bicubic")[0].numpy())
    4
    """
    height, width = image.shape[-2:]
    if min(height, width) < _SQUARE:
        return 1
    differences = np.zeros((2, _JPEG_BLOCK))
    for top in _square_starts(height):
        strip = _gray(image[:, top : top + _SQUARE, :][:3])
        squares = (strip[:, left : left + _SQUARE] for left in _square_starts(width))
        if any(_fine_share(square) > _MAX_FINE_SHARE for square in squares):
            return 1
        differences += _mean_differences(strip) / len(_square_starts(height))
    if differences.sum(1).min() <= _MIN_DIFFERENCE:
        return 1
    return _factor(differences)


def _gray(colors: FloatArray) -> FloatArray:
    """Return the brightness of RGB, or the only channel.

    JPEG may enlarge the colors by themselves.
    """
    # not a matrix product: its threads would keep waiting for work and slow down those of torch
    weighted = (_LUMA[:, None, None] * colors).sum(0) if len(colors) == 3 else colors[0]
    gray: FloatArray = weighted
    return gray


def _square_starts(length: int) -> list[int]:
    """Return where squares begin along an axis: evenly spread, and at the edge of a JPEG block."""
    count = min(-(-length // _SQUARE), _MAX_SQUARES)
    starts = np.linspace(0, length - _SQUARE, count) // _JPEG_BLOCK * _JPEG_BLOCK
    return [int(start) for start in starts]


def _fine_share(square: FloatArray) -> float:
    """Return the power of fine detail divided by that of coarse detail; 0 if there is neither."""
    taper = np.hanning(_SQUARE + 2)[1:-1]
    windowed = (square - square.mean()) * np.outer(taper, taper)
    power = np.abs(np.fft.fft2(windowed)) ** 2 / (np.square(taper).sum() * _SQUARE) ** 2
    cycles = np.abs(np.fft.fftfreq(_SQUARE))
    largest = np.maximum.outer(cycles, cycles)
    fine, coarse = (
        (power - _ROUNDING**2 / power.size)[(largest > low) & (largest <= high)].sum()
        for low, high in (_FINE, _COARSE)
    )
    return float(fine / max(coarse, 1e-12)) if max(fine, coarse) > _MIN_POWER else 0.0


def _mean_differences(strip: FloatArray) -> Array:
    """Return the mean squared difference between neighbors, down and across, (2, 8).

    The second axis is the place within a block of JPEG.
    """
    means = []
    for values in (strip, strip.T):
        squared = np.diff(values.astype(np.float64), axis=0) ** 2
        whole = len(squared) // _JPEG_BLOCK * _JPEG_BLOCK
        means.append(squared[:whole].mean(1).reshape(-1, _JPEG_BLOCK).mean(0))
    return np.array(means)


def _factor(differences: Array) -> int:
    """Return the factor of enlargement whose period the differences (2, 8) have; 1 if none."""
    spectrum = np.abs(np.fft.fft(differences, axis=1)) / differences.sum(1, keepdims=True)
    strength = spectrum.min(0)
    over_jpeg = _MIN_OVER_JPEG * max(strength[1], strength[3])
    for factor, least in _MIN_STRENGTH.items():
        if strength[_JPEG_BLOCK // factor] > max(least, over_jpeg):
            return factor
    return 1
