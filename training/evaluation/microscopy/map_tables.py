"""Tables of maps on simulated fields: confidence, empty fields, noise as it arrives, stacks.

- *Right*: share of pixels whose radius is within 1 px of the truth, of tenths of confidence that
  hold at least 5 % of the pixels, and its standard error: within a field pixels are right or wrong
  together, so fields count, not pixels. *Off* is the distance of that share from the confidence.
- *Statement*: share of stacks of which a profile says which plane is the sharpest.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from scipy.ndimage import gaussian_filter, median_filter, uniform_filter

from training.evaluation.microscopy.fields import (
    GAIN,
    OFFSET,
    SIDE,
    Counts,
    Image,
    draw_fields,
    to_counts,
)
from training.evaluation.microscopy.matter import KINDS, phase_image, shift
from training.evaluation.microscopy.restoration import Plugin
from training.evaluation.microscopy.trial import Trial
from training.evaluation.tables import Row

_LEAST_SHARE = 0.05
_READ = 1.5
_TENTHS = 10
_PLANES = 11
_WITHIN_PLANES = 1


def confidence(trial: Trial) -> list[Row]:
    """Compare confidence with the share of right pixels, kind by kind."""
    return [{"kind": kind, **_reliability(_judged(trial, kind))} for kind in KINDS]


def _judged(trial: Trial, kind: str) -> list[tuple[Image, Image]]:
    """Return confidence and whether the radius is right, (N,), of the pixels of each field."""
    fields = draw_fields(max(trial.count * 3 // 2, 4), trial.seed + 5, kinds=(kind,))
    judged = []
    for index, scene in enumerate(fields):
        at = scene if index % 3 else scene.at(0.0)
        defocus = trial.plugin.map(at.counts)
        right = np.abs(defocus.radius - abs(at.radius)) < 1
        judged.append((defocus.confidence.ravel().astype(float), right.ravel().astype(float)))
    return judged


def _reliability(judged: Sequence[tuple[Image, Image]]) -> Row:
    tenth = [np.minimum((sure * _TENTHS).astype(int), _TENTHS - 1) for sure, _ in judged]
    number, said, right = (
        np.stack([np.bincount(each, weight, _TENTHS) for each, weight in pairs])
        for pairs in (
            [(each, np.ones(each.size)) for each in tenth],
            [(each, sure) for each, (sure, _) in zip(tenth, judged, strict=True)],
            [(each, hit) for each, (_, hit) in zip(tenth, judged, strict=True)],
        )
    )
    held = number.sum(0) >= _LEAST_SHARE * number.sum()
    number, said, right = number[:, held], said[:, held], right[:, held]
    total = number.sum(0)
    claimed, share = said.sum(0) / total, right.sum(0) / total
    error = np.sqrt(np.square(right - share * number).sum(0)) / total
    off = np.abs(claimed - share)
    cells = zip(claimed, share, error, strict=True)
    return {
        "fields": len(judged),
        "mean confidence": float(np.mean(np.concatenate([sure for sure, _ in judged]))),
        "right": float(np.mean(np.concatenate([hit for _, hit in judged]))),
        "off, mean": float(np.average(off, weights=total)),
        "off, most": float(off.max()),
        "said: right": ", ".join(f"{c:.2f}: {r:.2f} ± {e:.2f}" for c, r, e in cells),
    }


def empty(trial: Trial) -> list[Row]:
    """Radius and confidence of fields that tell nothing."""
    rng = np.random.default_rng([trial.seed, 6])
    pictures = {
        f"empty, {light:g} electrons": np.full((SIDE, SIDE), light) for light in (0.0, 20.0, 500.0)
    }
    rows: list[Row] = []
    for name, light in pictures.items():
        counts = _count(rng, light)
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


def phase(trial: Trial) -> list[Row]:
    """Radius and confidence of unstained cells, which absorb nothing."""
    rows: list[Row] = []
    for name, contrast, fresnel in PHASE_OBJECTS:
        maps, changed = [], []
        for index in range(max(trial.count // 3, 3)):
            rng = np.random.default_rng([trial.seed, 11, index])
            counts = _count(rng, 2000 * phase_image(rng, SIDE, 0.4, fresnel, contrast))
            maps.append(trial.plugin.map(counts))
            changed.append((trial.plugin.restore(counts, maps[-1]) != counts).mean())
        sure = [defocus.confidence.mean() for defocus in maps]
        rows.append(
            {
                "field": name,
                "median radius": float(np.median([np.median(m.radius) for m in maps])),
                "mean confidence": float(np.mean(sure)),
                "largest": float(np.max(sure)),
                "pixels changed": f"{np.mean(changed):.0%}",
            }
        )
    return rows


#: Unstained cells: name, contrast, and wavelength times distance from focus in squared pixels.
PHASE_OBJECTS = (
    ("brightfield, in focus", "none", 0.0),
    ("brightfield, near focus", "none", 6.0),
    ("brightfield, out of focus", "none", 20.0),
    ("brightfield, far out of focus", "none", 60.0),
    ("phase contrast", "phase", 2.0),
    ("phase contrast, out of focus", "phase", 20.0),
    ("interference contrast", "interference", 2.0),
)


def _count(rng: np.random.Generator, light: Image) -> Counts:
    return to_counts(rng.poisson(light) + _READ * rng.standard_normal(light.shape))


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
    """Share of stacks of which the right plane is told, within one, and of which any is."""
    right: list[bool] = []
    told: list[bool] = []
    for index, scene in enumerate(
        draw_fields(max(3 * trial.count, 4), trial.seed + 9, photons=(100, 2000))
    ):
        best = _PLANES // 2 + index % 3 - 1
        radii = [1.5 * (plane - best) + 1e-9 for plane in range(_PLANES)]
        plane = trial.plugin.best_plane(np.stack([scene.at(radius).counts for radius in radii]))
        told.append(np.isfinite(plane))
        if told[-1]:
            right.append(abs(plane - best) < _WITHIN_PLANES + 0.5)
    rows: list[Row] = [_stack_row("specimens", told, f"{np.mean(right):.0%}")]
    for name, draw in (("empty", _empty_stack), ("unstained cells", _phase_stack)):
        statements = []
        for index in range(max(trial.count // 3, 3)):
            rng = np.random.default_rng([trial.seed, 12, index])
            statements.append(np.isfinite(trial.plugin.best_plane(draw(rng))))
        rows.append(_stack_row(name, statements, ""))
    return rows


def _stack_row(name: str, told: Sequence[bool], right: str) -> Row:
    return {
        "stacks": name,
        "number": len(told),
        "statement": f"{np.mean(told):.0%}",
        "right within one plane": right,
    }


def _empty_stack(rng: np.random.Generator) -> Counts:
    light = np.exp(rng.uniform(0, np.log(1000)))
    return np.stack([_count(rng, np.full((SIDE, SIDE), light)) for _ in range(_PLANES)])


def _phase_stack(rng: np.random.Generator) -> Counts:
    seed = int(rng.integers(1 << 31))
    distances = 6.0 * (np.arange(_PLANES) - _PLANES // 2)
    planes = [
        phase_image(np.random.default_rng(seed), SIDE, 0.4, distance) for distance in distances
    ]
    return np.stack([_count(rng, 2000 * plane) for plane in planes])
