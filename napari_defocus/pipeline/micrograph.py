"""Judgment of a micrograph's map: what its spectrum and its noise say beside the network.

The network reads radii from local appearance, and takes what is soft in itself for blurred, and
filtered noise for sharpness. The spectrum of a wide window knows better (`spectral_windows`); the
noise tells whether it can be trusted, and whether a part of the image shows anything at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..array_types import FloatArray
from ..inference.storage import Planes, WritablePlanes
from ..inference.tiles import Box, plan_tiles
from ..objective import Objective
from .noise_tiles import measure_noise_tiles
from .spectral_windows import SpectralWindows

Floats = npt.NDArray[np.float64]

#: Distance from 0 and 1 to which confidences are clipped.
_LEAST_DOUBT = 1e-3
#: Share of the confidence that is lost where noise had to be made white: on 24 simulated fields the
#: mean error is 1.1 px in place of 0.9 px.
_DOUBT_OF_FILTERED = 0.15
#: Radii in pixels between which confidence fades to this share of itself. Nothing can be restored
#: there: planes of nuclei far out of focus show little but the lines of the scanner.
_TOO_FAR, _TRUST_TOO_FAR = (14.5, 17.0), 0.15
#: Share of the confidence that is left where unstained objects show.
_TRUST_OF_UNSTAINED = 0.1
#: Side in pixels of the blocks that are processed one by one.
_BLOCK = 1024
#: Sines of the half angle of the cone of rays, and the share of the radius that is told: the rim
#: of steep cones is dim, so blur looks like that of a smaller disk. Radii in pixels, and the share
#: of the difference that is made up for at them. Under 40x / 0.95, 60x / 1.20 and 63x / 1.40, 45
#: simulated fields of 2 to 4 px gain 4.95 dB in place of 4.77 dB, and 30 of 6 and 9 px 4.05 dB in
#: place of 3.81 dB; there 84 % of the pixels are right within 1 px in place of 57 %.
_SINE, _TOLD = (0.85, 0.95), (1.0, 0.82)
_MADE_UP_AT, _MADE_UP = (1.3, 2.3, 4.0, 9.0), (0.0, 1.0, 1.0, 0.4)
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
    """Replace what the network says by what it means, and by what the spectrum says."""
    level, slope = correction["confidence"]
    for block in _blocks(estimate):
        radius, confidence = estimate[:, *block.slices]
        radius = np.interp(radius, correction["said"], correction["meant"])
        odds = level + slope * _log_odds(confidence)
        estimate[:, *block.slices] = np.stack([radius, _probability(odds)]).astype(np.float32)
    windows = SpectralWindows(estimate, image)
    for block in _blocks(estimate):
        radius, confidence = estimate[:, *block.slices]
        radius = np.maximum((radius + 1) * np.exp(windows.shift_at(*block.slices)) - 1, 0)
        if "settled" in correction:
            radius = _settle(radius, correction["settled"], correction["settled_at"])
        if "confidence_by_spectrum" in correction and windows.any:
            level, slope, by_spectrum = correction["confidence_by_spectrum"]
            odds = level + slope * _log_odds(confidence)
            confidence = _probability(odds + by_spectrum * windows.log_odds_at(block, radius))
        trust = np.interp(radius, _TOO_FAR, (1.0, _TRUST_TOO_FAR))
        trust *= 1 - (1 - _TRUST_OF_UNSTAINED) * windows.unstained_at(*block.slices)
        estimate[:, *block.slices] = np.stack([radius, confidence * trust]).astype(np.float32)


def _log_odds(confidence: FloatArray) -> Floats:
    sure = np.clip(confidence.astype(np.float64), _LEAST_DOUBT, 1 - _LEAST_DOUBT)
    return np.asarray(np.log(sure / (1 - sure)))


def _probability(log_odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def _settle(radius: Floats, settled: Sequence[float], settled_at: Sequence[float]) -> Floats:
    """Return radii with those that a soft specimen in focus may show as well nearer to 0.

    Radii beyond the last stay.
    """
    return np.where(radius < settled[-1], np.interp(radius, settled, settled_at), radius)


def make_up_for_aperture(estimate: WritablePlanes, optics: Objective) -> None:
    """Enlarge radii, in place, where the aperture is so high that they are told too small."""
    told = float(np.interp(optics.na / optics.index, _SINE, _TOLD))
    for block in _blocks(estimate) if told < 1 else ():
        radius = estimate[:1, *block.slices]
        share = np.interp(radius, _MADE_UP_AT, _MADE_UP)
        estimate[:1, *block.slices] = radius * (1 + (1 / told - 1) * share)


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
