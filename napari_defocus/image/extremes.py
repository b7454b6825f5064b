"""Extreme values of an image, measured part by part, without outliers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from ..array_types import Array, Mask
from .missing import fill_values, valid_mask

FloatValues = npt.NDArray[np.float64]
_Ends = tuple[float, float, float, float]

#: Share of all values, at each end, among which outliers are looked for: twice the density of hot
#: pixels that must not set white, for their number in an image varies.
_TAIL_SHARE = 2e-3
#: Smallest number of values in which outliers are looked for.
_FEWEST = 1000
#: Distance of an outlier from the values between the tails, in units of their range. Noise alone
#: reaches 0.2 (Gaussian, 65 536 pixels).
_CLEARANCE = 0.5
#: Number of fill values from which on no more are looked for.
_MOST_FILLS = 6
#: Values that are compared at a time, so that memory does not hold copies of all.
_PIECE = 1 << 20
#: Neighbors of a pixel, as steps along Y and X.
_NEIGHBORS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]


@dataclass(frozen=True)
class Extremes:
    """Extreme values of a part of an image; parts can be joined in any order.

    Parameters
    ----------
    count : int
        Number of values, without those in `few` and `outliers`.
    low : float
        Smallest of them; infinite if there is none.
    top : (K,) float64 array
        Largest of them, ascending.
    total : float
        Their sum.
    few : Counter of float
        Values of parts that hold two values at most, and their numbers: whether these are fill
        values, other parts show.
    outliers : Counter of float
        Fill values and hot or dead pixels, and their numbers.
    """

    count: int
    low: float
    top: FloatValues
    total: float = 0.0
    few: Counter[float] = field(default_factory=Counter)
    outliers: Counter[float] = field(default_factory=Counter)


@np.errstate(over="ignore", invalid="ignore")  # of values too far apart for any range
def extremes(
    values: Array, keep: int, nodata: float | str = "auto", inner: slice = slice(None)
) -> Extremes:
    """Return the extremes of a part of an image.

    Outliers are fill values, which lie farther from all others than 100 times their range, and hot
    or dead pixels: few, and far from the range of the others and from their neighbors.

    Parameters
    ----------
    values : (C, Y, X) array
        The part, with the rows beside it, which are looked at as neighbors.
    keep : int
        Number of the largest values that are kept.
    nodata : float, "none" or "auto"
        Value that is left out; if it is "none", fill values are not looked for.
    inner : slice
        The rows that belong to the part.
    """
    part = values[:, inner]
    valid = valid_mask(values, nodata)
    mask = None if valid is None else valid[:, inner]
    numbers = part.reshape(-1) if mask is None else part[mask]
    if numbers.size == 0:
        return Extremes(0, np.inf, np.empty(0))
    ends = _ends(numbers)
    if ends is None:
        least, most = numbers.min(), numbers.max()
        few = Counter({float(v): int(np.count_nonzero(numbers == v)) for v in (least, most)})
        return Extremes(0, np.inf, np.empty(0), few=few)
    outliers = Counter[float]() if nodata == "none" else _find_fills(numbers, ends)
    for fill in outliers:
        valid = (values != fill) if valid is None else valid & (values != fill)
    if outliers:
        assert valid is not None
        numbers = part[valid[:, inner]]
    lonely = _lonely(values, valid, numbers, inner)
    if lonely is not None:
        outliers.update(map(float, part[lonely]))
        numbers = part[~lonely if valid is None else valid[:, inner] & ~lonely]
    return _of_numbers(numbers, keep, outliers)


def _ends(numbers: Array) -> _Ends | None:
    """Return the two smallest and the two largest values; None if there are two values at most."""
    least, most = numbers.min(), numbers.max()
    ends = []
    for start in range(0, numbers.size, _PIECE):
        piece = numbers[start : start + _PIECE]
        between = piece[(piece > least) & (piece < most)]
        if between.size:
            ends.append((between.min(), between.max()))
    if not ends:
        return None
    second, second_most = min(low for low, _ in ends), max(high for _, high in ends)
    return float(least), float(second), float(second_most), float(most)


def _find_fills(numbers: Array, ends: _Ends | None) -> Counter[float]:
    """Return the fill values among numbers, the farthest first, and how often they occur."""
    fills: Counter[float] = Counter()
    while ends is not None and len(fills) < _MOST_FILLS:
        outermost = fill_values(*ends, dtype=numbers.dtype)
        if not outermost:
            break
        for fill in outermost:
            fills[fill] = int(np.count_nonzero(numbers == fill))
        numbers = numbers[~np.isin(numbers, list(outermost))]
        ends = _ends(numbers)
    return fills


def _of_numbers(numbers: Array, keep: int, outliers: Counter[float]) -> Extremes:
    top = numbers if numbers.size <= keep else np.partition(numbers, numbers.size - keep)[-keep:]
    return Extremes(
        numbers.size,
        float(numbers.min()),
        np.sort(top.astype(np.float64)),
        float(numbers.sum(dtype=np.float64)),
        outliers=outliers,
    )


def _lonely(values: Array, valid: Mask | None, numbers: Array, inner: slice) -> Mask | None:
    """Return which pixels of a part are far from the core of its values and from their neighbors.

    At most one neighbor of a hot pixel may be as bright as the brightest of the core; a spot that
    an optical system shows has more.

    Parameters
    ----------
    values, valid, inner
        The part, with the rows beside it; which values hold data; the rows of the part.
    numbers : (N,) array
        The part's values that hold data.
    """
    place = int(numbers.size * _TAIL_SHARE)
    if numbers.size < _FEWEST:
        return None
    ordered = np.partition(numbers, [place, numbers.size - 1 - place])
    low, high = float(ordered[place]), float(ordered[numbers.size - 1 - place])
    clearance = _CLEARANCE * (high - low)
    if clearance == 0:
        return None
    part = values[:, inner]
    mask = np.zeros(part.shape, bool)
    for sign, edge, end in ((1, high, numbers.max()), (-1, -low, numbers.min())):
        if sign * float(end) <= edge + clearance:
            continue
        limit = sign * (edge + clearance)
        far = part > limit if sign > 0 else part < limit
        if valid is not None:
            far &= valid[:, inner]
        places = np.nonzero(far)
        channel, y, x = places
        support = second_neighbor(values, valid, (channel, y + (inner.start or 0), x), sign)
        mask[places] |= support <= edge
    return mask if mask.any() else None


def second_neighbor(
    values: Array, valid: Mask | None, places: tuple[Array, ...], sign: int = 1
) -> FloatValues:
    """Return the second largest neighbor of pixels; with sign -1, of the negative values.

    Parameters
    ----------
    values : (C, Y, X) array
        The image.
    valid : (C, Y, X) bool array, optional
        Pixels that hold data.
    places : (array, array, array)
        Channel, row and column of each pixel.
    sign : {1, -1}
        Factor of the values.
    """
    channel, y, x = places
    height, width = values.shape[1:]
    around = np.full((len(_NEIGHBORS), y.size), -np.inf)
    for row, (dy, dx) in zip(around, _NEIGHBORS, strict=True):
        inside = (y + dy >= 0) & (y + dy < height) & (x + dx >= 0) & (x + dx < width)
        index = channel[inside], y[inside] + dy, x[inside] + dx
        there = sign * values[index].astype(np.float64)
        row[inside] = there if valid is None else np.where(valid[index], there, -np.inf)
    second: FloatValues = np.partition(around, -2, axis=0)[-2]
    return second


def join_extremes(parts: Iterable[Extremes], keep: int) -> Extremes:
    """Return the extremes of the whole from those of its parts."""
    parts = list(parts)
    return Extremes(
        sum(part.count for part in parts),
        min(part.low for part in parts),
        np.sort(np.concatenate([part.top for part in parts]))[-keep:],
        sum(part.total for part in parts),
        sum((part.few for part in parts), Counter()),
        sum((part.outliers for part in parts), Counter()),
    )


def settle_few(values: Extremes, keep: int, is_fill: Callable[[float, Extremes], bool]) -> Extremes:
    """Return extremes in which the values of parts that hold few of them count or are outliers.

    Parameters
    ----------
    values : Extremes
        Of the whole image.
    keep : int
        As for :func:`join_extremes`.
    is_fill : callable
        Whether a value is far from all others, given the extremes of the others.
    """
    rest = replace(values, few=Counter())
    parts = [rest]
    for value, count in values.few.items():
        if rest.count and is_fill(value, rest):
            parts.append(Extremes(0, np.inf, np.empty(0), outliers=Counter({value: count})))
        else:
            copies = np.full(min(count, keep), value)
            parts.append(Extremes(count, value, copies, value * count))
    return join_extremes(parts, keep)
