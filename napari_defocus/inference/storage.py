"""Storage for the intermediate planes of a computation, in memory or on disk.

A plane of moderate size is processed as a whole, in memory. A larger one is processed block by
block, each read with the surroundings that affect it; intermediate results are kept in files, so
that memory does not grow with the plane.
"""

from __future__ import annotations

import errno
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from ..array_types import Array
from ..errors import FileError, reason
from ..io.atomic import remove_leftovers, scratch_folder
from .malloc import keep_freed_memory
from .tiles import Box, plan_tiles, round_up

#: Longest side of a block: in pixels, and in tiles where their size is an option.
_BLOCK, _TILES = 2048, 4
#: Longest side of a block of a large plane, which limits tiles, and pixels from which on it is one.
_LARGE_BLOCK, _LARGE = 1024, 8_000_000
#: Approximate number of bytes of a file that are mapped at a time.
_MAPPED = 1 << 24


#: Returns the window of given rows and columns.
WindowFunction = Callable[[slice, slice], Array]


class Planes(Protocol):
    """Array (C, Y, X) or (Y, X) of any kind that is sliced like NumPy's."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, Y and X last."""

    def __getitem__(self, index: Any) -> Array:
        """Return a window."""


class WritablePlanes(Planes, Protocol):
    """Planes that can be written, window by window."""

    def __setitem__(self, index: Any, values: Any) -> None:
        """Write a window."""


