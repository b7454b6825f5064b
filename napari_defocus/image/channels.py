"""Channels of a color image that have nothing to do with each other, as in fluorescence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..array_types import Array, FloatArray, Mask
from .layout import Layout, is_dask, window_index
from .missing import valid_mask

if TYPE_CHECKING:
    from ..options import Options

#: Side of the windows that are looked at, and how many at most along an axis and of planes.
_WINDOW, _ALONG, _PLANES = 256, 4, 4
#: Sizes of the pixels, in pixels of the image, whose detail is compared: noise hides it at some.
_SCALES = (1, 2, 4, 8)
#: Side of the tiles within which detail is compared.
_TILE = 16
#: Correlation of local detail below which channels have nothing to do with each other. In 146
#: photographs, half of them blurred (sigma 8 px) and noisy (8 of 255), the best pair of channels is
#: above 0.65; in pictures drawn in random colors above 0.45; of different specimens, below 0.15.
_UNRELATED = 0.3
#: Detail of pixels four times as large, in units of that of single ones, that noise does not reach:
#: it has 0.25, or 0.5 if neighbors were averaged; spots of sigma 1 px have 1.2.
_STRUCTURE = 0.75
#: Values whose squares float32 can hold, and those of their inverses.
_LARGEST = 1e15


def has_independent_channels(image: Any, layout: Layout) -> bool:
    """Return whether a color image holds fluorescence: channels without a common scene.

    In photographs the same edges show in all channels, if with another sign, for light and shade
    fall on all colors. Detail is compared within small tiles and without its sign, so that red
    flowers on green leaves count as related. A channel that equals another one is looked at once.

    Parameters
    ----------
    image : array
        NumPy, dask, zarr or h5py; a sample of its windows is read.
    layout : Layout
        Layout of the image.

    Returns
    -------
    bool
        True if the channels that are not constant and differ are unrelated; or if there is one such
        channel, and another is constant.
    """
    windows = _as_float32(list(_sample(image, layout)))
    channels = [c for c in range(3) if any(np.ptp(window[c]) for window in windows)]
    distinct = [
        c for c in channels if all(_differs(windows, c, other) for other in channels if other < c)
    ]
    if len(distinct) == 1 and len(channels) == 3:  # gray
        return False
    if not _are_unrelated(windows, list(combinations(distinct, 2))):
        return False
    return any(_has_structure(windows, c) for c in distinct)


def find_independent_channels(
    image: Any, layout: Layout, options: Options, note: Callable[[str], None]
) -> bool:
    """Return whether the channels are to be worked on one by one, and say so if they are.

    The image is looked at only where the user leaves its kind and encoding open, and gives no range
    for each channel.
    """
    if not (layout.color and options.imaging == options.encoding == "auto"):
        return False
    if np.ndim(options.value_range) == len(layout.leading) + 2:
        return True
    if not has_independent_channels(image, layout):
        return False
    note(
        "the color channels have nothing to do with each other, as in fluorescence; each is worked "
        "on for itself, with values proportional to light; imaging='photograph' takes them for "
        "colors"
    )
    return True


def _sample(image: Any, layout: Layout) -> Iterator[Array]:
    """Yield evenly spread windows (3, y, x); values without data are 0."""
    if is_dask(image):
        import dask

        windows = dask.compute(*(image[place] for place, _ in _places(layout)))
    else:
        windows = (np.asarray(image[place]) for place, _ in _places(layout))
    for window, (_, axis) in zip(windows, _places(layout), strict=True):
        values = np.moveaxis(window, axis, 0)[:3]
        valid = valid_mask(values, layout.nodata)
        yield values if valid is None else np.where(valid, values, values.dtype.type(0))


def _as_float32(windows: list[Array]) -> list[FloatArray]:
    """Return windows as float32, divided by the largest value if squares are beyond its range."""
    largest = max(abs(float(end)) for window in windows for end in (window.min(), window.max()))
    if largest == 0 or 1 / _LARGEST < largest < _LARGEST:
        return [window.astype(np.float32) for window in windows]
    return [(window / largest).astype(np.float32) for window in windows]


def _places(layout: Layout) -> Iterator[tuple[tuple[int | slice, ...], int]]:
    """Yield the index of each window of the sample, and the axis of the channels in it."""
    height, width = layout.map_shape[-2:]
    number = int(np.prod(layout.leading, dtype=np.int64))
    for plane in np.unique(np.linspace(0, number - 1, _PLANES).astype(int)):
        index = tuple(int(i) for i in np.unravel_index(plane, layout.leading or (1,)))
        for rows, columns in product(_spread(height), _spread(width)):
            place, axis = window_index(layout, index[: len(layout.leading)], (rows, columns))
            assert axis is not None
            yield place, axis


def _spread(length: int) -> list[slice]:
    """Return evenly spread windows along an axis, the whole axis if it is short."""
    number = min(_ALONG, -(-length // _WINDOW))
    starts = np.linspace(0, max(length - _WINDOW, 0), number).astype(int)
    return [slice(int(start), int(start) + _WINDOW) for start in starts]


def _differs(windows: list[FloatArray], one: int, other: int) -> bool:
    return any((window[one] != window[other]).any() for window in windows)


def _has_structure(windows: list[FloatArray], channel: int) -> bool:
    """Return whether a channel holds more than noise."""
    if min(windows[0].shape[1:]) < 8:
        return False
    fine, coarse = (
        sum(float((_gradients(_shrink(window[channel], scale)) ** 2).mean()) for window in windows)
        for scale in (1, 4)
    )
    return coarse > _STRUCTURE**2 * fine


def _are_unrelated(windows: list[FloatArray], pairs: Sequence[tuple[int, int]]) -> bool:
    """Return whether local detail of all pairs of channels, without its sign, is unlike.

    It is at all scales, and the first pair alike ends the comparison.
    """
    for scale in _SCALES:
        details: dict[int, list[_Detail]] = {}
        for pair in pairs:
            for channel in set(pair) - set(details):
                details[channel] = [_detail(window[channel], scale) for window in windows]
            if _correlation(*(details[channel] for channel in pair)) >= _UNRELATED:
                return False
    return True


class _Detail(NamedTuple):
    """Gradients of a window as (tiles, values in each), and the sum of their squares by tile."""

    gradients: Array
    squares: Array


def _detail(values: Array, scale: int) -> _Detail:
    gradients = _gradients(_shrink(values, scale))
    if min(gradients.shape[1:]) < 1:
        return _Detail(np.zeros((0, 0)), np.zeros(0))
    tiles = _tiles(gradients)
    return _Detail(tiles, np.einsum("tv,tv->t", tiles, tiles))


def _correlation(one: list[_Detail], other: list[_Detail]) -> float:
    common = total = 0.0
    for a, b in zip(one, other, strict=True):
        common += float(np.abs(np.einsum("tv,tv->t", a.gradients, b.gradients)).sum())
        total += float(np.sqrt(a.squares * b.squares).sum())
    return common / total if total else 0.0


def _shrink(values: Array, scale: int) -> Array:
    """Return means of blocks of pixels, with a power of two as side."""
    while scale > 1:
        height, width = (n // 2 * 2 for n in values.shape)
        whole = values[:height, :width]
        rows = whole[::2] + whole[1::2]
        values, scale = (rows[:, ::2] + rows[:, 1::2]) / 4, scale // 2
    return values


def _gradients(values: Array) -> FloatArray:
    """Return the differences (2, y, x) to the next pixel below and to the right."""
    below = values[1:, :-1] - values[:-1, :-1]
    return np.stack([below, values[:-1, 1:] - values[:-1, :-1]])


def _tiles(gradients: FloatArray) -> FloatArray:
    """Return gradients as (tiles, values in each); what is left over at the edges is dropped."""
    _, height, width = gradients.shape
    side = min(_TILE, height, width)
    rows, columns = height // side, width // side
    cut = gradients[:, : rows * side, : columns * side].reshape(2, rows, side, columns, side)
    return cut.transpose(1, 3, 0, 2, 4).reshape(rows * columns, -1).astype(np.float64)


def channels_that_share(parts: Iterable[tuple[Array, Mask | None]]) -> list[tuple[int, ...]]:
    """Return with which channels, itself among them, each color channel shares its change.

    A constant channel shares with none: it stays as it is. Equal channels share theirs, so that a
    neutral picture stays neutral.

    Parameters
    ----------
    parts : iterable of ((C, y, x) array, (C, y, x) bool array or None)
        Parts of a plane, and which of their values hold data, if not all.

    Examples
    --------
    >>> red_and_blue = np.stack([np.eye(4), np.ones((4, 4)), np.eye(4)])
    >>> channels_that_share([(red_and_blue, None)])
    [(0, 2), (), (0, 2)]
    """
    first: dict[int, Any] = {}
    varied: set[int] = set()
    different: set[tuple[int, int]] = set()
    number = 0
    for values, valid in parts:
        number = min(len(values), 3)
        pairs = list(combinations(range(number), 2))
        for c in set(range(number)) - varied:
            channel = values[c] if valid is None else values[c][valid[c]]
            if channel.size and (channel != first.setdefault(c, channel.flat[0])).any():
                varied.add(c)
        for a, b in set(pairs) - different:
            unequal = values[a] != values[b]
            if valid is not None:
                unequal = (unequal & valid[a] & valid[b]) | (valid[a] != valid[b])
            if unequal.any():
                different.add((a, b))
        if len(varied) == number and len(different) == len(pairs):
            break
    return [
        tuple(o for o in range(number) if o == c or (min(o, c), max(o, c)) not in different)
        if c in varied
        else ()
        for c in range(number)
    ]


def share_change(change: FloatArray, shares: Sequence[tuple[int, ...]]) -> FloatArray:
    """Return the change (3, y, x) of a plane with that of constant and equal channels settled.

    Parameters
    ----------
    change : (3, y, x) float32 array
        Change of the networks' form.
    shares : sequence
        Of :func:`channels_that_share`; of a gray plane there is one.
    """
    if all(share == (c,) for c, share in enumerate(shares)):
        return change
    result = np.zeros_like(change)
    for c, share in enumerate(shares):
        if share:
            result[c] = change[list(share)].mean(axis=0, dtype=np.float32)
    return result
