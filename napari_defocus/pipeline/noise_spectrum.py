"""Spectrum of a micrograph's noise: whether it is white, and the noise that it lacks to be so."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..array_types import FloatArray
from ..inference.storage import MemoryStorage, Planes
from .noise_tiles import without_spikes

Floats = npt.NDArray[np.float64]

#: Side in pixels of the windows whose spectra are taken, and their largest number along a side.
_SIDE, _MOST = 64, 16
#: Number of ranges of frequencies from 0 to 0.5 cycles per pixel along each axis.
_BINS = 8
#: Distance of frequencies from 0 in cycles per pixel, between which power is averaged. Blur of
#: 2.5 px and more leaves nothing but noise in them.
_RANGES = ((0.2, 0.28), (0.28, 0.36), (0.36, 0.5), (0.5, 0.58), (0.62, 0.75))
#: Quantile of the windows' powers that counts: what a specimen adds differs from place to place.
_CALM = 0.25
#: Ratios of the power of the highest frequencies to that of the corner of the spectrum between
#: which noise is taken for that of a linear filter. Simulated fields, sharp or not, have 0.9 to 1.3
#: as they are counted, and 5.9 and more after such filters.
_STEEP = (3.0, 4.5)
#: A median of 3 x 3 leaves 1.5 to 2.6 of high frequencies by the corner, in place of 1.0 to 1.3,
#: and 1.1 to 1.4 of middle ones by high ones, where sharp texture has 6.
_MEDIAN, _TEXTURE = (1.4, 1.8), (1.5, 2.2)
#: Power of the lowest frequencies by that of the first range: its ratio to that of the second range
#: to this power, and at most so much.
_EXTRAPOLATED, _MOST_TAKEN = 1.15, 3.5
#: Least power of low frequencies that matters, for values from 0 to 1.
_LEAST_POWER = 0.003**2
#: Side in pixels of the pattern of noise that is repeated.
_PATTERN = 512


@dataclass(frozen=True)
class NoiseSpectrum:
    """Power of a plane's noise, in units of its variance if it is white.

    Parameters
    ----------
    low, middle, high, highest, corner : float
        Power in five ranges of frequencies.
    bins : (8, 8) array
        Power by frequency along Y and X, from 0 to 0.5 cycles per pixel.
    """

    low: float
    middle: float
    high: float
    highest: float
    corner: float
    bins: Floats

    @property
    def filtered(self) -> float:
        """Degree from 0 to 1 to which the noise was filtered."""
        if self.low < _LEAST_POWER:
            return 0.0
        corner, high = max(self.corner, 1e-12), max(self.high, 1e-12)
        linear = np.interp(self.highest / corner, _STEEP, (0, 1))
        median = np.interp(high / corner, _MEDIAN, (0, 1))
        median *= np.interp(self.middle / high, _TEXTURE, (1, 0))
        return float(max(linear, median))

    def missing_noise(self) -> FloatArray:
        """Return a pattern (Y, X), to be repeated, of the noise that is missing."""
        steep = (self.low / max(self.middle, 1e-12)) ** _EXTRAPOLATED
        whole = self.low * float(np.clip(steep, 1, _MOST_TAKEN))
        missing = self.filtered * np.maximum(whole - self.bins, 0)
        line = np.minimum(np.abs(np.fft.fftfreq(_PATTERN)) * 2 * _BINS, _BINS - 1).astype(int)
        white = np.random.default_rng(0).standard_normal((_PATTERN, _PATTERN))
        spectrum = np.fft.rfft2(white) * np.sqrt(missing[np.ix_(line, line[: _PATTERN // 2 + 1])])
        return np.asarray(np.fft.irfft2(spectrum, white.shape), np.float32)


def measure_noise_spectrum(image: Planes) -> NoiseSpectrum:
    """Return the spectrum of the noise of a gray plane.

    Parameters
    ----------
    image : (1, Y, X) float32 array
        Display-encoded, so that noise of photons is nearly even.

    Examples
    --------
    >>> from scipy.ndimage import gaussian_filter
    >>> noise = np.random.default_rng(0).normal(0.3, 0.02, (1, 256, 256)).astype(np.float32)
    >>> measure_noise_spectrum(noise).filtered
    0.0
    >>> measure_noise_spectrum(gaussian_filter(noise, (0, 0.7, 0.7))).filtered
    1.0
    """
    height, width = image.shape[1:]
    if min(height, width) < _SIDE:
        return NoiseSpectrum(0.0, 0.0, 0.0, 0.0, 0.0, np.zeros((_BINS, _BINS)))
    powers = [
        _powers(without_spikes(image[:, top : top + _SIDE, left : left + _SIDE][0]))
        for top in _starts(height)
        for left in _starts(width)
    ]
    calm = np.quantile(powers, _CALM, axis=0)
    low, middle, high, highest, corner = (float(power) for power in calm[: len(_RANGES)])
    bins = calm[len(_RANGES) :].reshape(_BINS, _BINS)
    return NoiseSpectrum(low, middle, high, highest, corner, bins)


def _starts(length: int) -> list[int]:
    """Return where windows start along a side; they overlap by half where there are few."""
    count = min(2 * length // _SIDE - 1, _MOST)
    return [round(place) for place in np.linspace(0, length - _SIDE, count)]


def _powers(window: FloatArray) -> Floats:
    """Return the mean power of a window in each range of frequencies, then in each bin."""
    taper = _taper()
    centered = window - np.average(window, weights=taper)
    power = np.abs(np.fft.fft2(centered * taper)) ** 2 / (taper**2).sum()
    ranges, bins = _ranges_and_bins()
    counted = np.bincount(bins.ravel(), power.ravel()) / np.bincount(bins.ravel())
    return np.concatenate([[power[each].mean() for each in ranges], counted])


@lru_cache(maxsize=1)
def _taper() -> Floats:
    line = np.hanning(_SIDE + 2)[1:-1]
    return np.outer(line, line)


@lru_cache(maxsize=1)
def _ranges_and_bins() -> tuple[list[npt.NDArray[np.bool_]], npt.NDArray[np.intp]]:
    line = np.fft.fftfreq(_SIDE)
    frequency = np.hypot(line[:, None], line)
    ranges = [(frequency >= low) & (frequency < high) for low, high in _RANGES]
    index = np.minimum(np.abs(line) * 2 * _BINS, _BINS - 1).astype(np.intp)
    return ranges, index[:, None] * _BINS + index


def add_pattern(image: Planes, pattern: FloatArray, storage: MemoryStorage) -> Planes:
    """Return planes (1, Y, X) to which a pattern (y, x), repeated, is added."""

    def window(rows: slice, columns: slice) -> FloatArray:
        places = (
            np.arange(part.start, part.stop) % length
            for part, length in zip((rows, columns), pattern.shape, strict=True)
        )
        return np.asarray(image[:, rows, columns] + pattern[np.ix_(*places)], np.float32)

    return storage.compute(image.shape, window)
