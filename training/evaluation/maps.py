"""Scores of defocus maps, scene by scene."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from napari_defocus import DefocusMap
from napari_defocus.map_colors import color_limit, paint_map
from panels import Column, map_columns, save_panel, to_picture
from training.evaluation.baselines import block_matching
from training.evaluation.map_grid import grid_peaks
from training.evaluation.models_under_test import EstimatorInput, ModelUnderTest
from training.evaluation.tables import Row
from training.metrics import affine_fit, map_scores, radius_scores
from training.validation_metrics import texture_mask

Floats = NDArray[np.floating]
_CLASSICAL = "block matching"


@dataclass(frozen=True)
class MapScene:
    """A scene to map, with its true defocus where that is known.

    Attributes
    ----------
    name : str
        Of the scene.
    images : EstimatorInput
        Input of the estimators.
    picture : array
        (Y, X) or (Y, X, 3) in [0, 1], as displayed.
    truth : array, optional
        (Y, X) signed defocus, as two views show it. Without it, only the grid of maps is scored.
    unsigned : array, optional
        (Y, X) what one image shows: the size of all blur.
    valid : array
        (Y, X) bool: where the truth counts.
    in_pixels : bool
        Whether the truth is the radius in px, rather than known up to scale and offset.
    """

    name: str
    images: EstimatorInput
    picture: Floats
    truth: Floats | None
    unsigned: Floats | None
    valid: NDArray[np.bool_]
    in_pixels: bool

    def truth_for(self, defocus: DefocusMap) -> Floats:
        """Return the true radius for a map, without sign for a map of one image."""
        truth = self.truth if defocus.signed else self.unsigned
        if truth is None:
            raise ValueError(f"the defocus of scene {self.name} is not known")
        return truth


def score_maps(
    scene: MapScene,
    estimators: Sequence[ModelUnderTest],
    *,
    downscale: int | str = "auto",
    panel: Path | None = None,
) -> list[Row]:
    """Score estimators on a scene, and block matching if there are two views.

    Parameters
    ----------
    scene : MapScene
        Scene to score them on.
    estimators : sequence of ModelUnderTest
        Estimators; one that needs two views is left out of a scene with one.
    downscale : int or "auto"
        Downscale of the estimation.
    panel : Path, optional
        File for a picture of the maps.

    Returns
    -------
    list of Row
        One a method.
    """
    maps = dict(_maps(scene, estimators, downscale))
    if panel is not None:
        save_panel(panel, list(_columns(scene, maps)))
    return [
        {"method": method, "scene": scene.name, **_scores(scene, defocus)}
        for method, defocus in maps.items()
    ]


def _maps(
    scene: MapScene, estimators: Sequence[ModelUnderTest], downscale: int | str
) -> Iterator[tuple[str, DefocusMap]]:
    for estimator in estimators:
        if scene.images.suits(estimator):
            yield estimator.label, scene.images.estimate(estimator, downscale)
    if scene.images.views is not None:
        left, right = (view if view.ndim == 2 else view.mean(-1) for view in scene.images.views)
        radius = block_matching(left, right)
        yield _CLASSICAL, DefocusMap(radius, np.ones_like(radius), signed=True)


def _scores(scene: MapScene, defocus: DefocusMap) -> Row:
    grid: Row = {f"grid_{n}_px": peak for n, peak in grid_peaks(defocus.radius).items()}
    if scene.truth is None:
        return grid
    estimate = defocus.radius[scene.valid]
    truth = scene.truth_for(defocus)[scene.valid]
    row: Row = dict(vars(map_scores(estimate, truth)))
    if scene.in_pixels:
        radius = radius_scores(estimate, truth)
        clear = _texture_mask(scene)[scene.valid]
        row |= {
            "mae_px": radius.mae,
            "within_1_px": radius.within,
            "textured_within_1_px": radius_scores(estimate[clear], truth[clear]).within,
            "sign": radius.sign if defocus.signed else np.nan,
        }
    return row | grid


def _texture_mask(scene: MapScene) -> NDArray[np.bool_]:
    """Return the mask (Y, X) of pixels with enough texture to estimate blur."""
    planes = torch.from_numpy(np.ascontiguousarray(scene.picture.transpose(2, 0, 1), np.float32))
    mask: NDArray[np.bool_] = texture_mask(planes[None])[0, 0].numpy()
    return mask


def _columns(scene: MapScene, maps: dict[str, DefocusMap]) -> Iterator[Column]:
    yield Column("input", to_picture(scene.picture))
    if scene.truth is None:
        for method, defocus in maps.items():
            yield from map_columns(defocus, method)[: 1 if method == _CLASSICAL else 2]
    elif scene.in_pixels:
        limit = color_limit(scene.truth)
        for method, defocus in maps.items():
            yield from map_columns(defocus, method, limit)[: 1 if method == _CLASSICAL else 2]
        yield Column("truth", paint_map(scene.truth, signed=True, limit=limit), limit, signed=True)
    else:
        truth, valid = scene.truth, scene.valid
        for method, defocus in maps.items():
            fitted = _fit_to_truth(defocus.radius, truth, valid)
            yield Column(f"{method}, fitted", _paint(fitted, truth, valid))
        yield Column("truth (gray: unknown)", _paint(truth, truth, valid))


def _fit_to_truth(radius: Floats, truth: Floats, valid: NDArray[np.bool_]) -> Floats:
    scale, offset = affine_fit(radius[valid], truth[valid])
    return scale * radius + offset


def _paint(values: Floats, truth: Floats, valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    low, high = np.quantile(truth[valid], [0, 1])
    unit = np.clip((values - low) / max(high - low, 1e-6), 0, 1)
    return paint_map(np.where(valid, unit, np.nan), limit=1)
