"""Rows of a plane that are read in whole chunks of their file, each chunk once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..array_types import Array
from .layout import Layout

#: Bytes of a row of chunks up to which it is kept; larger ones are read again for each part.
_LARGEST_BAND = 1 << 27


class RowBuffer:
    """Rows of a plane, for parts that are read from top to bottom and overlap.

    Parameters
    ----------
    read : callable
        Returns some rows (C, rows, X) of the plane.
    height : int
        Number of rows of the plane.
    step : int
        Rows are read in multiples of this number, the height of a chunk; 1 if there are no chunks.

    Examples
    --------
    >>> plane, parts = np.arange(7)[None, :, None], []
    >>> rows = RowBuffer(lambda part: parts.append(part) or plane[:, part], 7, 4)
    >>> [rows(slice(start, start + 3)).ravel().tolist() for start in (0, 2, 4)]
    [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    >>> parts
    [slice(0, 4, None), slice(4, 7, None)]
    """

    def __init__(self, read: Callable[[slice], Array], height: int, step: int) -> None:
        self._read, self._height, self._step = read, height, step
        self._start, self._stop = 0, 0
        self._rows: Array | None = None

    def __call__(self, rows: slice) -> Array:
        """Return rows, which neither start nor end above those of the last call."""
        stop = min(rows.stop, self._height)
        kept = None if self._rows is None else self._rows[:, rows.start - self._start :]
        self._start = rows.start
        if stop > self._stop:
            end = min(-(-stop // self._step) * self._step, self._height)
            new = self._read(slice(self._stop, end))
            self._rows = new if kept is None or not kept.shape[1] else _join(kept, new)
            self._stop = end
        elif kept is not None:
            self._rows = kept
        assert self._rows is not None
        return self._rows[:, : stop - rows.start]


def _join(above: Array, below: Array) -> Array:
    return np.concatenate([above, below], axis=1)


def chunk_rows(image: Any, layout: Layout) -> int:
    """Return how many rows a chunk of an image has; 1 without chunks, or if they are very large.

    Parameters
    ----------
    image : array
        NumPy, dask, zarr or h5py.
    layout : Layout
        Layout of the image.
    """
    chunks = getattr(image, "chunks", None)
    if not isinstance(chunks, tuple) or len(chunks) != len(layout.shape):
        return 1
    axes = [axis for axis in range(len(chunks)) if axis != layout.channel_axis]
    along_y = chunks[axes[-2]]
    rows = int(max(along_y)) if isinstance(along_y, tuple) else int(along_y)
    band = rows * layout.map_shape[-1] * layout.channels * layout.dtype.itemsize
    return rows if band <= _LARGEST_BAND else 1
