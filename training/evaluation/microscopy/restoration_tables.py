"""Tables of what deblurring gains on simulated fields, and of what it harms.

- *Gain*: PSNR of the result less that of the input, in dB, in electrons; the peak is the range of
  the truth, which is the specimen as the microscope in focus shows it, free of noise.
- *Below*: share of fields that end below the best Gaussian, or below their own input.
- *Harm*: the opposite of the gain, of fields in focus.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from training.evaluation.intervals import mean_interval
from training.evaluation.microscopy.classical import (
    best_gaussian,
    best_richardson_lucy,
    best_wiener,
    decibels,
)
from training.evaluation.microscopy.fields import (
    SIDE,
    Field,
    Image,
    draw_fields,
    to_counts,
    to_electrons,
)
from training.evaluation.microscopy.matter import KINDS
from training.evaluation.microscopy.trial import Trial
from training.evaluation.microscopy.vectorial import MICROSCOPES, WELL_SAMPLED
from training.evaluation.tables import Row

_STEPS = (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0)
_POINT_SIGMAS = (0.4, 0.5, 0.6)
_GAUSSIAN = "best Gaussian"


def gains(trial: Trial) -> list[Row]:
    """Compare the gain with those of classical methods that are given the truth."""
    methods: dict[str, Callable[[Field], Image]] = {
        _GAUSSIAN: best_gaussian,
        "best Wiener, true kernel": best_wiener,
        "best Richardson-Lucy, true kernel": best_richardson_lucy,
        "ours, estimated map": trial.restore,
        "ours, estimated map, optics said": lambda scene: to_electrons(
            trial.plugin.restore(scene.counts, None, scene.microscope.objective)
        ),
        "ours, true radius": lambda scene: trial.restore(scene, abs(scene.radius)),
        "ours, true radius, optics said": lambda scene: to_electrons(
            trial.plugin.restore(scene.counts, abs(scene.radius), scene.microscope.objective)
        ),
    }
    gained: dict[str, list[float]] = {name: [] for name in methods}
    kinds: list[str] = []
    for scene in draw_fields(trial.count, trial.seed):
        before = decibels(scene.electrons, scene)
        kinds.append(scene.kind)
        for name, method in methods.items():
            gained[name].append(decibels(method(scene), scene) - before)
    return [_gain_row(name, gains, gained[_GAUSSIAN], kinds) for name, gains in gained.items()]


def _gain_row(name: str, gains: list[float], gaussian: list[float], kinds: list[str]) -> Row:
    gain, values = mean_interval(gains), np.array(gains)
    return {
        "method": name,
        "gain": f"{gain.mean:+.2f} ({gain.low:+.2f} to {gain.high:+.2f})",
        "below best Gaussian": f"{np.mean(values < np.array(gaussian) - 1e-9):.0%}",
        "below input": f"{np.mean(values < -1e-9):.0%}",
        "least": f"{values.min():+.2f}",
        **{
            kind: f"{values[np.array(kinds) == kind].mean():+.2f}"
            for kind in KINDS
            if kind in kinds
        },
    }


def radii(trial: Trial) -> list[Row]:
    """Gain of the same specimens at each radius."""
    scenes = list(draw_fields(max(trial.count // 5, 5), trial.seed + 1, photons=(200, 2000)))
    rows: list[Row] = []
    for radius in _STEPS:
        estimated, true = [], []
        for scene in (scene.at(radius) for scene in scenes):
            before = decibels(scene.electrons, scene)
            estimated.append(decibels(trial.restore(scene), scene) - before)
            true.append(decibels(trial.restore(scene, radius), scene) - before)
        row: Row = {
            "radius": f"{radius:g} px",
            "gain, estimated map": float(np.mean(estimated)),
            "gain, true radius": float(np.mean(true)),
        }
        rows.append(row)
    return rows


def nuclei(trial: Trial) -> list[Row]:
    """Gain and confidence on nuclei at 4 px."""
    scenes = list(
        draw_fields(max(trial.count // 3, 3), trial.seed + 2, kinds=("nuclei",), radius=4.0)
    )
    maps = [trial.plugin.map(scene.counts) for scene in scenes]
    before = [decibels(scene.electrons, scene) for scene in scenes]
    after = [
        decibels(trial.restore(scene, defocus), scene)
        for scene, defocus in zip(scenes, maps, strict=True)
    ]
    true = [decibels(trial.restore(scene, 4.0), scene) for scene in scenes]
    return [
        {
            "gain, estimated map": float(np.subtract(after, before).mean()),
            "gain, true radius": float(np.subtract(true, before).mean()),
            "median radius": float(np.median([np.median(m.radius) for m in maps])),
            "mean confidence": float(np.mean([m.confidence.mean() for m in maps])),
        }
    ]


def in_focus(trial: Trial) -> list[Row]:
    """Harm in focus, by kind, and of well-sampled optics."""
    rows: list[Row] = []
    for name, microscopes, is_said in (
        ("usual", MICROSCOPES, False),
        ("usual, said", MICROSCOPES, True),
        ("well sampled", WELL_SAMPLED, False),
        ("well sampled, said", WELL_SAMPLED, True),
    ):
        scenes = draw_fields(trial.count, trial.seed + 3, microscopes=microscopes, radius=0.0)
        harms, radii, changed = [], [], []
        for scene in scenes:
            optics = scene.microscope.objective if is_said else "none"
            defocus = trial.plugin.map(scene.counts, optics)
            restored = trial.plugin.restore(scene.counts, defocus, optics)
            harm = decibels(scene.electrons, scene) - decibels(to_electrons(restored), scene)
            harms.append(harm)
            radii.append(float(np.median(defocus.radius)))
            changed.append(float((restored != scene.counts).mean()))
        rows.append(
            {
                "optics": name,
                "harm, mean (dB)": float(np.mean(harms)),
                "harm, most (dB)": float(np.max(harms)),
                "fields harmed by more than 0.5 dB": f"{np.mean(np.array(harms) > 0.5):.0%}",
                "median radius": float(np.median(radii)),
                "pixels changed": f"{np.mean(changed):.0%}",
            }
        )
    return rows


def points(trial: Trial) -> list[Row]:
    """Share of sum and peak that sharp points between pixels keep."""
    rows: list[Row] = []
    for sigma in _POINT_SIGMAS:
        rng = np.random.default_rng([trial.seed, 4, int(10 * sigma)])
        places = rng.uniform(12, SIDE - 12, (60, 2))
        light = _gaussian_points(places, sigma)
        counts = to_counts(rng.poisson(30 + 600 * light) + 1.5 * rng.standard_normal(light.shape))
        restored = trial.plugin.restore(counts)
        sums, peaks = (
            np.array([measure(to_electrons(image)) for image in (counts, restored)])
            for measure in (partial(_sums, places=places), partial(_peaks, places=places))
        )
        rows.append(
            {
                "sigma": f"{sigma:g} px",
                "sum kept": f"{np.median(sums[1] / sums[0]):.1%}",
                "peak kept": f"{np.median(peaks[1] / peaks[0]):.1%}",
            }
        )
    return rows


def _gaussian_points(places: Image, sigma: float) -> Image:
    y, x = np.mgrid[:SIDE, :SIDE]
    light = np.zeros((SIDE, SIDE))
    for row, column in places:
        light += np.exp(-0.5 * ((y - row) ** 2 + (x - column) ** 2) / sigma**2)
    return light


def _windows(image: Image, places: Image) -> list[Image]:
    return [image[r - 3 : r + 4, c - 3 : c + 4] for r, c in places.round().astype(int)]


def _sums(image: Image, places: Image) -> Image:
    ground = float(np.median(image))
    return np.array([(window - ground).sum() for window in _windows(image, places)])


def _peaks(image: Image, places: Image) -> Image:
    ground = float(np.median(image))
    return np.array([window[2:5, 2:5].max() - ground for window in _windows(image, places)])
