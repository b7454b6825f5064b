"""Tables of all scores of the microscopy models."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from training.evaluation.intervals import mean_interval
from training.evaluation.microscopy import measures, micrographs
from training.evaluation.microscopy.restoration import Plugin, best_richardson_lucy
from training.evaluation.microscopy.specimens import (
    MARGIN,
    SIDE,
    Specimen,
    half_empty,
    specimens,
    spot_places,
    spots,
    structures,
)
from training.evaluation.tables import Row

_FRAMES = 8
_SPOT_PHOTONS = (200.0, 2000.0)


def tables(plugin: Plugin, count: int, stack: Path | None) -> Iterator[tuple[str, list[Row]]]:
    """Score everything; heading and rows of each table.

    Parameters
    ----------
    plugin : Plugin
        The models.
    count : int
        Number of rendered specimens of each kind.
    stack : Path, optional
        A real stack (Z, Y, X).
    """
    yield (
        "Held-out kinds and optics, 2 to 5 px, 20 to 500 photons",
        list(restoration(plugin, count)),
    )
    yield "Single spots", [spot_scores(plugin, count)]
    yield "Empty ground", [empty_scores(plugin, count)]
    yield "Nuclei, by Otsu's threshold", [nuclei_scores(plugin, count)]
    yield "A static scene over time", [time_scores(plugin, count)]
    yield "skimage's cell, blurred and counted", list(micrographs.score_cell(plugin))
    if stack is not None:
        yield "Planes beside the sharpest", list(micrographs.score_stack(stack, plugin))
        yield "The sharpest plane", [micrographs.best_planes(stack, plugin)]


def restoration(plugin: Plugin, count: int) -> Iterator[Row]:
    """Score the PSNR of each method, its gain, and the error of the total intensity."""
    scenes = [frames[0] for frames in specimens(count, seed=31)]
    methods: dict[str, Callable[[Specimen], measures.Image]] = {
        "input": lambda scene: scene.counts,
        "Richardson-Lucy, at its best": best_richardson_lucy,
        "ours, estimated map": lambda scene: plugin.restore(scene.counts.astype(np.float32)),
        "the same, in whole counts": lambda scene: plugin.restore(scene.counts),
        "ours, true radius": lambda scene: plugin.restore(
            scene.counts.astype(np.float32), scene.radius
        ),
    }
    before = [measures.psnr(scene.counts, scene.sharp) for scene in scenes]
    for name, method in methods.items():
        images = [method(scene) for scene in scenes]
        after = [measures.psnr(*pair) for pair in zip(images, _sharp(scenes), strict=True)]
        gain = mean_interval(np.subtract(after, before))
        totals = [
            abs(float((image.astype(float) - scene.counts).sum())) / float(scene.light.sum())
            for image, scene in zip(images, scenes, strict=True)
        ]
        yield {
            "method": name,
            "psnr": float(np.mean(after)),
            "gain": f"{gain.mean:+.2f} ({gain.low:+.2f} to {gain.high:+.2f})",
            "worse": int((np.subtract(after, before) < 0).sum()),
            "total off by, mean": f"{np.mean(totals):.2%}",
            "total off by, most": f"{np.max(totals):.2%}",
        }


def spot_scores(plugin: Plugin, count: int) -> Row:
    """Score the intensities of single spots, and the rings around them."""
    places = spot_places(SIDE + 2 * MARGIN).numpy() - MARGIN
    errors: dict[str, list[float]] = {"input": [], "ours": []}
    pairs = []
    rings: dict[str, list[float]] = {"ours": [], "Richardson-Lucy": []}
    for (scene,) in specimens(count, 37, spots, _SPOT_PHOTONS):
        aperture = scene.radius + 4
        image = plugin.restore(scene.counts)
        truth = measures.aperture_sums(scene.sharp, places, aperture)
        for name, values in (("input", scene.counts), ("ours", image)):
            sums = measures.aperture_sums(values, places, aperture)
            errors[name] += list(np.abs(sums / truth - 1))
        pairs += list(zip(sums, truth, strict=True))
        for name, restored in (("ours", image), ("Richardson-Lucy", best_richardson_lucy(scene))):
            dip = measures.deepest_ring(restored, scene.sharp, places, aperture)
            rings[name].append(dip)
    return {
        **{f"median error, {name}": f"{np.median(values):.1%}" for name, values in errors.items()},
        "correlation, ours": float(np.corrcoef(np.log(np.maximum(pairs, 1e-3)).T)[0, 1]),
        **{f"rings, {name}": f"{np.mean(dips):.2%} of the peak" for name, dips in rings.items()},
    }


def empty_scores(plugin: Plugin, count: int) -> Row:
    """Score the change of a background that holds only noise."""
    ground = np.s_[:, SIDE // 2 + 16 :]
    changes, shifts, before, after = [], [], 0, 0
    for (scene,) in specimens(count, 41, half_empty):
        image = plugin.restore(scene.counts)
        low, high = float(scene.counts.min()), float(scene.counts.max())
        change = (image[ground].astype(float) - scene.counts[ground]) / (high - low)
        changes.append(float(np.abs(change).mean()))
        shifts.append(abs(float(change.mean())))
        before += measures.count_spots(scene.counts[ground], low, high)
        after += measures.count_spots(image[ground], low, high)
    return {
        "mean change": f"{np.mean(changes):.2%} of the range",
        "change of the mean": f"{np.mean(shifts):.3%}",
        "spots before": before,
        "spots after": after,
    }


def nuclei_scores(plugin: Plugin, count: int) -> Row:
    """Return Dice scores before and after, in optics held out of training."""
    before, after = [], []
    for (scene,) in specimens(count, 43, partial(structures, kinds=("nuclei",))):
        before.append(measures.overlap(scene.counts.astype(float), scene.sharp))
        after.append(measures.overlap(plugin.restore(scene.counts).astype(float), scene.sharp))
    return {"before": float(np.mean(before)), "after": float(np.mean(after))}


def time_scores(plugin: Plugin, count: int) -> Row:
    """Score the variation over time of a static scene, before and after."""
    before, after = [], []
    for frames in specimens(max(1, count // 4), 47, frames=_FRAMES):
        series = np.stack([frame.counts for frame in frames])
        before.append(measures.flicker(series))
        after.append(measures.flicker(plugin.restore(series)))
    shares = np.divide(after, before)
    return {"output over input, mean": float(shares.mean()), "most": float(shares.max())}


def format_tables(tables: Iterable[tuple[str, list[Row]]]) -> Iterator[str]:
    """Format each table as Markdown."""
    for heading, rows in tables:
        names = list(rows[0])
        lines = [" | ".join(names), " | ".join("---" for _ in names)]
        lines += [" | ".join(_format_cell(row[name]) for name in names) for row in rows]
        yield f"{heading}:\n\n" + "\n".join(f"| {line} |" for line in lines) + "\n"


def _sharp(scenes: Iterable[Specimen]) -> list[measures.Image]:
    return [scene.sharp for scene in scenes]


def _format_cell(value: str | float) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
