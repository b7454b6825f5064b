"""How finely an image is really resolved.

An enlarged image holds nothing in its finest detail, not even noise, and looks blurred everywhere.
Shrunk back, it is what it was. A camera's own image holds its noise there, however blurred it is.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from ..arrays import Array, FloatArray
from .room import Planes

#: Side of the squares that are looked at, in pixels, and the most along each axis.
_SIDE, _MOST = 128, 16
#: Strongest noise, in the range [0, 1], that is none of the image's: of rounding to 8 bits.
_ROUNDING = 0.3 / 255
#: How many times an image may be shrunk.
_TIMES = (2, 4)
#: What is compared, in cycles per pixel of half the size: the finest detail, with detail that is
#: still there in the image before it was enlarged.
_FINEST, _COARSER = (0.375, 0.5), (0.125, 0.25)
#: Power, of the range [0, 1], that detail must have to be told from nothing.
_TOLD = 1e-6
#: Power of the finest detail, as a share of that of the coarser, up to which there is none. Seven
#: photographs enlarged twice and four times by cubic interpolation reached 0.0003; 64 rendered
#: scenes with noise, some blurred all over, 0.0027 and more; photographs, blurred or sharp, stored
#: as JPEG or not, 0.13 and more.
_EMPTY = 0.001


def resolved_at(image: Planes) -> int:
    """Return how many times smaller an image can be without losing anything: 1, 2 or 4.

    Parameters
    ----------
    image : (C, Y, X) float32 array
        Display-encoded; of more than three channels, the first three are looked at.

    Examples
    --------
    >>> small = np.random.default_rng(0).random((1, 64, 64), dtype=np.float32)
    >>> spectrum = np.fft.fftshift(np.fft.fft2(small))
    >>> padded = np.pad(spectrum, ((0, 0), (96, 96), (96, 96)))
    >>> large = 16 * np.fft.ifft2(np.fft.ifftshift(padded)).real.astype(np.float32)
    >>> resolved_at(np.pad(small, ((0, 0), (96, 96), (96, 96)))), resolved_at(large)
    (1, 4)
    """
    height, width = image.shape[-2:]
    if min(height, width) < _SIDE:
        return 1
    fullest = np.zeros(len(_TIMES))
    for top, left in product(_starts(height), _starts(width)):
        square = image[:3, top : top + _SIDE, left : left + _SIDE].mean(0)
        fullest = np.maximum(fullest, _fullness(_power(square)))
        if fullest[0] > _EMPTY:
            return 1
    if not fullest.any():
        return 1
    return _TIMES[0] if fullest[1] > _EMPTY else _TIMES[1]


def _starts(length: int) -> list[int]:
    """Where squares begin along an axis, evenly spread."""
    count = min(-(-length // _SIDE), _MOST)
    return [round(start) for start in np.linspace(0, length - _SIDE, count)]


def _power(square: FloatArray) -> Array:
    """Power at each frequency, less that of rounding."""
    taper = np.hanning(_SIDE + 2)[1:-1]
    seen = (square - square.mean()) * np.outer(taper, taper)
    power: Array = np.abs(np.fft.fft2(seen)) ** 2 / (np.square(taper).sum() ** 2 * seen.size)
    power -= _ROUNDING**2 / seen.size
    return power


def _fullness(power: Array) -> Array:
    """Power of the finest detail as a share of the coarser's, for an image and its half."""
    cycles = np.abs(np.fft.fftfreq(_SIDE))
    largest = np.maximum.outer(cycles, cycles)
    shares = []
    for half in (1, 2):
        fine, coarse = (
            power[(largest > low / half) & (largest <= high / half)].sum()
            for low, high in (_FINEST, _COARSER)
        )
        told = max(fine, coarse) > _TOLD
        shares.append(max(fine, 1e-12) / max(coarse, 1e-12) if told else 0)
    return np.array(shares)
