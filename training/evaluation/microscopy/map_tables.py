"""Tables of maps on simulated fields: confidence, empty fields, noise as it arrives, stacks.

- *Right*: share of pixels whose radius is within 1 px of the truth, of tenths of confidence that
  hold at least 5 % of the pixels; *off* is the largest distance of that share from the confidence.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, median_filter, uniform_filter

from training.evaluation.microscopy.fields import GAIN, OFFSET, SIDE, Image, draw_fields, to_counts
from training.evaluation.microscopy.matter import KINDS, phase_image, shift
from training.evaluation.microscopy.restoration import Plugin
from training.evaluation.microscopy.trial import Trial
from training.evaluation.tables import Row

_LEAST_SHARE = 0.05
_TENTHS = 10
_PLANES = 11
_WITHIN_PLANES = 1


def confidence(trial: Trial) -> list[Row]:
    """Compare confidence with the share of right pixels, kind by kind."""
    rows: list[Row] = []
    for kind in KINDS:
        confidences, hits = [], []
        for index, scene in enumerate(
            draw_fields(max(trial.count // 3, 4), trial.seed + 5, kinds=(kind,))
        ):
            at = scene if index % 3 else scene.at(0.0)
            defocus = trial.plugin.map(at.counts)
            confidences.append(defocus.confidence.ravel())
            hits.append(np.abs(defocus.radius - abs(at.radius)).ravel() < 1)
        rows.append(
            {"kind": kind, **_reliability(np.concatenate(confidences), np.concatenate(hits))}
        )
    return rows


def _reliability(confidence: Image, hit: NDArray[np.bool_]) -> Row:
    member = np.minimum((confidence * _TENTHS).astype(int), _TENTHS - 1)
    count = np.bincount(member, minlength=_TENTHS)
    held = count >= _LEAST_SHARE * confidence.size
    claimed = np.bincount(member, confidence, _TENTHS)[held] / count[held]
    right = np.bincount(member, hit, _TENTHS)[held] / count[held]
    return {
        "mean confidence": float(confidence.mean()),
        "right": float(hit.mean()),
        "off, most": float(np.abs(claimed - right).max()),
        "said: right": ", ".join(f"{c:.2f}: {r:.2f}" for c, r in zip(claimed, right, strict=True)),
    }


def empty(trial: Trial) -> list[Row]:
    """Radius and confidence of fields that tell nothing."""
    rng = np.random.default_rng([trial.seed, 6])
    pictures = {
        f"empty, {light:g} electrons": np.full((SIDE, SIDE), light) for light in (0.0, 20.0, 500.0)
    }
    for away in (0.0, 3.0, 10.0):
        pictures[f"phase, {away:g} um"] = 2000 * phase_image(rng, SIDE, 0.4, away * 0.55 / 0.3**2)
    rows: list[Row] = []
    for name, light in pictures.items():
        counts = to_counts(rng.poisson(light) + 1.5 * rng.standard_normal(light.shape))
        defocus = trial.plugin.map(counts)
        restored = trial.plugin.restore(counts, defocus)
        rows.append(
            {
                "field": name,
                "median radius": float(np.median(defocus.radius)),
                "mean confidence": float(defocus.confidence.mean()),
                "pixels changed": f"{(restored != counts).mean():.0%}",
            }
        )
    return rows


def arrived_noise(trial: Trial) -> list[Row]:
    """Change of radius and confidence by what is done to images before they arrive."""
    scenes = list(
        draw_fields(max(trial.count // 4, 5), trial.seed + 7, radius=4.0, photons=(50, 500))
    )
    before = [_medians(trial.plugin, scene.electrons) for scene in scenes]
    rows: list[Row] = []
    for name, change in PREPROCESSING.items():
        after = [_medians(trial.plugin, change(scene.electrons)) for scene in scenes]
        radius, confidence = np.subtract(after, before).T
        factor = 2.0 if name == "binned 2 x 2" else 1.0
        if factor > 1:
            radius = np.array([a[0] * factor - b[0] for a, b in zip(after, before, strict=True)])
        rows.append(
            {
                "noise": name,
                "change of the median radius": float(np.median(radius)),
                "largest": float(np.abs(radius).max()),
                "change of confidence": float(np.mean(confidence)),
                "radius": float(np.median([a[0] * factor for a in after])),
                "confidence": float(np.mean([a[1] for a in after])),
            }
        )
    return rows


def _binned(electrons: Image) -> Image:
    rows, columns = (length // 2 for length in electrons.shape)
    return np.asarray(electrons.reshape(rows, 2, columns, 2).sum((1, 3)))


def _rolling_ball(electrons: Image) -> Image:
    from skimage.restoration import rolling_ball

    return np.asarray(electrons - rolling_ball(electrons, radius=40))


#: What is done to images before they arrive, by name.
PREPROCESSING: Mapping[str, Callable[[Image], Image]] = {
    "median 3 x 3": partial(median_filter, size=3),
    "Gaussian 0.7": partial(gaussian_filter, sigma=0.7),
    "mean 2 x 2": partial(uniform_filter, size=2),
    "binned 2 x 2": _binned,
    "moved by half a pixel": partial(shift, by=0.5),
    "background by rolling ball": _rolling_ball,
}


def _medians(plugin: Plugin, electrons: Image) -> tuple[float, float]:
    defocus = plugin.map((OFFSET + electrons / GAIN).astype(np.float32))
    return float(np.median(defocus.radius)), float(defocus.confidence.mean())


def stacks(trial: Trial) -> list[Row]:
    """Share of stacks whose plane of least median radius is the right one within one plane."""
    scenes = draw_fields(max(trial.count // 3, 4), trial.seed + 9, photons=(100, 2000))
    right = []
    for index, scene in enumerate(scenes):
        best = _PLANES // 2 + index % 3 - 1
        radii = []
        for plane in range(_PLANES):
            at = scene.at(1.5 * (plane - best) + 1e-9)
            defocus = trial.plugin.map(at.counts)
            sure = np.maximum(defocus.confidence, 1e-6)
            radii.append(float((defocus.radius * sure).sum() / sure.sum()))
        right.append(abs(int(np.argmin(radii)) - best) <= _WITHIN_PLANES)
    return [{"stacks": len(right), "right within one plane": f"{np.mean(right):.0%}"}]
