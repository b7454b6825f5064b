"""Judgment of a micrograph's map: what its spectrum and its noise say beside the network.

The network reads radii from local appearance, and takes what is soft in itself for blurred, and
filtered noise for sharpness. The spectrum of a wide window knows better (`evidence.spectrum`); the
noise tells whether it can be trusted, and whether a part of the image shows anything at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..array_types import FloatArray
from ..evidence.spectrum import RADII, log_likelihoods
from ..image.encoding import decode
from ..inference.storage import Planes, WritablePlanes
from ..inference.tiles import Box, plan_tiles
from ..objective import Objective
from .noise_tiles import measure_noise_tiles, without_spikes

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
#: Distance from 0 and 1 to which confidences are clipped.
_LEAST_DOUBT = 1e-3
#: Share of the confidence that is lost where noise had to be made white: on 24 simulated fields the
#: mean error is 1.1 px in place of 0.9 px.
_DOUBT_OF_FILTERED = 0.15
#: Radii in pixels between which confidence fades to this share of itself. Nothing can be restored
#: there: planes of nuclei far out of focus show little but the lines of the scanner.
_TOO_FAR, _TRUST_TOO_FAR = (14.5, 17.0), 0.15
#: Side in pixels of the blocks that are processed one by one.
_BLOCK = 1024
#: Least side of a pixel, in units of wavelength / (2 NA), that the network was trained with.
_USUAL_SAMPLING = 0.45


def judge_map(
    estimate: WritablePlanes, image: Planes, correction: Mapping[str, Any], filtered: float = 0.0
) -> None:
    """Correct radius and confidence of a gray micrograph's map, in place.

    Parameters
    ----------
    estimate : (2, Y, X) float32 array
        Radius >= 0 in pixels, and confidence.
    image : (1, Y, X) float32 array
        The image in the networks' form.
    correction : mapping
        That of the model's card; if it is empty, radii stay as they are.
    filtered : float
        Degree from 0 to 1 to which the image's noise had to be made white.
    """
    tiles = measure_noise_tiles(image)
    if correction:
        _correct(estimate, image, correction)
    for block in _blocks(estimate):
        trust = np.float32(1 - _DOUBT_OF_FILTERED * filtered) * tiles.trust_at(*block.slices)
        estimate[1:, *block.slices] *= trust


def _blocks(planes: Planes) -> list[Box]:
    """Return the blocks of a plane that are processed one by one."""
    return plan_tiles(Box(0, 0, *planes.shape[-2:]), _BLOCK, 1)


def _correct(estimate: WritablePlanes, image: Planes, correction: Mapping[str, Any]) -> None:
    """Replace what the network says by what it means, and move it to what the spectrum says."""
    level, slope = correction["confidence"]
    for block in _blocks(estimate):
        radius, confidence = estimate[:, *block.slices]
        radius = np.interp(radius, correction["said"], correction["meant"])
        sure = np.clip(confidence, _LEAST_DOUBT, 1 - _LEAST_DOUBT)
        odds = level + slope * np.log(sure / (1 - sure))
        estimate[:, *block.slices] = np.stack([radius, 1 / (1 + np.exp(-odds))]).astype(np.float32)
    shift = _WindowShift(estimate, image)
    for block in _blocks(estimate):
        part = estimate[:1, *block.slices]
        moved = np.maximum((part + 1) * np.exp(shift.at(*block.slices)) - 1, 0)
        if "settled" in correction:
            moved = _settle(moved, correction["settled"], correction["settled_at"])
        estimate[:1, *block.slices] = moved.astype(np.float32)
        near = np.interp(moved, _TOO_FAR, (1.0, _TRUST_TOO_FAR))
        estimate[1:, *block.slices] *= near.astype(np.float32)


def _settle(radius: Floats, settled: Sequence[float], settled_at: Sequence[float]) -> Floats:
    """Return radii with those that a soft specimen in focus may show as well nearer to 0.

    Radii beyond the last stay.
    """
    return np.where(radius < settled[-1], np.interp(radius, settled, settled_at), radius)


def subtract_spot(estimate: WritablePlanes, optics: Objective) -> None:
    """Take from radii, in place, what the spot in focus adds where it covers several pixels.

    The network knows spots of about two pixels. Larger ones look like blur, which adds up in mean
    square.
    """
    usual = optics.sampling * optics.resolved_level / _USUAL_SAMPLING
    added = optics.spot_radius**2 * max(1 - usual**2, 0.0)
    for block in _blocks(estimate) if added else ():
        squared = np.square(estimate[:1, *block.slices]) - np.float32(added)
        estimate[:1, *block.slices] = np.sqrt(np.maximum(squared, 0))


class _WindowShift:
    """Correction of the radii, from windows spread over the plane.

    Parameters
    ----------
    estimate, image
        As for `judge_map`.
    """

    def __init__(self, estimate: Planes, image: Planes) -> None:
        self._places = [_starts(length, min(image.shape[1:])) for length in image.shape[1:]]
        self._side = min(_WINDOW, *image.shape[1:])
        shape = [len(places) for places in self._places]
        self._values = np.zeros(shape)
        if self._side < _LEAST_WINDOW:
            return
        for index in np.ndindex(*shape):
            part = tuple(
                slice(places[at], places[at] + self._side)
                for places, at in zip(self._places, index, strict=True)
            )
            light = without_spikes(image[(slice(None), *part)][0])
            radius, confidence = estimate[(slice(None), *part)]
            likelihood = log_likelihoods(decode(light))
            self._values[index] = _shift(radius, confidence, likelihood)
        self._values = agreed(self._values)

    def at(self, rows: slice, columns: slice) -> Floats:
        """Return what is added to log(radius + 1), (y, x), interpolated between windows."""
        row_weights, column_weights = (
            _linear_weights(places, self._side, part)
            for places, part in zip(self._places, (rows, columns), strict=True)
        )
        return np.asarray(row_weights @ self._values @ column_weights.T)


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
