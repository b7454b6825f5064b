"""Alignment of neighboring planes: shift, or similarity where the lens breathes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from ..array_types import FloatArray
from ..errors import OptionError, quote

Align = Literal["auto", "none", "shift", "similarity"]
Matrix = npt.NDArray[np.float64]
Points = npt.NDArray[np.float64]

#: Displacement in pixels below which planes are left as they are.
LEAST_MOVE = 0.25
#: Longest side of the small planes by which the coarse shift is found.
_COARSE = 256
#: Shortest side of planes that tell a motion.
_SMALLEST = 32
#: Limits of the side of the tiles whose shifts are compared, and most tiles along a side.
_TILE, _MOST_TILES = (48, 192), 6
#: Standard deviations in pixels of the band that is compared: defocus leaves it, unlike finer ones.
_BAND = (1.5, 6.0)
#: Largest error of a tile's registration, 0 to 1, that is accepted.
_MOST_ERROR = 0.5
#: Largest distance in pixels of a tile's shift from the common motion.
_TOLERANCE = 0.75
#: Fewest tiles that have to agree, and the least share of them.
_FEWEST, _LEAST_SHARE = 3, 0.4
#: Standard errors that the displacement of a corner has to exceed.
_DEVIATIONS = 4.0
#: Least standard error in pixels of that displacement from plane to plane. Blur that reverses
#: contrast moves the planes of stacks at rest by as much.
_LEAST_ERROR = 0.15
#: Standard error of the displacement of a corner, relative to that of the mean displacement.
_CORNER = 2.5
#: Standard deviation, relative to the median distance from the mean.
_DEVIATION_OF_MEDIAN = 1.48
#: Decimals of matrices that are kept: a rounding error must not move an edge out of a plane.
_DECIMALS = 9
#: Parts of a pixel to which shifts are measured.
_PARTS = 20


def check_align(align: Any) -> Align:
    """Return the kind of alignment; an OptionError unless it is one."""
    if align not in get_args(Align):
        raise OptionError(
            f"align is {quote(align)}; {', '.join(map(repr, get_args(Align)))} are accepted"
        )
    chosen: Align = align
    return chosen


@dataclass(frozen=True)
class Motion:
    """Motion from one plane to the next.

    Parameters
    ----------
    matrix : (3, 3) array
        Takes (row, column, 1) in the first plane to the place of the same thing in the second.
    gain : float
        Brightness of the second plane relative to the first.
    error : float
        Standard error in pixels of the displacement of a corner.
    """

    matrix: Matrix
    gain: float
    error: float = 0.0

    def inverse(self) -> Motion:
        """Return the motion from the second plane to the first."""
        return Motion(np.asarray(np.linalg.inv(self.matrix), float), 1 / self.gain, self.error)


#: Planes that cannot be aligned are left where they are.
STILL = Motion(np.eye(3), 1.0)


def find_motion(first: FloatArray, second: FloatArray, kind: Align) -> Motion:
    """Return the motion between two planes (Y, X), from tiles that both show alike.

    That from the second plane to the first is its inverse.

    Parameters
    ----------
    first, second : (Y, X) float32 array
        Values proportional to light.
    kind : {"shift", "similarity"}
        Whether planes may differ by their scale and rotation too.

    Notes
    -----
    The shifts of tiles are measured by their cross-correlation in a band that defocus leaves, to a
    twentieth of a pixel (Guizar-Sicairos et al., "Efficient subpixel image registration
    algorithms", Optics Letters 33, 2008). A common motion is fitted to those that agree.

    Examples
    --------
    >>> plane = gaussian_filter(np.random.default_rng(0).random((128, 128), np.float32), 2)
    >>> motion = find_motion(plane, np.roll(plane, 3, axis=0), "shift")
    >>> motion.matrix[:2, 2].round(1).tolist()
    [3.0, 0.0]
    """
    if second.std() <= first.std():
        return _from_sharper(first, second, kind)
    motion = _from_sharper(second, first, kind)
    return motion if motion is STILL else motion.inverse()


def _from_sharper(first: FloatArray, second: FloatArray, kind: Align) -> Motion:
    """Return the motion from the plane of more contrast to another."""
    if min(first.shape) < _SMALLEST:
        return STILL
    bands = [_band(plane) for plane in (first, second)]
    if not all(band.any() for band in bands):
        return STILL
    start = _coarse_shift(*bands)
    places, shifts = _tile_shifts(bands, start)
    if len(places) < min(_FEWEST, _count_tiles(first.shape)):
        return STILL
    matrix, agreeing = _fit(places, shifts, kind)
    if agreeing.sum() < max(min(_FEWEST, len(places)), _LEAST_SHARE * len(places)):
        return STILL
    gain = _gain(first, second, places[agreeing], shifts[agreeing])
    return Motion(matrix, gain, _corner_error(matrix, places, shifts))


def chain(motions: Sequence[Motion], reference: int) -> list[Motion]:
    """Return the motion from the reference plane to each plane, from those to the next one."""
    matrices, gains = [np.eye(3)], [1.0]
    variances = [0.0]
    for motion in motions:
        matrices.append(motion.matrix @ matrices[-1])
        gains.append(gains[-1] * motion.gain)
        variances.append(variances[-1] + motion.error**2 + _LEAST_ERROR**2)
    back = np.linalg.inv(matrices[reference])
    errors = np.sqrt(np.abs(np.subtract(variances, variances[reference])))
    return [
        Motion((matrix @ back).round(_DECIMALS), gain / gains[reference], error)
        for matrix, gain, error in zip(matrices, gains, errors.tolist(), strict=True)
    ]


def is_clear(motions: Sequence[Motion], shape: Sequence[int]) -> bool:
    """Return whether planes move, and by more than errors of measurement would make them."""
    return any(
        largest_move([motion], shape) > max(_DEVIATIONS * motion.error, LEAST_MOVE)
        for motion in motions
    )


def largest_move(motions: Sequence[Motion], shape: Sequence[int]) -> float:
    """Return the largest displacement in pixels of a corner."""
    height, width = shape
    corners = np.array([[y, x, 1] for y in (0, height - 1) for x in (0, width - 1)], float).T
    moved = (np.hypot(*((motion.matrix @ corners) - corners)[:2]).max() for motion in motions)
    return float(max(moved))


def _band(plane: FloatArray) -> FloatArray:
    """Return the band of a plane that is compared, of variance 1 unless it is even."""
    fine, coarse = (gaussian_filter(plane, width, mode="nearest") for width in _BAND)
    band = fine - coarse
    return np.asarray(band / (float(band.std()) or 1.0), np.float32)


def _coarse_shift(first: FloatArray, second: FloatArray) -> Points:
    """Return the shift (row, column) of whole planes, in whole steps of small ones."""
    step = max(1, -(-max(first.shape) // _COARSE))
    window = _window(first[::step, ::step].shape)
    one, other = (part[::step, ::step] * window for part in (first, second))
    shift, _ = _register(one, other, parts=1)
    limit = np.array(first.shape) / 4
    return np.where(np.abs(shift * step) < limit, shift * step, 0)


def _tile_shifts(bands: Sequence[FloatArray], start: Points) -> tuple[Points, Points]:
    """Return centers and shifts (N, 2) of the tiles that both planes show alike."""
    side = _tile_side(bands[0].shape)
    window = _window((side, side))
    offset = np.rint(start).astype(int)
    places, shifts = [], []
    for corner in _corners(bands[0].shape, side):
        other = corner + offset
        if (other < 0).any() or (other + side > bands[0].shape).any():
            continue
        tiles = [
            band[at[0] : at[0] + side, at[1] : at[1] + side] * window
            for band, at in zip(bands, (corner, other), strict=True)
        ]
        if not all(tile.any() for tile in tiles):
            continue
        shift, error = _register(tiles[0], tiles[1], parts=_PARTS)
        if error < _MOST_ERROR and (np.abs(shift) < side / 4).all():
            places.append(corner + (side - 1) / 2)
            shifts.append(shift + offset)
    return np.reshape(places, (-1, 2)), np.reshape(shifts, (-1, 2))


def _register(first: FloatArray, second: FloatArray, parts: int) -> tuple[Points, float]:
    """Return the shift from the first tile to the second, and its error from 0 to 1."""
    from skimage.registration import phase_cross_correlation

    shift, error, _ = phase_cross_correlation(
        second, first, upsample_factor=parts, normalization=None
    )
    return np.asarray(shift, float), float(error)


def _fit(places: Points, shifts: Points, kind: Align) -> tuple[Matrix, npt.NDArray[np.bool_]]:
    """Return the common motion, and which tiles agree with it."""
    middle = np.median(shifts, axis=0)
    matrix = np.eye(3)
    matrix[:2, 2] = middle
    agreeing = np.abs(shifts - middle).max(axis=1) < _TOLERANCE
    if kind == "similarity" and len(places) > _FEWEST:
        from skimage.measure import ransac
        from skimage.transform import SimilarityTransform

        model, inliers = ransac(
            (places, places + shifts),
            SimilarityTransform,
            min_samples=2,
            residual_threshold=_TOLERANCE,
            max_trials=200,
            rng=0,
        )
        if model is not None and inliers is not None and inliers.sum() > _FEWEST:
            return np.asarray(model.params), np.asarray(inliers)
    if agreeing.any():
        matrix[:2, 2] = shifts[agreeing].mean(axis=0)
    return matrix, agreeing


def _corner_error(matrix: Matrix, places: Points, shifts: Points) -> float:
    """Return the standard error of the displacement of a corner, from how tiles disagree."""
    padded = np.column_stack([places, np.ones(len(places))])
    residual = np.abs(places + shifts - (padded @ matrix.T)[:, :2])
    spread = _DEVIATION_OF_MEDIAN * float(np.median(residual)) + 0.5 / _PARTS
    return float(_CORNER * spread / np.sqrt(len(places)))


def _gain(first: FloatArray, second: FloatArray, places: Points, shifts: Points) -> float:
    """Return the median ratio of the brightness of tiles."""
    side = _tile_side(first.shape)
    ratios = []
    for place, shift in zip(places, shifts, strict=True):
        sums = []
        for plane, center in ((first, place), (second, place + shift)):
            top, left = np.maximum(np.rint(center - (side - 1) / 2).astype(int), 0)
            sums.append(float(plane[top : top + side, left : left + side].mean()))
        if min(sums) > 0:
            ratios.append(sums[1] / sums[0])
    return float(np.median(ratios)) if ratios else 1.0


def _tile_side(shape: Sequence[int]) -> int:
    least, most = _TILE
    shorter = min(shape)
    return min(int(np.clip(shorter // 4, least, most)), shorter)


def _corners(shape: Sequence[int], side: int) -> Points:
    """Return the corners (N, 2) of tiles that are spread over a plane."""
    lines = []
    for length in shape:
        count = min(max(2 * length // side - 1, 1), _MOST_TILES)
        lines.append(np.linspace(0, length - side, count).round().astype(int))
    return np.array([(top, left) for top in lines[0] for left in lines[1]])


def _count_tiles(shape: Sequence[int]) -> int:
    return len(_corners(shape, _tile_side(shape)))


def _window(shape: Sequence[int]) -> FloatArray:
    rows, columns = (np.hanning(length + 2)[1:-1] for length in shape)
    return np.asarray(rows[:, None] * columns, np.float32)
