"""What the spectra of a micrograph's windows say: shift of radii, odds of confidence, no stain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..array_types import FloatArray
from ..evidence.fringes import fringes
from ..evidence.halos import halos
from ..evidence.spectrum import RADII, log_likelihoods
from ..image.encoding import decode
from ..inference.storage import Planes
from ..inference.tiles import Box
from .noise_tiles import without_spikes

Floats = npt.NDArray[np.float64]

#: Side in pixels of the windows whose spectrum is examined, and the least: the spectrum of a few
#: objects is not smooth.
_WINDOW, _LEAST_WINDOW = 256, 128
#: Most windows along a side of the plane; they overlap by half where there are fewer.
_MOST_WINDOWS = 12
#: Likelihoods are squared, and the logarithm of the network's radius + 1 scatters by 0.3. On 48
#: simulated fields the mean error is 0.8 px by both, 1.0 px by the spectrum, 1.9 px by the network.
_POWER, _SCATTER = 2.0, 0.3
#: Radii between which the spectrum begins to count: it does not tell small blur from the spot in
#: focus.
_HEEDED = (1.3, 2.3)
#: Range of the logarithm of radius + 1 within a window, which has no radius of its own beyond it.
_EVEN = 0.12
#: Least and largest probability that the spectrum may give to a radius: the model of a specimen's
#: spectrum is coarse, and a window of several depths has no radius.
_LEAST_SHARE, _MOST_SHARE = 0.2, 0.8
_LARGEST_RADIUS = 22.0


class SpectralWindows:
    """Spectra of windows spread over the plane, interpolated between their centers.

    Parameters
    ----------
    estimate : (2, Y, X) float32 array
        Radius >= 0 in pixels, and confidence.
    image : (1, Y, X) float32 array
        The image in the networks' form.

    Attributes
    ----------
    any : bool
        Whether the plane is large enough for a window.
    """

    def __init__(self, estimate: Planes, image: Planes) -> None:
        self._places = [_starts(length, min(image.shape[1:])) for length in image.shape[1:]]
        self._side = min(_WINDOW, *image.shape[1:])
        shape = [len(places) for places in self._places]
        self._shifts, self._unstained = np.zeros((2, *shape))
        self._log_odds = np.zeros((*shape, len(RADII)))
        self.any = self._side >= _LEAST_WINDOW
        for index in np.ndindex(*shape) if self.any else ():
            part = tuple(
                slice(places[at], places[at] + self._side)
                for places, at in zip(self._places, index, strict=True)
            )
            light = decode(without_spikes(image[(slice(None), *part)][0]))
            radius, confidence = estimate[(slice(None), *part)]
            likelihood = log_likelihoods(light)
            self._shifts[index] = _shift(radius, confidence, likelihood)
            self._log_odds[index] = log_odds_within_a_pixel(likelihood)
            self._unstained[index] = max(fringes(light), halos(light))
        self._shifts, self._unstained = agreed(self._shifts), agreed(self._unstained)

    def shift_at(self, rows: slice, columns: slice) -> Floats:
        """Return what is added to log(radius + 1), (y, x)."""
        row_weights, column_weights = self._weights(rows, columns)
        return np.asarray(row_weights @ self._shifts @ column_weights.T)

    def unstained_at(self, rows: slice, columns: slice) -> Floats:
        """Return the degree (y, x), 0 to 1, to which unstained objects show."""
        row_weights, column_weights = self._weights(rows, columns)
        return np.asarray(row_weights @ self._unstained @ column_weights.T)

    def log_odds_at(self, block: Box, radius: Floats) -> Floats:
        """Return the log odds (y, x), by the spectrum, that radii are right within a pixel."""
        row_weights, column_weights = self._weights(*block.slices)
        total = np.zeros(radius.shape)
        for row, column in np.ndindex(*self._shifts.shape):
            part = _span(row_weights[:, row]), _span(column_weights[:, column])
            weight = np.outer(row_weights[part[0], row], column_weights[part[1], column])
            total[part] += weight * np.interp(radius[part], RADII, self._log_odds[row, column])
        return total

    def _weights(self, rows: slice, columns: slice) -> tuple[Floats, Floats]:
        weights = (
            _linear_weights(places, self._side, part)
            for places, part in zip(self._places, (rows, columns), strict=True)
        )
        return next(weights), next(weights)


def log_odds_within_a_pixel(likelihood: Floats) -> Floats:
    """Return the log odds that the radius lies within a pixel of each of `RADII`.

    Parameters
    ----------
    likelihood : (R,) array
        Logarithm of the likelihood of each of `RADII`, which are equally probable beforehand.

    Examples
    --------
    >>> sure = np.where(np.abs(RADII - 5) < 0.6, 0.0, -20.0)
    >>> log_odds_within_a_pixel(sure)[[0, RADII.searchsorted(5)]].round(2).tolist()
    [-1.39, 1.39]
    """
    probability = np.exp(likelihood - likelihood.max())
    edges = np.concatenate([[0.0], (RADII[1:] + RADII[:-1]) / 2, [_LARGEST_RADIUS]])
    below = np.concatenate([[0.0], np.cumsum(probability / probability.sum())])
    least, most = (np.interp(np.maximum(RADII + by, 0), edges, below) for by in (-1, 1))
    share = np.clip(most - least, _LEAST_SHARE, _MOST_SHARE)
    return np.asarray(np.log(share / (1 - share)))


def _span(weights: Floats) -> slice:
    """Return where a row of weights is not 0."""
    (places,) = np.nonzero(weights)
    return slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0)


def agreed(shifts: Floats) -> Floats:
    """Return the median of the shifts of each window (rows, columns) and of those around it.

    Neighboring windows overlap. A few objects of one size, such as nuclei, may mislead the spectrum
    of one, and moved a quarter of real nuclei that are nearly in focus to 10 px.

    Examples
    --------
    >>> agreed(np.array([[-1.2, -1.2, -1.3], [-1.1, -1.3, -1.2], [0.1, -1.2, -1.1]]))[2, 0].item()
    -1.1
    """
    from scipy.ndimage import median_filter

    return np.asarray(median_filter(shifts, 3, mode="nearest"))


def _starts(length: int, shortest: int) -> list[int]:
    """Return where windows start along a side."""
    side = min(_WINDOW, shortest)
    count = min(-(-2 * length // side) - 1, max(_MOST_WINDOWS, 1))
    return [round(place) for place in np.linspace(0, length - side, max(count, 1))]


def _linear_weights(places: list[int], side: int, part: slice) -> Floats:
    """Return the share (pixels, windows) of each window's center in some pixels."""
    centers = np.array(places) + (side - 1) / 2
    pixels = np.arange(part.start, part.stop)
    return np.stack([np.interp(pixels, centers, row) for row in np.eye(len(centers))], axis=1)


def _shift(radius: FloatArray, confidence: FloatArray, likelihood: Floats) -> float:
    """Return what is to be added to log(radius + 1) in a window.

    The logarithm of radius + 1 is as uncertain for small radii as for large ones.
    """
    order = np.argsort(radius, axis=None)
    share = np.cumsum(confidence.ravel()[order].astype(np.float64) + 1e-6)
    low, middle, high = (
        float(np.log1p(radius.ravel()[order[np.searchsorted(share, part * share[-1])]]))
        for part in (0.25, 0.5, 0.75)
    )
    weight = _POWER * np.exp(-2 * ((high - low) / _EVEN) ** 2)
    weight *= np.interp(np.expm1(middle), _HEEDED, (0.0, 1.0))
    logarithms = np.log1p(RADII)
    prior = -(((logarithms - middle) / _SCATTER) ** 2) / 2
    both = prior + weight * likelihood
    return _mean(logarithms, both) - _mean(logarithms, prior)


def _mean(values: Floats, logarithms: Floats) -> float:
    """Return the mean of values by the logarithms of their probabilities, up to a constant."""
    probability = np.exp(logarithms - logarithms.max())
    return float(probability @ values / probability.sum())
