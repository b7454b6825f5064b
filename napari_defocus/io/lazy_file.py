"""Pixels that stay in their file until a window of them is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..array_types import Array
from ..errors import FileError, reason

#: Side in pixels of what is read at a time, about.
_SIDE = 1024


class LazyArray:
    """An array in a file, in native byte order; what cannot be read is a FileError.

    Parameters
    ----------
    path : pathlib.Path
        The file, for messages.
    shape : tuple of int
        Of the array.
    dtype : data type
        Of the array, in any byte order.
    read : callable
        Takes an index and returns a NumPy array.
    """

    def __init__(
        self, path: Path, shape: tuple[int, ...], dtype: Any, read: Callable[[Any], Any]
    ) -> None:
        self.shape, self.ndim = shape, len(shape)
        self.dtype = np.dtype(dtype).newbyteorder("=")
        self._path, self._read = path, read

    def __getitem__(self, index: Any) -> Array:
        try:
            return np.asarray(self._read(index)).astype(self.dtype, copy=False)
        except Exception as error:  # decoders let any kind through for a damaged file
            raise FileError(f"{self._path} is damaged or truncated: {reason(error)}") from error


def to_dask(windows: LazyArray, axes: str, chunks: tuple[int, ...]) -> Any:
    """Return a dask array that reads windows of a file.

    Parameters
    ----------
    windows : LazyArray
        The file.
    axes : str
        A letter an axis.
    chunks : tuple of int
        How the file is cut. Planes are read one by one, in several of the file's parts at a time.

    Returns
    -------
    dask array
    """
    import dask.array

    sizes = tuple(
        (length * max(1, _SIDE // length)) if axis in "YX" else (-1 if axis == "S" else 1)
        for axis, length in zip(axes, chunks, strict=True)
    )
    return dask.array.from_array(windows, chunks=sizes, name=False, meta=np.empty(0, windows.dtype))
