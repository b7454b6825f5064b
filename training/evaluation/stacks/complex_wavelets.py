"""Extended depth of field by complex wavelets, as Forster et al. describe it.

Forster, Van De Ville, Berent, Sage and Unser, "Complex wavelets for extended depth-of-field: a new
method for the fusion of multichannel microscopy images", Microscopy Research and Technique 65
(2004).
The wavelets are the symmetric complex ones of six taps of Lina and Mayrand, "Complex Daubechies
wavelets", Applied and Computational Harmonic Analysis 2 (1995).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

Complex = NDArray[np.complexfloating[Any, Any]]
Floats = NDArray[np.floating[Any]]

_ROOT = 1j * np.sqrt(15)
_HALF = np.array([-3 + _ROOT, 5 + _ROOT, 30 - 2 * _ROOT]) / (32 * np.sqrt(2))
#: Low-pass and high-pass filter.
_LOW = np.concatenate([_HALF, _HALF[::-1]])
_HIGH = np.conj(_LOW[::-1]) * (-1.0) ** np.arange(6)
#: Most scales, and least side of the coarsest one in pixels.
_SCALES, _LEAST_SIDE = 10, 8
#: Side in coefficients of the window in which most have to come from the same plane.
_WINDOW = 3


def extended_depth_of_field(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return planes (K, Y, X) or (K, Y, X, 3) merged.

    Of each coefficient the largest in magnitude is taken. Where two of three orientations come from
    one plane, so does the third; and where most of the neighbors come from another plane, a
    coefficient follows them. In the end each pixel takes the value, or color, of the plane that is
    nearest to the merged one, so that no value appears that is in no plane.
    """
    gray = _gray(planes)
    shape = gray.shape[1:]
    scales = _count_scales(shape)
    multiple = 2**scales
    margins = [(0, -length % multiple) for length in shape]
    coefficients = [_decompose(np.pad(plane, margins, mode="symmetric"), scales) for plane in gray]
    merged = _compose(_select(coefficients))[: shape[0], : shape[1]]
    nearest = np.abs(gray - merged).argmin(axis=0)
    index = nearest[None] if planes.ndim == 3 else nearest[None, ..., None]
    result: NDArray[np.uint8] = np.take_along_axis(planes, index, 0)[0]
    return result


def _gray(planes: NDArray[np.uint8]) -> Floats:
    """Return planes as gray, colors weighted by their first principal component."""
    if planes.ndim == 3:
        return planes.astype(float)
    colors = planes.reshape(-1, 3).astype(float)
    _, vectors = np.linalg.eigh(np.cov(colors, rowvar=False))
    weights = np.abs(vectors[:, -1])
    return np.asarray(planes @ (weights / weights.sum()))


def _count_scales(shape: tuple[int, ...]) -> int:
    scales = 1
    while scales < _SCALES and min(shape) >= 2 * _LEAST_SIDE * 2**scales:
        scales += 1
    return scales


def _decompose(plane: Floats, scales: int) -> list[Complex]:
    """Return the orientations (3, y, x) of each scale, the finest first, and the rest (1, y, x)."""
    parts: list[Complex] = []
    rest: Complex = plane.astype(complex)
    for _ in range(scales):
        rows = [_analyze(rest, kernel, 0) for kernel in (_LOW, _HIGH)]
        bands = [_analyze(part, kernel, 1) for part in rows for kernel in (_LOW, _HIGH)]
        rest = bands[0]
        parts.append(np.stack(bands[1:]))
    return [*parts, rest[None]]


def _compose(parts: list[Complex]) -> Floats:
    *details, last = parts
    rest = last[0]
    for detail in reversed(details):
        bands = [rest, *detail]
        rows = [
            _synthesize(bands[2 * half], _LOW, 1) + _synthesize(bands[2 * half + 1], _HIGH, 1)
            for half in (0, 1)
        ]
        rest = _synthesize(rows[0], _LOW, 0) + _synthesize(rows[1], _HIGH, 0)
    return np.asarray(rest.real)


def _analyze(image: Complex, kernel: Complex, axis: int) -> Complex:
    """Return every second sample along an axis of a correlation, periodic."""
    shifted = (np.roll(image, -tap, axis) * np.conj(value) for tap, value in enumerate(kernel))
    total: Complex = np.sum(list(shifted), axis=0)
    return total.take(range(0, image.shape[axis], 2), axis)


def _synthesize(image: Complex, kernel: Complex, axis: int) -> Complex:
    """Return what `_analyze` is the adjoint of."""
    shape = list(image.shape)
    shape[axis] *= 2
    large = np.zeros(shape, complex)
    large[(slice(None),) * axis + (slice(None, None, 2),)] = image
    total: Complex = np.sum(
        [np.roll(large, tap, axis) * value for tap, value in enumerate(kernel)], axis=0
    )
    return total


def _select(coefficients: list[list[Complex]]) -> list[Complex]:
    """Return the coefficients of the merged plane; of the rest, which is not detail, the mean."""
    *scales, rests = zip(*coefficients, strict=True)
    selected: list[Complex] = []
    for scale in scales:
        parts = np.stack(scale)  # (planes, orientations, y, x)
        plane = _follow_neighbors(_agree(np.abs(parts).argmax(axis=0)), len(parts))
        selected.append(np.take_along_axis(parts, plane[None], 0)[0])
    return [*selected, np.mean(rests, axis=0)]


def _agree(plane: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the planes of three orientations, of which one follows the other two if they agree."""
    first, second, third = plane
    both = np.where(second == third, second, np.where(first == third, first, -1))
    both = np.where(first == second, first, both)
    return np.where(both >= 0, both, plane)


def _follow_neighbors(plane: NDArray[np.intp], planes: int) -> NDArray[np.intp]:
    """Return planes (orientations, y, x), of which each follows the majority around it."""
    result, most = plane.copy(), np.full(plane.shape, 0.5)
    for number in range(planes):
        share = uniform_filter((plane == number).astype(float), (0, _WINDOW, _WINDOW))
        result[share > most] = number
    return result
