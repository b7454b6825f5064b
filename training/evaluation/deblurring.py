"""Scores of deblurred photographs, scene by scene."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch

from napari_defocus import DefocusMap, deblur, reblur
from panels import Column, map_columns, save_panel, to_picture
from training.errors import TrainingError
from training.evaluation.baselines import DEBLURRING
from training.evaluation.blurred_scene import BlurredScene, Image
from training.evaluation.invented_detail import invented_detail
from training.evaluation.models_under_test import EstimatorInput, ModelUnderTest, ValueOptions
from training.evaluation.tables import Row
from training.lpips import Lpips
from training.metrics import no_harm, psnr, ssim

DISPLAY: ValueOptions = {"channel_axis": -1, "encoding": "srgb", "value_range": (0.0, 1.0)}
INPUT = "input"
_TILE = 256


@dataclass(frozen=True)
class Restoration:
    """Result of a method, and the map, if any, by which it is blurred again."""

    method: str
    image: Image
    defocus: DefocusMap | None = None
    by_model: bool = False


def score_deblurring(
    scene: BlurredScene,
    models: Sequence[ModelUnderTest],
    estimators: Sequence[ModelUnderTest],
    lpips: Mapping[str, Lpips],
    *,
    downscale: int | str = "auto",
    panel: Path | None = None,
) -> list[Row]:
    """Score models and classical methods on a scene.

    Parameters
    ----------
    scene : BlurredScene
        Scene to score them on.
    models : sequence of ModelUnderTest
        Models that deblur.
    estimators : sequence of ModelUnderTest
        Estimators of the maps that guide them; one that needs two views is left out of a scene with
        one. By the map of the first one, the input is blurred again, and its mean radius is that of
        the classical methods, unless the scene has true radii.
    lpips : mapping
        Perceptual distances, by the name of their column.
    downscale : int or "auto"
        Downscale of the estimation.
    panel : Path, optional
        File for a picture of the results.

    Returns
    -------
    list of Row
        One a method, the input first.
    """
    maps = _maps(scene, estimators, downscale)
    restored = list(_restorations(scene, models, maps))
    if panel is not None:
        columns = [
            Column(INPUT, to_picture(scene.blurred)),
            *map_columns(maps[0].defocus, f"map: {maps[0].name}"),
        ]
        columns += [Column(r.method, to_picture(r.image)) for r in restored if r.by_model]
        columns.append(Column("target", to_picture(scene.target)))
        save_panel(panel, columns, compared=(0, 3))
    blur = maps[0].defocus.radius if scene.blur is None else scene.blur
    return [_row(scene, restoration, blur, lpips) for restoration in restored]


@dataclass(frozen=True)
class _Map:
    name: str
    defocus: DefocusMap


def _maps(
    scene: BlurredScene, estimators: Sequence[ModelUnderTest], downscale: int | str
) -> list[_Map]:
    images = EstimatorInput(scene.blurred, scene.views, DISPLAY)
    maps = [_Map(e.label, images.estimate(e, downscale)) for e in estimators if images.suits(e)]
    if not maps:
        raise TrainingError(f"scene {scene.name} has no two views; a map model for one is needed")
    if scene.blur is not None:
        valid = np.isfinite(scene.blur)
        radius = np.where(valid, scene.blur, 0)
        maps.append(_Map("truth", DefocusMap(radius, valid.astype(np.float32), signed=False)))
    return maps


def _restorations(
    scene: BlurredScene, models: Sequence[ModelUnderTest], maps: Sequence[_Map]
) -> Iterator[Restoration]:
    first = maps[0].defocus
    yield Restoration(INPUT, scene.blurred, first)
    for model, guide in product(models, maps):
        image = deblur(scene.blurred, guide.defocus, model=model.name, **DISPLAY)
        method = f"{model.label}, map: {guide.name}"
        yield Restoration(method, image, guide.defocus, by_model=True)
    best = first if scene.blur is None else maps[-1].defocus
    radius = float(np.abs(best.radius).mean())
    for method, restore in DEBLURRING.items():
        yield Restoration(method, restore(scene.blurred, radius))
    for method, image in scene.others.items():
        yield Restoration(method, image)


def _row(
    scene: BlurredScene, restoration: Restoration, blur: Image, lpips: Mapping[str, Lpips]
) -> Row:
    image, target = restoration.image, scene.target
    row: Row = {
        "method": restoration.method,
        "scene": scene.name,
        "psnr": psnr(image, target),
        "ssim": ssim(image, target),
        "mae": float(np.abs(image - target).mean()),
        "invented": invented_detail(image, scene.blurred, target, np.nan_to_num(blur)),
        **{name: distance(_planes(image), _planes(target)) for name, distance in lpips.items()},
    }
    if restoration.defocus is not None:
        again = reblur(image, restoration.defocus, tile=_TILE, **DISPLAY)
        row["reblur"] = psnr(again, scene.blurred)
    if scene.radius is not None:
        row["no_harm"] = no_harm(scene.blurred, image, scene.radius)
    return row


def _planes(image: Image) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
