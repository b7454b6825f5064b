"""Weights of planes in the bands of an all-in-focus picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, maximum_filter

from ..array_types import FloatArray, Mask
from ..inference.resample import block_mean, upsample
from .cells import Cells
from .depth import Depth
from .pyramid import halve

#: Blur radius in pixels up to which planes are equally sharp in the finest band. It doubles from
#: band to band.
_EQUAL = 0.3
#: How many times that radius is larger where detail is all noise.
_IN_NOISE = 10.0
#: Weight, beside an edge in depth, of the planes of the other side.
_BESIDE = 0.3
#: Bands in which pixels, not cells, choose between planes.
_CHOOSING = 3
#: Standard deviation in pixels of the window in which a pixel's detail is measured.
_WINDOW = 2.0
#: Deviation in brightness, in shares of the contrast, by which a plane shows something else.
_DISAGREEMENT = 0.02
#: Weight of planes that are far from focus, for pixels that the others lack.
_FAR = 1e-7


@dataclass(frozen=True)
class Weights:
    """Weights of the planes of a stack.

    Parameters
    ----------
    depth : Depth
        Where each cell is in focus.
    cells : Cells
        Figures of the planes' cells.
    shapes : sequence of (int, int)
        Shapes of the bands, the finest first.
    """

    depth: Depth
    cells: Cells
    shapes: Sequence[tuple[int, int]]
    _agreed: FloatArray = field(init=False, repr=False)
    _tolerance: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        brightness = self.cells.brightness
        object.__setattr__(self, "_agreed", _at_depth(brightness, self.depth.depth))
        contrast = float(np.subtract(*np.quantile(self._agreed, [0.99, 0.01])))
        object.__setattr__(self, "_tolerance", max(_DISAGREEMENT * contrast, 1e-12))

    def of_plane(self, plane: int, values: FloatArray, valid: Mask | None) -> list[FloatArray]:
        """Return the weights (y, x) of a plane in each band.

        Parameters
        ----------
        plane : int
            Its number.
        values : (Y, X) float32 array
            Mean of its colors, without holes.
        valid : (Y, X) bool array, optional
            Pixels that hold data; None: all.
        """
        distance = np.abs(np.float32(plane) - self.depth.depth)
        agreement = self._agreement(plane, distance)
        choice: npt.NDArray[Any] = self._preference(values)
        mask = None if valid is None else valid.astype(np.float32)
        weights = []
        for band, shape in enumerate(self.shapes):
            near = np.maximum(1 - distance / self._reach(band), 0) * agreement
            if band < _CHOOSING:
                near = np.maximum(near, _BESIDE * maximum_filter(near, 3))
            near += _FAR / (1 + distance) ** 4
            weight = self._resize(near, band, shape)
            if band < _CHOOSING:
                weight = weight * choice
                choice = halve(choice)
            if mask is not None:
                weight = weight * mask**2
                mask = cast(FloatArray, halve(mask))
            weights.append(weight)
        return weights

    def _reach(self, band: int) -> FloatArray:
        """Return up to how many planes from focus a plane is as sharp as in focus."""
        equal = _EQUAL * 2**band * (1 + _IN_NOISE * self.depth.noise_share**2)
        return np.asarray(np.maximum(equal / self.depth.growth, 1), np.float32)

    def _agreement(self, plane: int, distance: FloatArray) -> FloatArray:
        """Return how well the brightness of a plane agrees with that in focus, 0 to 1."""
        apart = (self.cells.brightness[plane] - self._agreed) / self._tolerance
        return np.where(distance < 1, 1, 1 / (1 + apart**4)).astype(np.float32)

    def _preference(self, values: FloatArray) -> FloatArray:
        """Return the energy of detail around each pixel, in units of that of noise, from 1 on."""
        fine = values - gaussian_filter(values, 1.0, mode="nearest", truncate=3)
        energy = gaussian_filter(np.square(fine), _WINDOW, mode="nearest", truncate=3)
        noise = self._resize(np.maximum(self.depth.noise, 1e-30), 0, self.shapes[0])
        return np.asarray(np.maximum(energy / noise, 1), np.float32)

    def _resize(self, values: FloatArray, band: int, shape: tuple[int, int]) -> FloatArray:
        """Return values of cells as values of the pixels of a band."""
        pixel, side = 2**band, self.cells.side
        if pixel < side:
            resized = upsample(values[None], side // pixel, shape)
        else:
            resized = block_mean(np.ascontiguousarray(values[None]), pixel // side)
        plane: FloatArray = resized[0]
        return plane


def _at_depth(values: FloatArray, depth: FloatArray) -> FloatArray:
    """Return values (planes, y, x) interpolated at a depth."""
    low = np.clip(np.floor(depth).astype(int), 0, len(values) - 1)
    high = np.minimum(low + 1, len(values) - 1)
    share = depth - low
    first, second = (np.take_along_axis(values, part[None], 0)[0] for part in (low, high))
    return cast(FloatArray, first + share * (second - first))
