"""Lazy arrays: pixels that stay in their file until a window of them is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..array_types import Array
from ..errors import FileError, reason

#: Approximate side in pixels of a chunk that is read at a time.
_SIDE = 1024
#: Parts of a lazy array: dask needs some kilobytes for each.
_MOST_PARTS = 1_000_000


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


def to_dask(array: LazyArray, axes: str, chunks: tuple[int, ...]) -> Any:
    """Return a dask array that reads windows of a file.

    Parameters
    ----------
    array : LazyArray
        Array in the file.
    axes : str
        One letter an axis.
    chunks : tuple of int
        Chunks of the file. One chunk of the dask array holds several of them, from one plane.

    Returns
    -------
    dask array

    Raises
    ------
    FileError
        If it has very many chunks.
    """
    import dask.array

    sizes = tuple(
        (length * max(1, _SIDE // length)) if axis in "YX" else (-1 if axis == "S" else 1)
        for axis, length in zip(axes, chunks, strict=True)
    )
    lengths = zip(array.shape, sizes, strict=True)
    parts = math.prod(-(-length // size) for length, size in lengths if size > 0)
    if parts > _MOST_PARTS:
        raise FileError(
            f"{array.path} holds {parts} planes or tiles; up to {_MOST_PARTS} are read, so split it"
        )
    return dask.array.from_array(array, chunks=sizes, name=False, meta=np.empty(0, array.dtype))
