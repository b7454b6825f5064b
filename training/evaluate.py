"""Scores of models on real and on rendered scenes, as tables and panels."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from skimage.restoration import wiener
from torch import nn

from napari_defocus.api import deblur, estimate_defocus
from napari_defocus.optics.kernels import disk
from training.data.dpdd import DpddScene, dpdd_scenes
from training.data.pixel4 import Pixel4Scene, pixel4_scenes
from training.lpips import Lpips
from training.metrics import map_scores, psnr, ssim

Image = NDArray[np.float32]
Row = Mapping[str, Any]
Model = str | Path | nn.Module
_IMAGE: dict[str, Any] = {"channel_axis": -1, "encoding": "srgb", "value_range": (0.0, 1.0)}


def evaluate_dpdd(
    data: Path, lpips: Path, deblur_model: Model = "auto", map_model: Model = "auto"
) -> list[Row]:
    """Deblurring scores of the seven DPDD scenes.

    Parameters
    ----------
    data, lpips : Path
        Folders of the scenes and of the LPIPS weights.
    deblur_model, map_model : str, Path or nn.Module
        Which networks to score.

    Returns
    -------
    list of mapping
        A row for each method and scene, then a mean for each method.
    """
    distances = {
        "lpips_alex": Lpips(lpips / "alex.safetensors"),
        "lpips_squeeze": Lpips(lpips / "squeeze.safetensors"),
    }

    def rows() -> Iterator[Row]:
        for scene in dpdd_scenes(data):
            for method, image in _restorations(scene, deblur_model, map_model):
                yield {
                    "method": method,
                    "scene": scene.name,
                    **_picture_scores(image, scene.target, distances),
                }

    return with_means(list(rows()))


def _restorations(
    scene: DpddScene, deblur_model: Model, map_model: Model
) -> Iterator[tuple[str, Image]]:
    yield "input", scene.blurred
    yield "DPDNet (two views)", scene.dpdnet
    single = estimate_defocus(scene.blurred, model=map_model, **_IMAGE)
    yield "ours", deblur(scene.blurred, single, model=deblur_model, **_IMAGE)
    dual = estimate_defocus(scene.left, scene.right, **_IMAGE)
    yield "ours, map from two views", deblur(scene.blurred, dual, model=deblur_model, **_IMAGE)
    mean_radius = float(np.mean(single.radius))
    yield "unsharp mask", np.clip(2 * scene.blurred - _box(scene.blurred, 2 * mean_radius), 0, 1)
    yield "Wiener, mean radius", _wiener(scene.blurred, mean_radius)


def _picture_scores(
    image: Image, target: Image, distances: Mapping[str, Lpips]
) -> dict[str, float]:
    pair = [torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1))) for x in (image, target)]
    return {
        "psnr": psnr(image, target),
        "ssim": ssim(image, target),
        "mae": float(np.abs(image - target).mean()),
        **{name: distance(*pair) for name, distance in distances.items()},
    }


def _box(image: Image, radius: float) -> Image:
    size = 2 * max(1, round(radius)) + 1
    return uniform_filter(image, (size, size, 1))


def _wiener(image: Image, radius: float) -> Image:
    kernel = disk(max(radius, 0.5)).numpy()
    planes = [wiener(image[..., c], kernel, balance=0.01) for c in range(3)]
    return np.clip(np.stack(planes, -1), 0, 1).astype(np.float32)


def evaluate_pixel4(data: Path, map_model: Model = "auto", scale: int | str = "auto") -> list[Row]:
    """Affine-invariant map scores of the Pixel 4 scenes, both views given."""

    def rows() -> Iterator[Row]:
        for scene in pixel4_scenes(data):
            for method, radius in _maps(scene, map_model, scale):
                scores = map_scores(radius[scene.valid], scene.truth[scene.valid])
                yield {"method": method, "scene": scene.name, **vars(scores)}

    return with_means(list(rows()))


def _maps(scene: Pixel4Scene, map_model: Model, scale: int | str) -> Iterator[tuple[str, Image]]:
    found = estimate_defocus(
        scene.left,
        scene.right,
        model=map_model,
        encoding="linear",
        value_range=(0.0, 0.5),
        scale=scale,
    )
    yield "ours", found.radius
    yield "block matching", block_matching(scene.left, scene.right)


def block_matching(left: Image, right: Image, reach: int = 13, window: int = 31) -> Image:
    """Disparity in px of (Y, X) views by sum of squared differences, sub-pixel by a parabola."""
    shifts = np.arange(-reach, reach + 1)
    cost = np.stack([uniform_filter((left - np.roll(right, s, 1)) ** 2, window) for s in shifts])
    best = np.clip(cost.argmin(0), 1, len(shifts) - 2)
    below, at, above = (np.take_along_axis(cost, (best + step)[None], 0)[0] for step in (-1, 0, 1))
    bend = np.maximum(below - 2 * at + above, 1e-12)
    return np.asarray(shifts[best] + np.clip(0.5 * (below - above) / bend, -0.5, 0.5), np.float32)


def with_means(rows: list[Row]) -> list[Row]:
    """The rows, and behind them the mean over scenes of each method."""
    methods = dict.fromkeys(row["method"] for row in rows)
    return rows + [_mean(method, [r for r in rows if r["method"] == method]) for method in methods]


def _mean(method: str, rows: list[Row]) -> Row:
    scores = [key for key in rows[0] if key not in ("method", "scene")]
    means = {key: float(np.mean([row[key] for row in rows])) for key in scores}
    return {"method": method, "scene": "mean", **means}


def write_csv(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as CSV."""
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def markdown(rows: Iterable[Row]) -> str:
    """Rows as a Markdown table."""
    rows = list(rows)
    header = list(rows[0])
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    for row in rows:
        cells = (f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values())
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
