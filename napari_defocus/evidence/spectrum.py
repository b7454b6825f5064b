"""Likelihood of blur radii, from the power spectrum of a part of an image.

Blur by a disk leaves a mark on the spectrum, nulls at frequencies that its radius sets, which soft
objects do not leave. The spectrum of the specimen is not known; it is taken to fall smoothly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..array_types import FloatArray

Floats = npt.NDArray[np.float64]

#: Radii in pixels whose likelihood is told.
RADII: Floats = np.concatenate([[0.0], np.geomspace(0.7, 20.0, 34)])
#: Ratios by which radii within one image scatter about one of them, and the least power that any
#: blur leaves: no lens has nulls as deep as those of a disk.
_SCATTER, _LEAST_POWER = (0.9, 0.97, 1.03, 1.1), 2e-4
#: Smooth spectra that a specimen in focus may have, ``(1 + (f / corner)^2)^-slope`` times that of a
#: Gaussian spot: corners in cycles per pixel, slopes, standard deviations of the spot in pixels.
_CORNERS = np.geomspace(0.008, 0.4, 7)
_SLOPES = np.array([0.3, 0.5, 0.8, 1.2, 2.0])
_SPOTS = np.array([0.4, 0.8])
#: Rings of the spectrum: so many are one step wide, others grow by this factor.
_NARROW, _GROWTH = 20, 1.07
#: Independent values in a ring, per value: a Hann window correlates neighbors. And errors of the
#: model, as a share of the spectrum, beyond which more values say no more.
_INDEPENDENT, _MODEL_ERROR = 0.2, 0.15
_ROUNDS = 5


@dataclass(frozen=True)
class _Rings:
    """Rings of frequencies of a square.

    Parameters
    ----------
    index : array
        Ring of each frequency of `numpy.fft.rfft2`; the last one is left out.
    weight : array
        Times that each frequency counts.
    frequency, number : (K,) array
        Mean frequency in cycles per pixel, and number of independent values.
    spectra : (R, S, K) float32 array
        Spectra of smooth specimens, blurred by each of `RADII`.
    """

    index: npt.NDArray[np.intp]
    weight: Floats
    frequency: Floats
    number: Floats
    spectra: FloatArray


def log_likelihoods(window: FloatArray) -> Floats:
    """Return the logarithm of the likelihood of each of `RADII`, the largest being 0.

    Parameters
    ----------
    window : (N, N) float32 array
        Part of an image, in values proportional to light.

    Notes
    -----
    P. Whittle, "Estimation and information in stationary time series" (1953): the values of a
    periodogram are independent and exponentially distributed about the spectrum. That is the
    specimen's times the squared transfer function of the blur, plus even noise; the powers of both
    are fit, for each of some smooth spectra, and the best of these counts.

    Examples
    --------
    >>> from napari_defocus.optics.kernels import disk
    >>> from scipy.signal import fftconvolve
    >>> noise = np.random.default_rng(0).standard_normal((256, 256))
    >>> blurred = fftconvolve(noise, disk(5.0).numpy(), mode="same").astype(np.float32)
    >>> bool(4.5 < RADII[log_likelihoods(blurred).argmax()] < 5.5)
    True
    """
    rings = _rings(len(window))
    taper = _taper(len(window))
    centered = window - np.average(window, weights=taper)
    power = np.abs(np.fft.rfft2(centered * taper)) ** 2
    count = len(rings.frequency)
    sums = np.bincount(rings.index.ravel(), (rings.weight * power).ravel(), count + 1)[:count]
    values = sums / np.bincount(rings.index.ravel(), rings.weight.ravel(), count + 1)[:count]
    mean = values.mean()
    if not mean > 0:
        return np.zeros(len(RADII))
    cost = _fit(rings, (values / mean).astype(np.float32)).min(1)
    return np.asarray(cost.min() - cost)


def _fit(rings: _Rings, values: FloatArray) -> Floats:
    """Return the cost (R, S) of each spectrum with the best powers of specimen and noise."""
    spectra, number = rings.spectra, rings.number.astype(np.float32)
    low = slice(0, 8)
    signal = (values[low] * number[low]).sum() / (spectra[..., low] @ number[low])
    noise = np.full_like(signal, max(float(values[-4:].mean()), 1e-9))
    for _ in range(_ROUNDS):  # weighted least squares, whose weights follow from the fit before
        weight = number / (signal[..., None] * spectra + noise[..., None]) ** 2
        weighted = weight * spectra
        a, b, c = (weighted * spectra).sum(-1), weighted.sum(-1), weight.sum(-1)
        d, e = weighted @ values, weight @ values
        determinant = np.maximum(a * c - b * b, 1e-12 * a * c)
        signal = np.maximum((d * c - b * e) / determinant, 1e-9)
        noise = np.maximum((a * e - b * d) / determinant, 1e-7)
    expected = (signal[..., None] * spectra + noise[..., None]).astype(np.float64)
    return np.asarray((number * (np.log(expected) + values / expected)).sum(-1))


@lru_cache(maxsize=4)
def _rings(side: int) -> _Rings:
    rows, columns = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)
    distance = np.hypot(rows, columns)
    edges = [1.5 / side]
    while edges[-1] < np.sqrt(0.5):
        step = edges[-1] * (_GROWTH - 1) if len(edges) > _NARROW else 0.0
        edges.append(edges[-1] + max(step, 1 / side))
    ring = np.digitize(distance, edges) - 1
    ring[ring < 0] = len(edges)  # the mean, which the taper spreads
    twice = np.where((columns == 0) | (columns == 0.5), 1.0, 2.0) * np.ones_like(distance)
    size = np.bincount(ring.ravel(), twice.ravel(), len(edges) + 1)[:-1]
    kept = np.flatnonzero(size)
    order = np.full(len(edges) + 1, len(kept))
    order[kept] = np.arange(len(kept))
    frequency = np.bincount(ring.ravel(), (twice * distance).ravel(), len(edges) + 1)[:-1]
    mean = frequency[kept] / size[kept]
    independent = _INDEPENDENT * size[kept]
    number: Floats = np.asarray(independent / (1 + independent * _MODEL_ERROR**2), np.float64)
    return _Rings(order[ring], twice, mean, number, _spectra(mean))


def _spectra(frequency: Floats) -> FloatArray:
    """Return the spectra (R, S, K) of smooth specimens blurred by disks."""
    from scipy.special import j1

    falls = (1 + (frequency / _CORNERS[:, None]) ** 2)[:, None] ** -_SLOPES[:, None]
    spots = np.exp(-((2 * np.pi * frequency * _SPOTS[:, None]) ** 2))
    smooth = (falls[:, :, None] * spots).reshape(-1, len(frequency))
    radii = np.maximum(RADII, 1e-6)[:, None, None] * np.array(_SCATTER)[:, None]
    phase = 2 * np.pi * radii * frequency
    transfer = np.mean((2 * j1(phase) / phase) ** 2, axis=1) + _LEAST_POWER
    return np.asarray(transfer[:, None] * smooth, np.float32)


@lru_cache(maxsize=4)
def _taper(side: int) -> Floats:
    line = np.hanning(side + 2)[1:-1]
    return np.outer(line, line)
