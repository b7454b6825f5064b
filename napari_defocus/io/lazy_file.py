"""Lazy arrays: pixels that stay in their file until a window of them is read."""

from __future__ import annotations

import itertools
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..array_types import Array
from ..errors import FileError, reason
from .limits import check_memory

#: Approximate side in pixels of a chunk that is read at a time.
_SIDE = 1024
#: Parts of a lazy array: dask needs some kilobytes for each.
_MOST_PARTS = 1_000_000
#: Bytes of decoded blocks that are kept, unless a single one takes more.
_CACHE = 1 << 27


class LazyArray:
    """An array in a file, in native byte order; windows that cannot be read raise a FileError.

    Parameters
    ----------
    path : pathlib.Path
        The file, for messages.
    shape : tuple of int
        Shape of the array.
    dtype : data type
        Data type of the array, in any byte order.
    read : callable
        Takes an index and returns a NumPy array.
    """

    def __init__(
        self, path: Path, shape: tuple[int, ...], dtype: Any, read: Callable[[Any], Any]
    ) -> None:
        self.shape, self.ndim = shape, len(shape)
        self.dtype = np.dtype(dtype).newbyteorder("=")
        self.path, self._read = path, read

    def __getitem__(self, index: Any) -> Array:
        try:
            return np.asarray(self._read(index)).astype(self.dtype, copy=False)
        except Exception as error:  # a damaged file can raise any exception in a decoder
            raise FileError(f"{self.path} is damaged or truncated: {reason(error)}") from error


class PlaneReader:
    """A reader of any window of an array (..., Y, X) or (..., Y, X, S), for `LazyArray`.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array.
    color : bool
        Whether the last axis holds samples.
    read_plane : callable
        Takes the indices of a plane and slices of rows and of columns, both of step 1, and returns
        (Y, X) or (Y, X, S) values.
    """

    def __init__(
        self, shape: tuple[int, ...], color: bool, read_plane: Callable[..., Array]
    ) -> None:
        self._shape, self._leading, self._read_plane = shape, len(shape) - 2 - color, read_plane

    def __call__(self, index: Any) -> Array:
        """Return the window of an index, of integers and slices."""
        parts = [range(n)[part] for n, part in zip(self._shape, index, strict=True)]
        squeezed = tuple(axis for axis, part in enumerate(parts) if isinstance(part, int))
        parts = [range(part, part + 1) if isinstance(part, int) else part for part in parts]
        *leading, rows, columns = parts[: self._leading + 2]
        bounds = [slice(min(part), max(part) + 1) for part in (rows, columns)]
        inner = tuple(slice(None, None, part.step) for part in (rows, columns))
        planes = [self._read_plane(plane, *bounds)[inner] for plane in itertools.product(*leading)]
        shape = (*map(len, leading), *planes[0].shape)
        window = np.stack(planes).reshape(shape)
        if len(parts) > self._leading + 2:
            window = window[..., parts[-1]]
        return np.squeeze(window, squeezed)


class BlockCache:
    """The blocks of pixels that were decoded last, for windows that share a block.

    Parameters
    ----------
    decode : callable
        Takes a key and returns an array; called again when its result was given up.
    """

    def __init__(self, decode: Callable[[Any], Array]) -> None:
        self._decode = decode
        self._blocks: OrderedDict[Any, Array] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return BlockCache, (self._decode,)

    def __getitem__(self, key: Any) -> Array:
        with self._lock:
            if key in self._blocks:
                self._blocks.move_to_end(key)
                return self._blocks[key]
        block = self._decode(key)
        with self._lock:
            if key not in self._blocks:
                self._blocks[key] = block
                self._size += block.nbytes
            while self._size > _CACHE and len(self._blocks) > 1:
                self._size -= self._blocks.popitem(last=False)[1].nbytes
        return block


def load_small(pixels: Any, path: Path, lazy_from: float) -> Any:
    """Return the pixels of a dask array in memory, unless they are `lazy_from` values or more.

    Raises
    ------
    FileError
        If the memory of this machine cannot hold them, or the file is damaged.
    """
    if pixels.size >= lazy_from:
        return pixels
    check_memory(path, pixels.nbytes)
    return pixels.compute(scheduler="synchronous")


def to_dask(array: LazyArray, axes: str, chunks: tuple[int, ...], deep: str = "") -> Any:
    """Return a dask array that reads windows of a file.

    Parameters
    ----------
    array : LazyArray
        Array in the file.
    axes : str
        One letter an axis.
    chunks : tuple of int
        Chunks of the file. One chunk of the dask array holds several of them, from one plane.
    deep : str
        Letters of axes along which a chunk of the dask array holds as many planes as one of the
        file, because each plane would decode them all.

    Returns
    -------
    dask array

    Raises
    ------
    FileError
        If it has very many chunks.
    """
    import dask.array

    named = [*zip(axes, chunks, strict=True)]
    side = _SIDE // math.isqrt(math.prod(length for axis, length in named if axis in deep))
    whole = {"S": -1, **{axis: length for axis, length in named if axis in deep}}
    width = max(dict(named)["X"], side)  # of a strip, it is that of the image
    sides = {"Y": side * side // width, "X": side}
    sizes = tuple(
        length * max(1, sides[axis] // length) if axis in sides else whole.get(axis, 1)
        for axis, length in named
    )
    lengths = zip(array.shape, sizes, strict=True)
    parts = math.prod(-(-length // size) for length, size in lengths if size > 0)
    if parts > _MOST_PARTS:
        raise FileError(
            f"{array.path} holds {parts} planes or tiles; up to {_MOST_PARTS} are read, so split it"
        )
    return dask.array.from_array(array, chunks=sizes, name=False, meta=np.empty(0, array.dtype))
