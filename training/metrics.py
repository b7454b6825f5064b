"""Scores of deblurred images and of defocus maps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

Floats = NDArray[np.floating]
_ROUNDS = 6
_SMALLEST_RESIDUAL = 1e-3


def psnr(image: Floats, target: Floats) -> float:
    """Peak signal-to-noise ratio in dB of images in [0, 1]; infinite if they are equal."""
    error = float(np.mean((image.astype(float) - target) ** 2))
    return np.inf if error == 0 else float(-10 * np.log10(error))


def ssim(image: Floats, target: Floats) -> float:
    """Structural similarity of (Y, X, 3) images in [0, 1], 7x7 uniform window."""
    return float(structural_similarity(image, target, data_range=1, channel_axis=2))


@dataclass(frozen=True)
class MapScores:
    """How far a defocus map is from the truth up to scale and offset; 0 is perfect.

    Attributes
    ----------
    aiwe1, aiwe2 : float
        Mean absolute and root-mean-square residual of the best affine fit.
    rank : float
        1 - |Spearman's rank correlation|.
    """

    aiwe1: float
    aiwe2: float
    rank: float


def map_scores(prediction: Floats, truth: Floats) -> MapScores:
    """Affine-invariant scores over the given pixels (1-D arrays)."""
    design = np.stack([prediction, np.ones_like(prediction)], 1).astype(float)
    least = design @ np.linalg.lstsq(design, truth, rcond=None)[0]
    weights = np.ones(len(truth))
    for _ in range(_ROUNDS):
        root = np.sqrt(weights)
        fit = np.linalg.lstsq(design * root[:, None], truth * root, rcond=None)[0]
        residual = np.abs(design @ fit - truth)
        weights = 1 / np.maximum(_SMALLEST_RESIDUAL, residual)
    return MapScores(
        aiwe1=float(residual.mean()),
        aiwe2=float(np.sqrt(np.mean((least - truth) ** 2))),
        rank=float(1 - abs(spearmanr(prediction, truth).statistic)),
    )
