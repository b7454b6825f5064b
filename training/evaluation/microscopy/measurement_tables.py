"""Tables of values and measurements on simulated fields: hot pixels, 8 bits, channels, spots."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter
from skimage.feature import blob_log

from training.evaluation.microscopy.classical import best_richardson_lucy, decibels
from training.evaluation.microscopy.fields import (
    GAIN,
    OFFSET,
    SIDE,
    Field,
    Image,
    draw_fields,
    to_counts,
    to_electrons,
)
from training.evaluation.microscopy.trial import Trial
from training.evaluation.tables import Row


def values(trial: Trial) -> list[Row]:
    """Change of the gain by hot pixels, by 8 bits, and of a channel by a brighter one."""
    scenes = list(
        draw_fields(max(trial.count // 4, 5), trial.seed + 8, radius=4.0, photons=(100, 1000))
    )
    plain = [decibels(trial.restore(scene), scene) for scene in scenes]
    hot: list[float] = []
    eight: list[float] = []
    sixteen: list[float] = []
    alone: list[float] = []
    for scene in scenes:
        rng = np.random.default_rng(scene.seed)
        counts = scene.counts.copy()
        places = tuple(rng.integers(0, SIDE, (2, 10)))
        counts[places] = 40000
        far = np.ones(counts.shape, bool)
        far[places] = False
        far = uniform_filter(far.astype(float), 17) > 1 - 1e-9
        restored = to_electrons(trial.plugin.restore(counts))
        reference = trial.restore(scene)
        hot.append(_difference(restored, reference, scene, far))
        low, high = float(scene.counts.min()), float(scene.counts.max())
        small = np.rint((scene.counts - low) / (high - low) * 255).astype(np.uint8)
        back = trial.plugin.restore(small).astype(float) / 255 * (high - low) + low
        eight.append(decibels((back - OFFSET) * GAIN, scene))
        sixteen.append(plain[len(sixteen)])
        both = np.stack(
            [scene.counts, np.minimum(20.0 * scene.counts[::-1], 65535).astype(np.uint16)]
        )
        together = trial.plugin.map(both).radius[0]
        alone.append(
            float(np.abs(np.median(together) - np.median(trial.plugin.map(scene.counts).radius)))
        )
    return [
        {
            "hot pixels, largest change of the gain (dB)": float(np.abs(hot).max()),
            "8 bits less 16 bits, mean (dB)": float(np.mean(np.subtract(eight, sixteen))),
            "8 bits less 16 bits, least (dB)": float(np.min(np.subtract(eight, sixteen))),
            "radius of a channel beside another, largest change (px)": float(np.max(alone)),
        }
    ]


def _difference(image: Image, reference: Image, scene: Field, where: NDArray[np.bool_]) -> float:
    """Return the difference in dB of the errors of two images in a part of the field."""
    errors = [np.mean((each - scene.sharp)[where] ** 2) for each in (reference, image)]
    return float(10 * np.log10(errors[0] / errors[1]))


def measurements(trial: Trial) -> list[Row]:
    """Score the ratio of two channels, and spots that are found."""
    rows: list[Row] = []
    for radius in (4.0, 7.0):
        scenes = list(
            draw_fields(
                max(trial.count // 5, 3),
                trial.seed + 10,
                kinds=("points",),
                radius=radius,
                photons=(500, 2000),
            )
        )
        scores = {
            name: float(np.mean([_best_f1(method(scene), scene.sharp) for scene in scenes]))
            for name, method in (
                ("input", lambda scene: scene.electrons),
                ("ours", trial.restore),
                ("Richardson-Lucy", best_richardson_lucy),
            )
        }
        before, after = _ratio_errors(trial, scenes)
        rows.append(
            {
                "radius": f"{radius:g} px",
                **{f"F1 of spots, {name}": score for name, score in scores.items()},
                "error of ratios, input": f"{before:.1%}",
                "error of ratios, ours": f"{after:.1%}",
            }
        )
    return rows


def _best_f1(image: Image, truth: Image) -> float:
    """Return the best F1 over thresholds of spots, against those of the truth, within 2 px."""
    true = _blobs(truth, 0.05)
    if not len(true):
        return 1.0
    spots = _blobs(image, 0.02)
    strength = gaussian_filter(image, 1)[tuple(spots[:, :2].astype(int).T)] if len(spots) else []
    best = 0.0
    for level in np.quantile(strength, np.linspace(0, 0.95, 20)) if len(spots) else []:
        kept = spots[np.asarray(strength) >= level]
        near = np.hypot(*(kept[:, None, :2] - true[None, :, :2]).transpose(2, 0, 1)) <= 2
        hits = min(int(near.any(1).sum()), int(near.any(0).sum()))
        best = max(best, 2 * hits / (len(kept) + len(true)))
    return best


def _blobs(image: Image, threshold: float) -> Image:
    scaled = (image - np.median(image)) / max(
        float(np.quantile(image, 0.999) - np.median(image)), 1e-6
    )
    return np.asarray(
        blob_log(scaled, min_sigma=1, max_sigma=2.5, num_sigma=3, threshold=threshold)
    )


def _ratio_errors(trial: Trial, scenes: Sequence[Field]) -> tuple[float, float]:
    """Return the median error of local ratios of two channels, before and after."""
    before: list[float] = []
    after: list[float] = []
    for scene in scenes:
        rng = np.random.default_rng(scene.seed + 1)
        light = 0.5 * scene.blurred
        other = to_counts(rng.poisson(light) + scene.read * rng.standard_normal(light.shape))
        for errors, images in (
            (before, (scene.counts, other)),
            (after, (trial.plugin.restore(scene.counts), trial.plugin.restore(other))),
        ):
            one, two = (uniform_filter(to_electrons(image), 25) for image in images)
            bright = one > np.quantile(one, 0.5)
            errors.append(float(np.median(np.abs(two[bright] / one[bright] / 0.5 - 1))))
    return float(np.mean(before)), float(np.mean(after))
