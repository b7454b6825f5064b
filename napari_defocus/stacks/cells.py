"""Figures of small square cells of each plane: radius, confidence, energy of detail, brightness."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from ..array_types import Array, FloatArray, Mask
from ..inference.resample import block_mean, level_shape

#: Least side of a cell in pixels, and most cells of all planes together.
_SIDE, _MOST_CELLS = 4, 2**24
#: Standard deviations in pixels of the Gaussians whose differences are the bands of detail.
_WIDTHS = (0.0, 1.0, 2.0)
#: Number of bands of detail.
BANDS = len(_WIDTHS) - 1
#: Standard deviation in cells of the windows in which energies are averaged.
_WINDOW = 1.0
#: Largest share of a cell without data, or at white, where nothing can be told.
_MOST_LOST = 0.5
#: Confidence from which on a radius counts as sure.
_LEAST_CONFIDENCE = 0.5
#: Number of independent values that an energy of detail is the mean of.
DETAIL_SAMPLES = 50
#: Least energy, relative to the square of the brightness: that of rounding errors.
_LEAST_ENERGY = 1e-12


def cell_side(planes: int, shape: Sequence[int]) -> int:
    """Return the side of the cells of so many planes (Y, X): a power of two, in pixels.

    Examples
    --------
    >>> cell_side(9, (256, 256)), cell_side(200, (2048, 2048))
    (4, 8)
    """
    side = _SIDE
    while planes * math.prod(level_shape(shape, side)) > _MOST_CELLS:
        side *= 2
    return side


@dataclass(frozen=True)
class Cells:
    """Figures of the cells of several planes.

    Parameters
    ----------
    radius, confidence : (planes, y, x) float array
        Of the maps; the radius is NaN where a cell tells nothing.
    detail : (2, planes, y, x) float array
        Logarithm of the energy of detail in each of two bands, noise included.
    brightness : (planes, y, x) float32 array
        Mean value.
    side : int
        Side of a cell in pixels.
    """

    radius: npt.NDArray[np.floating[Any]]
    confidence: npt.NDArray[np.floating[Any]]
    detail: npt.NDArray[np.floating[Any]]
    brightness: FloatArray
    side: int

    @classmethod
    def empty(cls, planes: int, shape: Sequence[int]) -> Cells:
        """Return cells, to be filled, of so many planes (Y, X)."""
        side = cell_side(planes, shape)
        size = (planes, *level_shape(shape, side))
        return cls(
            np.full(size, np.nan, np.float16),
            np.zeros(size, np.float16),
            np.zeros((BANDS, *size), np.float16),
            np.zeros(size, np.float32),
            side,
        )

    def __len__(self) -> int:
        """Return the number of planes."""
        return len(self.radius)

    def first(self, planes: int) -> Cells:
        """Return the cells of the first planes."""
        parts = self.radius, self.confidence, self.brightness
        radius, confidence, brightness = (part[:planes] for part in parts)
        return Cells(radius, confidence, self.detail[:, :planes], brightness, self.side)

    def first_look(self) -> tuple[FloatArray, FloatArray]:
        """Return radius, NaN where the map is not confident, and energy of detail (planes, N)."""
        sure = self.confidence >= _LEAST_CONFIDENCE
        radius = np.where(sure, self.radius, np.float16(np.nan)).astype(np.float32)
        energy = np.exp(self.detail[-1].astype(np.float32))
        return radius.reshape(len(self), -1), energy.reshape(len(self), -1)

    def put(self, plane: int, map_: Array, values: FloatArray, usable: Mask | None) -> None:
        """Fill in the cells of a plane, `values` being (Y, X) and without holes."""
        self.put_map(plane, map_, usable)
        self.brightness[plane] = self._average(values[None])[0]
        self.detail[:, plane] = self._measure_detail(values)

    def put_map(self, plane: int, map_: Array, usable: Mask | None) -> None:
        """Fill in radius and confidence of the cells of a plane.

        Parameters
        ----------
        plane : int
            Its number.
        map_ : (2, Y, X) float32 array
            Radius and confidence.
        usable : (Y, X) bool array, optional
            Pixels that hold data and are not saturated; None: all.
        """
        radius, confidence = np.abs(map_[0]), map_[1]
        weighted = self._average(np.stack([radius * confidence, confidence]))
        mean = weighted[0] / np.maximum(weighted[1], 1e-6)
        if usable is not None:
            lost = self._average((~usable)[None].astype(np.float32))[0] > _MOST_LOST
            mean[lost] = np.nan
        self.radius[plane], self.confidence[plane] = mean, weighted[1]

    def _measure_detail(self, values: FloatArray) -> FloatArray:
        smooth = [values if not width else _smooth(values, width) for width in _WIDTHS]
        bands = np.stack([fine - coarse for fine, coarse in pairwise(smooth)])
        energy = self._average(np.square(bands))
        for band in energy:
            band[...] = _smooth(band, _WINDOW)
        least = _LEAST_ENERGY * max(float(np.square(values).mean()), 1e-30)
        return cast(FloatArray, np.log(np.maximum(energy, least)))

    def _average(self, values: FloatArray) -> FloatArray:
        return block_mean(np.ascontiguousarray(values), self.side)


def _smooth(values: FloatArray, width: float) -> FloatArray:
    return cast(FloatArray, gaussian_filter(values, width, mode="nearest", truncate=3))
