"""Laplacian pyramids whose bands are averaged over planes by weights of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import correlate1d

Floats = npt.NDArray[np.floating[Any]]

#: Binomial filter of Burt and Adelson's pyramid.
_BINOMIAL = np.array([1, 4, 6, 4, 1]) / 16
#: Least side of the coarsest band in pixels, and most bands.
_LEAST_SIDE, _MOST_BANDS = 8, 6
#: Total weight below which a place has none: no plane shows it.
_NO_WEIGHT = 1e-20


def band_shapes(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return the shapes of the bands of a plane (Y, X), the finest first.

    Examples
    --------
    >>> band_shapes((40, 33))
    [(40, 33), (20, 17), (10, 9)]
    """
    shapes = [(int(shape[0]), int(shape[1]))]
    while len(shapes) < _MOST_BANDS and min(shapes[-1]) > _LEAST_SIDE:
        height, width = shapes[-1]
        shapes.append((-(-height // 2), -(-width // 2)))
    return shapes if min(shapes[-1]) >= _LEAST_SIDE else shapes[:-1] or shapes


def halve(image: Floats) -> Floats:
    """Return an image (Y, X) at half its size."""
    smooth: Floats = image
    for axis in (0, 1):
        smooth = correlate1d(smooth, _BINOMIAL, axis=axis, mode="mirror")
        smooth = smooth[::2] if axis == 0 else smooth[:, ::2]
    return smooth


def double(image: Floats, shape: tuple[int, int]) -> Floats:
    """Return an image (Y, X) enlarged to a shape of twice its size."""
    for axis in (0, 1):
        size = list(image.shape)
        size[axis] = shape[axis]
        large = np.zeros(size, image.dtype)
        large[:: 2 if axis == 0 else 1, :: 2 if axis == 1 else 1] = image
        image = correlate1d(large, 2 * _BINOMIAL, axis=axis, mode="mirror")
    return image


class PyramidBlend:
    """Weighted mean of the bands of planes, which are added one by one in any order.

    Parameters
    ----------
    channels : int
        Channels of each plane.
    shape : (int, int)
        Height and width of a plane.
    dtype : data type
        Of the sums.

    Notes
    -----
    Burt and Adelson, "A multiresolution spline with application to image mosaics", ACM Transactions
    on Graphics 2 (1983): bands are blended over distances of their own wavelength, so that no seam
    shows.

    Examples
    --------
    >>> blend = PyramidBlend(1, (16, 16), np.float64)
    >>> for value in (1.0, 3.0):
    ...     blend.add(np.full((1, 16, 16), value), [np.ones(shape) for shape in blend.shapes])
    >>> float(blend.collapse()[0].mean())
    2.0
    """

    def __init__(self, channels: int, shape: tuple[int, ...], dtype: Any) -> None:
        self.shapes = band_shapes(shape)
        self._sums = [np.zeros((channels, *band), dtype) for band in self.shapes]
        self._weights = [np.zeros(band, dtype) for band in self.shapes]

    def add(self, plane: Sequence[Floats] | Floats, weights: Sequence[Floats]) -> None:
        """Add a plane (C, Y, X) with the weights (y, x) of each of its bands."""
        for total, part in zip(self._weights, weights, strict=True):
            total += part
        for channel, image in enumerate(plane):
            for band, part in enumerate(weights):
                if band == len(weights) - 1:
                    self._sums[band][channel] += part * image
                    continue
                small = halve(image)
                detail = image - double(small, self.shapes[band])
                self._sums[band][channel] += part * detail
                image = small

    def collapse(self) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return the mean (C, Y, X), and where (Y, X) any plane had a weight in the finest band."""
        covered = self._weights[0] > _NO_WEIGHT
        for sums, weights in zip(self._sums, self._weights, strict=True):
            sums /= np.maximum(weights, _NO_WEIGHT)
        result = []
        for channel in range(len(self._sums[0])):
            image = self._sums[-1][channel]
            for band in range(len(self.shapes) - 2, -1, -1):
                image = double(image, self.shapes[band]) + self._sums[band][channel]
            result.append(image)
        return np.stack(result), covered
