"""Where planes are kept while they are worked on, and how large a part is taken at a time.

A plane of moderate size is worked on as a whole, in memory. A larger one is worked on block by
block, each of which is read with as much around it as matters; what lies between two passes over
it is kept in files, so that memory does not grow with the plane.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..array_types import Array
from .malloc import keep_freed_memory
from .tiles import Box, plan_tiles, round_up

#: Side in pixels of a block, at most, and in tiles where their size is given.
_BLOCK, _TILES = 2048, 4


class Planes(Protocol):
    """Anything sliced like a NumPy array (C, Y, X) or (Y, X)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its lengths, those of Y and X last."""

    def __getitem__(self, index: Any) -> Array:
        """Return a window of it."""


class WritablePlanes(Planes, Protocol):
    """Planes that can be written to, window by window."""

    def __setitem__(self, index: Any, values: Any) -> None:
        """Write a window of it."""


class ComputedPlanes:
    """Planes whose windows are computed when they are read.

    Parameters
    ----------
    shape : tuple of int
        Y and X last.
    compute : callable
        Takes rows and columns, two slices, and returns the window.

    Examples
    --------
    >>> ramp = ComputedPlanes((8, 8), lambda rows, columns: np.arange(8)[None, columns])
    >>> ramp[2:3, 4:6].tolist()
    [[4, 5]]
    """

    def __init__(self, shape: tuple[int, ...], compute: Callable[[slice, slice], Array]) -> None:
        self.shape = shape
        self._compute = compute

    def __getitem__(self, index: Any) -> Array:
        return self._compute(*index[-2:])


class FilePlanes:
    """An array in a file, of which only the window that is read or written is in memory.

    Parameters
    ----------
    path : pathlib.Path
        The file, which is made, of zeros.
    shape : (int, int, int)
        Of the array (C, Y, X).
    dtype : data type
        Of the array.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: Any) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self._path = path
        with path.open("xb") as file:
            file.truncate(math.prod(shape) * self.dtype.itemsize)

    def __getitem__(self, index: Any) -> Array:
        # mapped anew every time: pages that stay mapped count as memory of the process
        return np.array(np.memmap(self._path, self.dtype, "r", shape=self.shape)[index])

    def __setitem__(self, index: tuple[slice, slice, slice], values: Array) -> None:
        # written, not mapped: where a disk is full that is an error, and not a signal that kills
        channels, rows, columns = (
            range(n)[part] for n, part in zip(self.shape, index, strict=True)
        )
        lines = values.astype(self.dtype, copy=False)
        with self._path.open("r+b", buffering=0) as file:
            for channel, plane in zip(channels, lines, strict=True):
                for row, line in zip(rows, plane, strict=True):
                    pixel = (channel * self.shape[1] + row) * self.shape[2] + columns.start
                    file.seek(pixel * self.dtype.itemsize)
                    file.write(line.tobytes())


class MemoryStorage:
    """Memory for a plane that is worked on as a whole.

    Examples
    --------
    >>> MemoryStorage().blocks((100, 120), 8)
    [Box(top=0, left=0, bottom=100, right=120)]
    """

    def array(self, shape: tuple[int, ...], dtype: Any = np.float32) -> WritablePlanes:
        """Return a new array (C, Y, X) of zeros."""
        return np.zeros(shape, dtype)

    def view(self, shape: tuple[int, ...], compute: Callable[[slice, slice], Array]) -> Planes:
        """Return planes whose windows, by rows and columns, are what `compute` returns."""
        return compute(slice(0, shape[-2]), slice(0, shape[-1]))

    def blocks(self, shape: tuple[int, ...], multiple: int) -> list[Box]:
        """Cut a plane into the blocks that are worked on at a time, at multiples of `multiple`."""
        return [Box(0, 0, *shape[-2:])]


class DiskStorage(MemoryStorage):
    """Files for a plane that is worked on block by block.

    Parameters
    ----------
    folder : path
        Where the files are made.
    side : int
        Of a block, in pixels.

    Examples
    --------
    >>> DiskStorage(".", 64).blocks((100, 120), 8)[0]
    Box(top=0, left=0, bottom=56, right=64)
    """

    def __init__(self, folder: str | Path, side: int) -> None:
        self._folder, self._side = Path(folder), side
        self._count = 0

    def array(self, shape: tuple[int, ...], dtype: Any = np.float32) -> WritablePlanes:
        """Return a new array (C, Y, X) of zeros."""
        self._count += 1
        return FilePlanes(self._folder / f"{self._count}.plane", shape, dtype)

    def view(self, shape: tuple[int, ...], compute: Callable[[slice, slice], Array]) -> Planes:
        """Return planes whose windows, by rows and columns, are what `compute` returns."""
        return ComputedPlanes(shape, compute)

    def blocks(self, shape: tuple[int, ...], multiple: int) -> list[Box]:
        """Cut a plane into the blocks that are worked on at a time, at multiples of `multiple`."""
        return plan_tiles(Box(0, 0, *shape[-2:]), round_up(self._side, multiple), multiple)


@contextmanager
def memory_storage() -> Iterator[MemoryStorage]:
    """Make storage for one plane in memory, which is not given back before its work is done."""
    with keep_freed_memory():
        yield MemoryStorage()


@contextmanager
def storage_for(shape: tuple[int, ...], tile: int | str | None) -> Iterator[MemoryStorage]:
    """Make storage for one plane (..., Y, X).

    Planes above 4.2 megapixels, a block, are worked on block by block. A block has a side of 2048
    pixels, or of 4 tiles where their size is given and that is less. What lies between two passes
    is kept in the system's folder for temporary files, some 45 bytes a pixel.
    """
    side = min(_BLOCK, _TILES * tile) if isinstance(tile, int) else _BLOCK
    if shape[-2] * shape[-1] <= side**2:
        with memory_storage() as storage:
            yield storage
        return
    with tempfile.TemporaryDirectory(prefix="napari-defocus-") as folder:
        yield DiskStorage(folder, side)
