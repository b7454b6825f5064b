"""Scores of deblurred images and of defocus maps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

from training.losses import CONFIDENT_WITHIN

Floats = NDArray[np.floating]
#: Iteratively reweighted least squares, which minimize the absolute residual.
_ROUNDS = 6
_SMALLEST_RESIDUAL = 1e-3
_CLEAR_SIGN = 1.5
_IN_FOCUS = 0.5
#: PSNR in dB of pixels that did not change, instead of infinity.
_UNTOUCHED = 100.0


def psnr(image: Floats, target: Floats) -> float:
    """Return the peak signal-to-noise ratio in dB of images in [0, 1]; infinite if equal."""
    error = float(np.mean((image.astype(float) - target) ** 2))
    return np.inf if error == 0 else float(-10 * np.log10(error))


def ssim(image: Floats, target: Floats) -> float:
    """Return the structural similarity of (Y, X, 3) images in [0, 1], in 7x7 uniform windows."""
    return float(structural_similarity(image, target, data_range=1, channel_axis=2))


@dataclass(frozen=True)
class MapScores:
    """Errors of a defocus map up to scale and offset; 0 is perfect.

    Attributes
    ----------
    aiwe1, aiwe2 : float
        Mean absolute and root-mean-square residual of the best affine fit.
    rank : float
        1 - |Spearman's rank correlation|; NaN if the map or the truth is constant.
    """

    aiwe1: float
    aiwe2: float
    rank: float


def map_scores(prediction: Floats, truth: Floats) -> MapScores:
    """Return affine-invariant scores of pixels (1-D arrays)."""
    least_squares = _residual(prediction, truth, np.ones(len(truth)))
    weights = np.ones(len(truth))
    for _ in range(_ROUNDS):
        residual = np.abs(_residual(prediction, truth, weights))
        weights = 1 / np.maximum(_SMALLEST_RESIDUAL, residual)
    return MapScores(
        aiwe1=float(residual.mean()),
        aiwe2=float(np.sqrt(np.mean(least_squares**2))),
        rank=_rank_error(prediction, truth),
    )


def _residual(prediction: Floats, truth: Floats, weights: Floats) -> Floats:
    scale, offset = affine_fit(prediction, truth, weights)
    return scale * prediction + offset - truth


def _rank_error(prediction: Floats, truth: Floats) -> float:
    if np.ptp(prediction) == 0 or np.ptp(truth) == 0:
        return np.nan
    return float(1 - abs(spearmanr(prediction, truth).statistic))


def affine_fit(
    prediction: Floats, truth: Floats, weights: Floats | None = None
) -> tuple[float, float]:
    """Return scale and offset of a prediction's least-squares fit to the truth (1-D arrays)."""
    mean = float(np.average(prediction, weights=weights))
    true_mean = float(np.average(truth, weights=weights))
    centered = prediction.astype(float) - mean
    spread = np.average(centered**2, weights=weights)
    scale = float(np.average(centered * truth, weights=weights) / spread) if spread > 0 else 0.0
    return scale, true_mean - scale * mean


@dataclass(frozen=True)
class RadiusScores:
    """Errors of radii.

    Attributes
    ----------
    mae : float
        Mean absolute error in px.
    within : float
        Share of pixels whose error is less than 1 px.
    sign : float
        Share with the right sign among pixels of true |radius| above 1.5 px; NaN if there are none.
    """

    mae: float
    within: float
    sign: float


def radius_scores(prediction: Floats, truth: Floats) -> RadiusScores:
    """Return the scores of pixels (1-D arrays of radii in px); NaN if there are none."""
    if not prediction.size:
        return RadiusScores(np.nan, np.nan, np.nan)
    error = np.abs(prediction.astype(float) - truth)
    clear = np.abs(truth) > _CLEAR_SIGN
    right = np.sign(prediction[clear]) == np.sign(truth[clear])
    return RadiusScores(
        mae=float(error.mean()),
        within=float((error < CONFIDENT_WITHIN).mean()),
        sign=float(right.mean()) if right.size else np.nan,
    )


def no_harm(image: Floats, result: Floats, radius: Floats) -> float:
    """Return the PSNR in dB between input and result where nothing is out of focus.

    Parameters
    ----------
    image, result : array
        (Y, X, 3) in [0, 1].
    radius : array
        (Y, X) true radius in px; pixels below 0.5 count.

    Returns
    -------
    float
        At most 100, if no pixel changed; NaN if no pixel is in focus.
    """
    sharp = np.abs(radius) < _IN_FOCUS
    return min(psnr(image[sharp], result[sharp]), _UNTOUCHED) if sharp.any() else np.nan
