"""Planes and cells resampled to the pixels of another plane."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.ndimage import affine_transform, maximum_filter, minimum_filter

from ..array_types import FloatArray, Mask
from ..inference.resample import upsample
from .alignment import Matrix, Motion
from .cells import Cells

Floats = npt.NDArray[np.floating[Any]]

#: Difference between neighboring cells that is an edge.
_EDGE = 2.0
#: Share of a pixel that has to lie within a plane.
_INSIDE = 0.999


def resample_plane(plane: Floats, valid: Mask | None, motion: Motion) -> tuple[Floats, Mask | None]:
    """Return a plane (C, Y, X) and its mask in the pixels and the brightness of the reference.

    Parameters
    ----------
    plane : (C, Y, X) float array
        Linear light, and alpha, without holes.
    valid : (Y, X) bool array, optional
        Pixels that hold data; None: all.
    motion : Motion
        From the reference to the plane.
    """
    moved = np.stack(
        [affine_transform(image, motion.matrix, order=3, mode="nearest") for image in plane]
    )
    inside = np.ones(plane.shape[1:], np.float32) if valid is None else valid.astype(np.float32)
    shown = affine_transform(inside, motion.matrix, order=1, mode="constant", cval=0.0)
    return moved, shown > _INSIDE


def resample_cells(cells: Cells, plane: int, motion: Motion) -> None:
    """Bring the cells of a plane to those of the reference; cells outside of it tell nothing."""
    matrix = _in_cells(motion.matrix, cells.side)
    for values in (cells.confidence, cells.brightness, *cells.detail):
        values[plane] = _moved(values[plane], matrix, "nearest")
    finite = np.isfinite(cells.radius[plane])
    radius = _moved(np.where(finite, cells.radius[plane], 0), matrix, "nearest")
    shown = _moved(finite, matrix, "constant") > _INSIDE
    cells.radius[plane] = np.where(shown, radius, np.nan)
    cells.brightness[plane] /= motion.gain
    cells.detail[:, plane] -= 2 * np.log(motion.gain)


def upsample_surfaces(values: FloatArray, side: int, shape: tuple[int, ...]) -> FloatArray:
    """Return values of cells (y, x) as those of pixels: even within surfaces, with sharp edges."""
    smooth = upsample(values[None], side, shape)[0]
    rough = values.repeat(side, axis=0).repeat(side, axis=1)[: shape[0], : shape[1]]
    apart = maximum_filter(values, 3) - minimum_filter(values, 3) > _EDGE
    edge = apart.repeat(side, axis=0).repeat(side, axis=1)[: shape[0], : shape[1]]
    return np.where(edge, rough, smooth)


def _moved(values: npt.NDArray[Any], matrix: Matrix, mode: str) -> FloatArray:
    result = affine_transform(values.astype(np.float32), matrix, order=1, mode=mode, cval=0.0)
    return cast(FloatArray, result)


def _in_cells(matrix: Matrix, side: int) -> Matrix:
    """Return a matrix for places in pixels as one for places in cells."""
    to_pixels = np.diag([side, side, 1.0])
    to_pixels[:2, 2] = (side - 1) / 2
    return np.linalg.inv(to_pixels) @ matrix @ to_pixels
