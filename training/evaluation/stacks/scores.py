"""Scores of stacks: best plane, and pictures sharp everywhere."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, maximum_filter, minimum_filter

from napari_defocus import all_in_focus, focus_profile
from panels import Column, save_panel
from training.evaluation.microscopy.specimens import OFFSET
from training.evaluation.stacks.classical import best_planes
from training.evaluation.stacks.complex_wavelets import extended_depth_of_field
from training.evaluation.stacks.enfuse import enfuse, is_installed
from training.evaluation.stacks.scenes import FocusStack, empty_stacks
from training.evaluation.tables import Row
from training.lpips import Lpips

#: Methods of merging.
OWN, SINGLE, ENFUSE = "napari-defocus", "best single plane", "enfuse"
WAVELETS = "complex wavelets"
#: Distance in pixels from an edge in depth, and height in planes of an edge.
_BESIDE, _EDGE = 10, 2.0
_SPECIMEN: dict[str, Any] = {"encoding": "linear", "imaging": "microscopy"}


def score_best_planes(stacks: Iterable[FocusStack]) -> Iterator[Row]:
    """Yield how far each method's best plane is from the truth, in planes."""
    for number, stack in enumerate(stacks):
        own = focus_profile(stack.planes, **stack.options)
        planes: dict[str, float] = {OWN: float(own.best), **best_planes(stack)}
        for method, best in planes.items():
            is_named = not np.isnan(best)
            yield {
                "method": method,
                "scene": f"{number:03d}",
                "light": stack.light,
                "kind": stack.kind,
                "error": stack.error(best) if is_named else np.nan,
                "within": float(is_named and stack.error(round(best)) <= 1),
            }


def score_empty(count: int, seed: int) -> Iterator[Row]:
    """Yield whether stacks of noise are said to show nothing, and their noise when merged."""
    for kind, planes in empty_stacks(count, seed):
        statement = focus_profile(planes, **_SPECIMEN).statement
        merged = all_in_focus(planes, **_SPECIMEN).image
        yield {
            "noise": kind,
            "nothing": float(statement == "nothing to judge by"),
            "deviation": _deviation(merged) / float(np.mean([*map(_deviation, planes)])),
        }


def _deviation(plane: NDArray[Any]) -> float:
    """Return the standard deviation of a plane from a slope."""
    rows, columns = np.indices(plane.shape)
    basis = np.stack([np.ones(plane.size), rows.ravel(), columns.ravel()], axis=1)
    values = plane.ravel().astype(float)
    residual = values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    return float(residual.std())


def score_merged(
    stacks: Iterable[FocusStack], lpips: Mapping[str, Lpips], panels: Path | None = None
) -> Iterator[Row]:
    """Yield the scores of pictures sharp everywhere, of each method on the same planes.

    Parameters
    ----------
    stacks : iterable of FocusStack
        The stacks. Those that breathe are scored in the scale of the plane that fits best; enfuse
        and complex wavelets, which do not align, are left out of them.
    lpips : mapping
        Perceptual distances, by the name of their column.
    panels : Path, optional
        Folder for pictures of the results.
    """
    for number, stack in enumerate(stacks):
        result = all_in_focus(stack.planes, **stack.options)
        planes = _display(stack, stack.planes)
        best = max(
            range(len(planes)), key=lambda p: _psnr(planes[p], _display(stack, stack.sharp_at(p)))
        )
        pictures = {
            OWN: (_display(stack, result.image), None if stack.breathes else 0),
            SINGLE: (planes[best], best),
        }
        if not stack.breathes:
            pictures |= {name: (merged, 0) for name, merged in _merge_by_others(planes)}
        for method, (picture, frame) in pictures.items():
            truth = _truth(stack, picture, frame)
            yield {
                "method": method,
                "scene": f"{number:03d}",
                "light": stack.light,
                "kind": stack.kind,
                "psnr": _psnr(picture, truth),
                "halo": _error_beside_edges(stack, picture, truth),
                **{name: _distance(measure, picture, truth) for name, measure in lpips.items()},
                **(_depth_scores(stack, result) if method == OWN else {}),
            }
        if panels is not None:
            _save_panel(panels / f"{number:03d}.png", stack, pictures, result.depth)


def _depth_scores(stack: FocusStack, result: Any) -> Row:
    """Return the error of the depth in planes, everywhere and where the picture has texture."""
    error = np.abs(result.depth - stack.depth)
    gray = _display(stack, stack.sharp).mean(-1)
    texture = maximum_filter(gray, 9) - minimum_filter(gray, 9) > 0.15
    textured = float(error[texture].mean()) if texture.any() else np.nan
    return {"depth error": float(error.mean()), "depth error, texture": textured}


def _error_beside_edges(stack: FocusStack, picture: NDArray[Any], truth: NDArray[Any]) -> float:
    """Return the root mean square error near edges in depth; NaN if there are none."""
    edges = maximum_filter(stack.depth, 3) - minimum_filter(stack.depth, 3) > _EDGE
    if not edges.any() or stack.breathes:
        return np.nan
    beside = binary_dilation(edges, iterations=_BESIDE)
    return float(np.sqrt(np.square(picture - truth)[beside].mean()))


def _truth(stack: FocusStack, picture: NDArray[Any], frame: int | None) -> NDArray[Any]:
    """Return the sharp picture in the scale of a plane, or of the one that fits best."""
    if frame is not None:
        return _display(stack, stack.sharp_at(frame))
    frames = (_display(stack, stack.sharp_at(plane)) for plane in range(len(stack.planes)))
    return max(frames, key=lambda truth: _psnr(picture, truth))


def _display(stack: FocusStack, values: NDArray[Any]) -> NDArray[np.float64]:
    """Return values as (..., Y, X, 3) from 0, black, to 1, white, of 8 bits."""
    if stack.kind == "photograph":
        return np.asarray(np.clip(values, 0, 255) / 255.0)
    unit = np.clip((values - OFFSET) / stack.white, 0, 1)
    return np.repeat(np.rint(unit * 255)[..., None] / 255, 3, -1)


def _merge_by_others(planes: NDArray[np.float64]) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield other methods' names and what they make of the same planes of 8 bits."""
    values = np.rint(planes * 255).astype(np.uint8)
    if is_installed():
        yield ENFUSE, enfuse(values) / 255.0
    yield WAVELETS, extended_depth_of_field(values) / 255.0


def _psnr(picture: NDArray[Any], truth: NDArray[Any]) -> float:
    return float(-10 * np.log10(max(np.square(picture - truth).mean(), 1e-10)))


def _distance(measure: Lpips, picture: NDArray[Any], truth: NDArray[Any]) -> float:
    pair = (torch.from_numpy(np.moveaxis(image, -1, 0).astype("f4")) for image in (picture, truth))
    return float(measure(*pair))


def _save_panel(
    path: Path, stack: FocusStack, pictures: Mapping[str, tuple[Any, Any]], depth: Any
) -> None:
    low, high = float(stack.depth.min()) - 2, float(stack.depth.max()) + 2
    columns = [Column(name, _bytes(picture)) for name, (picture, _) in pictures.items()]
    columns.insert(0, Column("truth", _bytes(_display(stack, stack.sharp))))
    for name, values in (("depth", depth), ("true depth", stack.depth)):
        shade = np.repeat(((values - low) / (high - low)).clip(0, 1)[..., None], 3, -1)
        columns.append(Column(name, _bytes(shade)))
    path.parent.mkdir(parents=True, exist_ok=True)
    save_panel(path, columns)


def _bytes(picture: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(np.clip(picture, 0, 1) * 255), np.uint8)
