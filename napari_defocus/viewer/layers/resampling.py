"""Maps resampled to the pixels of an image that lies elsewhere in the world."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from .geometry import FloatArray
from .window import Window

#: Largest distance in pixels at which pixels of map and image count as the same.
_SAME = 0.01
#: Deviation from whole numbers that is taken for a rounding error.
_ROUNDING = 1e-6
#: Approximate number of pixels that are resampled at a time.
_PART = 1 << 21


@dataclass(frozen=True)
class PixelTransform:
    """Places of an image's pixels in a map layer.

    Parameters
    ----------
    matrix, offset : (M, N) and (M,) float array
        Affine transform from the N axes of the image to the M axes of the map.
    window : Window
        Region of the image.
    """

    matrix: FloatArray
    offset: FloatArray
    window: Window

    @property
    def start(self) -> FloatArray:
        """Place in the map of the region's first pixel."""
        return np.asarray(self.matrix @ np.array(self.window.start) + self.offset)

    def as_slices(self) -> tuple[slice, ...] | None:
        """Return the part of the map that covers the region, None if its pixels lie otherwise."""
        axes, count = self.matrix.shape
        size = np.array(self.window.shape)
        first = np.rint(self.start)
        bent = np.abs(self.matrix - np.eye(count)[count - axes :]) @ (size - 1)
        if np.any(bent + np.abs(self.start - first) > _SAME):
            return None
        last = first + size[-axes:]
        return tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))

    def covered_by(self, shape: tuple[int, ...]) -> bool:
        """Return whether a map of a shape covers the region.

        In Y and X a margin of one pixel may be missing, as copies of half the size lack it.
        """
        low, high = self._extent()
        margin = np.full(len(shape), 0.5 + _ROUNDING)
        margin[-2:] = 1
        return bool(np.all(low >= -margin) and np.all(high <= np.array(shape) - 1 + margin))

    def resample(self, values: Any, *, order: int) -> npt.NDArray[np.float32]:
        """Return the values of a map at the region's pixels.

        Parameters
        ----------
        values : (..., Y, X) array
            The map. Beyond its border the nearest pixels count.
        order : {0, 1}
            0 for the nearest pixel, 1 for linear interpolation.

        Returns
        -------
        (..., Y, X) float32 array
            Of the region's shape, without leading axes along which the map does not change.
        """
        from scipy.ndimage import map_coordinates

        box, corner = self._box(np.shape(values))
        source = np.asarray(values[box], dtype=np.float32)
        shape = self.window.shape[self._constant_axes() :]
        result = np.empty(shape, np.float32)
        for place, coordinates in self._parts(len(shape)):
            near = np.rint(coordinates)
            exact = np.where(np.abs(coordinates - near) < _ROUNDING, near, coordinates)
            result[place] = map_coordinates(source, exact - corner, order=order, mode="nearest")
        return result

    def _parts(self, count: int) -> Iterator[tuple[tuple[Any, ...], FloatArray]]:
        """Yield indices of parts of the last `count` axes, and the (M, y, x) places of them."""
        *leading, height, width = self.window.shape[-count:]
        lead, y, x = self.matrix[:, -count:-2], self.matrix[:, -2], self.matrix[:, -1]
        rows = max(_PART // width, 1)
        for index in np.ndindex(*leading):
            start = self.start + lead @ np.array(index, dtype=float)
            for top in range(0, height, rows):
                part = slice(top, min(top + rows, height))
                down = np.arange(part.start, part.stop)[:, None]
                across = np.arange(width)
                places = [s + b * down + a * across for s, b, a in zip(start, y, x, strict=True)]
                yield (*index, part), np.stack(places)

    def _constant_axes(self) -> int:
        """Return how many leading axes of the image do not matter to the map."""
        changes = np.any(np.abs(self.matrix[:, :-2]) > _ROUNDING, axis=0)
        return int(np.argmax(changes)) if changes.any() else len(changes)

    def _extent(self) -> tuple[FloatArray, FloatArray]:
        ends = zip(self.window.start, np.array(self.window.stop) - 1, strict=True)
        corners = np.array(list(product(*ends))) @ self.matrix.T + self.offset
        return corners.min(axis=0), corners.max(axis=0)

    def _box(self, shape: tuple[int, ...]) -> tuple[tuple[slice, ...], FloatArray]:
        """Return the part of a map that is needed, and its first index as (M, 1, 1)."""
        low, high = self._extent()
        first = np.clip(np.floor(low) - 1, 0, np.array(shape) - 1).astype(int)
        last = np.clip(np.ceil(high) + 2, first + 1, shape).astype(int)
        box = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
        return box, first.astype(float)[:, None, None]
