"""Hot pixels of micrographs, which are hidden from networks."""

from __future__ import annotations

import numpy as np

from ..array_types import FloatArray
from ..image.extremes import second_neighbor
from ..inference.storage import MemoryStorage, Planes
from ..inference.tiles import Box

#: Display value, where white is 1, above which pixels are looked at: 1.5 times white in light.
_BEYOND_WHITE = 1.2
#: Share of its display value below which all but one of a hot pixel's neighbors lie: a fifth in
#: light. Points of a standard deviation of 0.6 px have brighter ones.
_LONELY = 0.5


def hide_hot_pixels(display: FloatArray) -> FloatArray:
    """Return a gray plane (1, Y, X) with neighbors in place of lone pixels far beyond white.

    Examples
    --------
    >>> plane = np.full((1, 5, 5), 0.25, np.float32)
    >>> plane[0, 2, 2] = 7
    >>> float(hide_hot_pixels(plane).max())
    0.25
    """
    places = np.nonzero(display > _BEYOND_WHITE)
    beside = second_neighbor(display, None, places)
    hot = beside < _LONELY * display[places]
    if not hot.any():
        return display
    hidden = display.copy()
    hidden[tuple(axis[hot] for axis in places)] = beside[hot]
    return hidden


def without_hot_pixels(display: Planes, storage: MemoryStorage) -> Planes:
    """Return planes (1, Y, X) that hide hot pixels when they are read."""
    whole = Box(0, 0, *display.shape[-2:])

    def window(rows: slice, columns: slice) -> FloatArray:
        block = Box(rows.start, columns.start, rows.stop, columns.stop)
        context = block.expand(1, whole)
        return hide_hot_pixels(display[:, *context.slices])[:, *block.relative_to(context).slices]

    return storage.compute(display.shape, window)
