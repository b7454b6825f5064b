"""Grid on even surfaces of a defocus map, as peaks of its spectrum."""

from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Floats = NDArray[np.floating]

#: Periods in px at which networks that halve the size repeatedly may print a grid.
PERIODS = (2, 4, 8, 16)
#: Side of a window in px, and distance between windows.
_SIDE, _STEP = 128, 64
#: Standard deviation in px of the smoothing after which a window is judged, and the range in px,
#: and as a share of the radius, within which it is even.
_SMOOTHED, _EVEN, _EVEN_SHARE = 16.0, 0.1, 0.1
#: Distance in steps of the spectrum between a peak and its surroundings.
_NEAR, _FAR = 3, 5
#: Amplitude in px of a wave that nobody sees: a sixth of a gray level where 3 px span 256.
_INVISIBLE = 0.002


def grid_peaks(radius: Floats) -> dict[int, float]:
    """Measure the grid on even surfaces of a map.

    Parameters
    ----------
    radius : array
        (Y, X) radius in px.

    Returns
    -------
    dict of int to float
        For each period in px: power of the waves of that period along y, x and both diagonals,
        divided by the mean power of waves of nearly the same frequency and direction, to which the
        power of a wave of 0.002 px is added; the median over all even windows of 128 px. NaN where
        no window is even.

    Notes
    -----
    Without a grid it is about 1 or less: a wave in each point of the spectrum is as strong as its
    surroundings. A window is even if its radii, smoothed over 16 px, differ by less than 0.1 px and
    a tenth. A quadratic surface is subtracted from each, and a Hann window applied.
    """
    spectra = [_spectrum(radius[window]) for window in _even_windows(radius)]
    return {
        period: float(np.median([_peak(s, _SIDE // period) for s in spectra]))
        if spectra
        else np.nan
        for period in PERIODS
    }


def _even_windows(radius: Floats) -> Iterator[tuple[slice, slice]]:
    smooth = gaussian_filter(radius.astype(float), _SMOOTHED, mode="nearest")
    starts = (range(0, length - _SIDE + 1, _STEP) for length in radius.shape)
    for top, left in product(*starts):
        window = np.s_[top : top + _SIDE, left : left + _SIDE]
        part = smooth[window]
        if np.ptp(part) <= _EVEN + _EVEN_SHARE * abs(part.mean()):
            yield window


def _spectrum(radius: Floats) -> Floats:
    """Return the power of each wave (128, 128), 1 for a wave of an amplitude of 1 px."""
    base, taper = _surfaces(), np.hanning(_SIDE + 1)[:-1]
    values = radius.astype(float).ravel()
    values = values - base @ (base.T @ values)
    window = taper[:, None] * taper
    spectrum = np.fft.fft2(values.reshape(_SIDE, _SIDE) * window)
    power: Floats = np.abs(2 * spectrum / window.sum()) ** 2
    return power


@cache
def _surfaces() -> Floats:
    """Return an orthonormal base (128 * 128, 6) of the quadratic surfaces."""
    along = np.linspace(-1, 1, _SIDE)
    y, x = np.meshgrid(along, along, indexing="ij")
    surfaces = np.stack([np.ones_like(x), y, x, y * y, y * x, x * x], -1)
    base: Floats = np.linalg.qr(surfaces.reshape(_SIDE**2, -1))[0]
    return base


def _peak(power: Floats, step: int) -> float:
    """Return the mean power of four waves, each divided by its surroundings."""
    directions = ((step, 0), (0, step), (step, step), (step, -step))
    return float(np.mean([_relative_power(power, *place) for place in directions]))


def _relative_power(power: Floats, row: int, column: int) -> float:
    near = np.arange(-_FAR, _FAR + 1)
    part = power[np.ix_((row + near) % _SIDE, (column + near) % _SIDE)]
    distance = np.maximum(np.abs(near)[:, None], np.abs(near))
    around = part[distance >= _NEAR].mean()
    return float(part[_FAR, _FAR] / (around + _INVISIBLE**2))
