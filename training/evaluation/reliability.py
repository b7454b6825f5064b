"""Reliability of confidences: predicted against true shares of radii within 1 px."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.evaluation.maps import MapScene
from training.evaluation.models_under_test import ModelUnderTest
from training.losses import CONFIDENT_WITHIN

Floats = NDArray[np.floating]
_BINS = 10


@dataclass(frozen=True)
class Reliability:
    """Confidences compared with errors.

    Attributes
    ----------
    claimed, observed : array
        (10,) mean confidence, and share of pixels within 1 px, of bins of equal width in
        confidence; NaN where a bin is empty.
    share : array
        (10,) share of all pixels in each bin.
    decile_error : array
        (10,) mean absolute error in px by tenths of the pixels, the least confident first.
    expected_error : float
        Mean distance of claimed and observed, each bin weighing as much as it holds.
    unsure_error, sure_error : float
        Mean absolute error in px of the less and of the more confident half.
    """

    claimed: Floats
    observed: Floats
    share: Floats
    decile_error: Floats
    expected_error: float
    unsure_error: float
    sure_error: float

    def text(self) -> str:
        """Format the figures as a few lines."""
        bins = zip(self.claimed, self.observed, self.share, strict=True)
        lines = [
            f"expected calibration error {self.expected_error:.3f}",
            f"mean error of the more confident half {self.sure_error:.2f} px, "
            f"of the less confident {self.unsure_error:.2f} px",
            "mean error by tenths of confidence, px: "
            + " ".join(f"{error:.2f}" for error in self.decile_error),
            *(
                f"confidence {claimed:.2f}: {observed:.2f} within 1 px ({share:.0%} of pixels)"
                for claimed, observed, share in bins
                if share > 0
            ),
        ]
        return "\n".join(lines)


def measure_reliability(confidence: Floats, error: Floats) -> Reliability:
    """Compare confidences with errors.

    Parameters
    ----------
    confidence : array
        (P,) in [0, 1].
    error : array
        (P,) absolute errors of the radius in px.
    """
    hit = error < CONFIDENT_WITHIN
    member = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    count = np.bincount(member, minlength=_BINS)
    held = np.where(count > 0, count, np.nan)
    claimed = np.bincount(member, confidence, _BINS) / held
    observed = np.bincount(member, hit, _BINS) / held
    share = count / len(confidence)
    deciles = np.array([part.mean() for part in np.array_split(error[confidence.argsort()], _BINS)])
    half = _BINS // 2
    return Reliability(
        claimed=claimed,
        observed=observed,
        share=share,
        decile_error=deciles,
        expected_error=float(np.nansum(np.abs(claimed - observed) * share)),
        unsure_error=float(deciles[:half].mean()),
        sure_error=float(deciles[half:].mean()),
    )


def confidences_and_errors(
    scenes: Iterator[MapScene], estimator: ModelUnderTest
) -> tuple[Floats, Floats]:
    """Return confidence and absolute error in px, (P,), of all pixels with a true radius."""
    confidences, errors = [], []
    for scene in scenes:
        estimate = scene.images.estimate(estimator)
        confidences.append(estimate.confidence[scene.valid])
        errors.append(np.abs(estimate.radius - scene.truth_for(estimate))[scene.valid])
    return np.concatenate(confidences), np.concatenate(errors)


def plot(reliability: Reliability, title: str, path: Path) -> None:
    """Draw the reliability of the confidence, and the error by confidence."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    figure.suptitle(f"{title}: expected calibration error {reliability.expected_error:.3f}")
    axes, errors = figure.subplots(1, 2)
    axes.plot([0, 1], [0, 1], color="0.7", label="perfect")
    axes.plot(reliability.claimed, reliability.observed, "o-", label="observed")
    centers = (np.arange(_BINS) + 0.5) / _BINS
    axes.bar(centers, reliability.share, 1 / _BINS, color="0.9", label="share of pixels")
    axes.set(xlabel="confidence", ylabel="share within 1 px", xlim=(0, 1), ylim=(0, 1))
    axes.legend(loc="upper left")
    errors.bar(np.arange(_BINS) + 1, reliability.decile_error)
    errors.set(xlabel="tenth of the pixels, by rising confidence", ylabel="mean error, px")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