class ComputedPlanes:
    """Planes whose windows are computed each time they are read.

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

    def __init__(self, shape: tuple[int, ...], compute: WindowFunction) -> None:
        self.shape = shape
        self._compute = compute

    def __getitem__(self, index: Any) -> Array:
        return self._compute(*index[-2:])


class FilePlanes:
    """An array in a file; only the window that is read or written is in memory.

    Parameters
    ----------
    path : pathlib.Path
        The file to create, filled with zeros.
    shape : (int, int, int)
        Shape (C, Y, X).
    dtype : data type
        Data type of the array.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: Any) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self._path = path
        with self._writing("xb") as file:
            file.truncate(math.prod(shape) * self.dtype.itemsize)

    def __getitem__(self, index: Any) -> Array:
        # mapped for each reading, and a large window part by part: pages that stay mapped count as
        # memory of the process
        window = self._map()[index]
        if window.ndim < 2:
            return np.array(window)
        result = np.empty(window.shape, self.dtype)
        rows = max(_MAPPED // (self.shape[0] * self.shape[-1] * self.dtype.itemsize), 1)
        for top in range(0, result.shape[-2], rows):
            part = np.s_[..., top : top + rows, :]
            result[part] = self._map()[index][part]
        return result

    def _map(self) -> Array:
        return np.memmap(self._path, self.dtype, "r", shape=self.shape)

    def __setitem__(self, index: tuple[slice, slice, slice], values: Array) -> None:
        # not mapped: on a full disk, writing is an error, but a mapping ends in a fatal signal
        channels, rows, columns = (
            range(n)[part] for n, part in zip(self.shape, index, strict=True)
        )
        lines = values.astype(self.dtype, copy=False)
        with self._writing("r+b") as file:
            for channel, plane in zip(channels, lines, strict=True):
                for row, line in zip(rows, plane, strict=True):
                    pixel = (channel * self.shape[1] + row) * self.shape[2] + columns.start
                    file.seek(pixel * self.dtype.itemsize)
                    if file.write(line.tobytes()) < line.nbytes:  # this line filled the disk
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @contextmanager
    def _writing(self, mode: str) -> Iterator[IO[bytes]]:
        try:
            with self._path.open(mode, buffering=0) as file:
                yield file
        except OSError as error:
            size = math.prod(self.shape) * self.dtype.itemsize
            places = (folder for folder in self._path.parents if folder.suffix != ".part")
            raise FileError(
                f"{next(places)} cannot hold {size / 1e9:.2g} GB of intermediate "
                f"results: {reason(error)}; free space there, or set TMPDIR to another folder"
            ) from error


class MemoryStorage:
    """Storage for a plane that is processed as a whole, in memory.

    Examples
    --------
    >>> MemoryStorage().blocks((100, 120), 8)
    [Box(top=0, left=0, bottom=100, right=120)]
    """

    def array(self, shape: tuple[int, ...], dtype: Any = np.float32) -> WritablePlanes:
        """Return a new array (C, Y, X) of zeros."""
        return np.zeros(shape, dtype)

    def view(self, shape: tuple[int, ...], compute: WindowFunction) -> Planes:
        """Return planes whose windows `compute` returns; it may be called for each reading."""
        return compute(slice(0, shape[-2]), slice(0, shape[-1]))

    def compute(self, shape: tuple[int, ...], compute: WindowFunction) -> Planes:
        """Return planes whose windows `compute` returns, computed once and kept."""
        return self.view(shape, compute)

    def blocks(self, shape: tuple[int, ...], multiple: int) -> list[Box]:
        """Cut a plane into the blocks that are processed one by one, at multiples of `multiple`."""
        return [Box(0, 0, *shape[-2:])]


class DiskStorage(MemoryStorage):
    """Storage for a plane that is processed block by block, in files.

    Parameters
    ----------
    folder : path
        Folder for the files.
    side : int
        Side of a block in pixels.

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

    def view(self, shape: tuple[int, ...], compute: WindowFunction) -> Planes:
        """Return planes whose windows `compute` returns; it may be called for each reading."""
        return ComputedPlanes(shape, compute)

    def compute(self, shape: tuple[int, ...], compute: WindowFunction) -> Planes:
        """Return planes whose windows `compute` returns, computed once and kept."""
        result = self.array(shape)
        for block in self.blocks(shape, 1):
            result[:, *block.slices] = compute(*block.slices)
        return result

    def blocks(self, shape: tuple[int, ...], multiple: int) -> list[Box]:
        """Cut a plane into the blocks that are processed one by one, at multiples of `multiple`."""
        return plan_tiles(Box(0, 0, *shape[-2:]), round_up(self._side, multiple), multiple)


@contextmanager
def memory_storage() -> Iterator[MemoryStorage]:
    """Provide storage for one plane in memory, which is kept for reuse until the work is done."""
    with keep_freed_memory():
        yield MemoryStorage()


@contextmanager
def storage_for(
    shape: tuple[int, ...], tile: int | str | None, beside: Any
) -> Iterator[MemoryStorage]:
    """Provide storage for one plane.

    Planes above 4.2 megapixels, a block, are processed block by block. A block has a side of 2048
    pixels, or of 4 tiles where their size is an option and that is less; in planes of 8 megapixels
    and more, it has one of 1024 pixels at most. Some 61 bytes a pixel of intermediate results are
    kept in files.

    Parameters
    ----------
    shape : tuple of int
        Shape (..., Y, X).
    tile : int, None or "auto"
        Side of a tile.
    beside : array
        The array that the result is written to. The files lie in the folder of its file, unless
        the environment variable ``TMPDIR`` names another. What killed processes left there is
        removed.
    """
    side = block_side(shape, tile)
    if shape[-2] * shape[-1] <= side**2:
        with memory_storage() as storage:
            yield storage
        return
    folder = None if os.environ.get("TMPDIR") else folder_of(beside)
    folder = folder or Path(tempfile.gettempdir())
    remove_leftovers(folder)
    with scratch_folder(folder) as scratch:
        yield DiskStorage(scratch, side)


def block_side(shape: tuple[int, ...], tile: int | str | None) -> int:
    """Return the side in pixels of the blocks of a plane, which no tile exceeds.

    Parameters
    ----------
    shape : tuple of int
        Shape (..., Y, X).
    tile : int, None or "auto"
        Side of a tile, if it is an option.

    Examples
    --------
    >>> block_side((2000, 3000), "auto"), block_side((8000, 8000), "auto")
    (2048, 1024)
    """
    side = _BLOCK if shape[-2] * shape[-1] < _LARGE else _LARGE_BLOCK
    return min(side, _TILES * tile) if isinstance(tile, int) else side


def folder_of(array: Any) -> Path | None:
    """Return the folder that holds the file of an array; None if it is not a local file.

    Parameters
    ----------
    array : zarr, h5py or memory-mapped array, or anything else
        A zarr store is a folder itself: the folder that it lies in counts.

    Examples
    --------
    >>> folder_of(np.zeros(3)) is None
    True
    """
    store, file = getattr(array, "store", None), getattr(array, "file", None)
    places = (
        getattr(array, "filename", None),
        getattr(store, "root", None),
        getattr(file, "filename", None),
    )
    path = next((Path(place) for place in places if isinstance(place, str | os.PathLike)), None)
    return None if path is None or not path.parent.is_dir() else path.absolute().parent
