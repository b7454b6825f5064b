"""Import of the optional package zarr, and its arrays for temporary data."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from ..errors import OptionError

_CHUNK = 512


def import_zarr() -> Any:
    """Return the zarr package.

    Raises
    ------
    OptionError
        If it is not installed.
    """
    if not zarr_is_installed():
        raise OptionError('zarr stores need the package zarr: pip install "napari-defocus[zarr]"')
    import zarr

    return zarr


def zarr_is_installed() -> bool:
    """Return whether zarr is installed."""
    return importlib.util.find_spec("zarr") is not None


def new_array(folder: Path, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return a new zarr array (..., Y, X) or (..., Y, X, colors) in a new folder.

    It is not compressed, because it is temporary and read several times.
    """
    chunks = tuple(min(length, _CHUNK) if length > 4 else length for length in shape)
    leading = len(shape) - (3 if shape[-1] in (3, 4) else 2)
    chunks = (*(1 for _ in shape[:leading]), *chunks[leading:])
    zarr = import_zarr()
    return zarr.create_array(str(folder), shape=shape, dtype=dtype, chunks=chunks, compressors=None)


def as_dask(array: Any) -> Any:
    """Return a dask array that reads a zarr array when it is computed."""
    import dask.array

    return dask.array.from_array(array, chunks=array.chunks, name=False)
