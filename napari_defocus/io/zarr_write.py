"""Write OME-Zarr: an image with smaller copies of itself, window by window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..array_types import Array
from . import ngff
from .picture import Picture
from .zarr_arrays import import_zarr

#: Side of a chunk in pixels; copies are made until one is no larger.
_CHUNK = 512
#: Side in pixels of what is shrunk at a time; even.
_STEP = 4 * _CHUNK


class ZarrImage:
    """An OME-Zarr image that is made.

    Parameters
    ----------
    folder : pathlib.Path
        Of the store; it is made.
    picture : Picture
        Of the shape, data type and metadata that it is to have; its pixels do not matter. What was
        read from OME-Zarr is written in the same version of it, all else in 0.5.
    name : str
        Of the image.
    """

    def __init__(self, folder: Path, picture: Picture, name: str) -> None:
        self._version = (picture.metadata.ngff or {}).get("version", "0.5")
        if self._version != "0.4":
            self._version = "0.5"
        self._axes, self._name = ngff.name_axes(picture.axes), name
        self._metadata = picture.metadata
        zarr = import_zarr()
        self._format = 2 if self._version == "0.4" else 3
        self._group = zarr.create_group(str(folder), zarr_format=self._format)
        self.array = self._new("0", picture.data.shape, picture.data.dtype)

    def complete(self) -> Iterator[None]:
        """Make the smaller copies and write the metadata; yields now and then."""
        levels = [self.array]
        while max(levels[-1].shape[-2:]) > _CHUNK:
            yield from self._shrink(levels)
        names = [str(level) for level in range(len(levels))]
        attributes = ngff.make_attributes(
            self._metadata, self._axes, names, self._name, version=self._version
        )
        self._group.attrs.update(attributes)

    def _shrink(self, levels: list[Any]) -> Iterator[None]:
        large = levels[-1]
        *leading, height, width = large.shape
        small = self._new(
            str(len(levels)), (*leading, -(-height // 2), -(-width // 2)), large.dtype
        )
        for index in np.ndindex(*leading):
            for top in range(0, height, _STEP):
                for left in range(0, width, _STEP):
                    part = large[(*index, slice(top, top + _STEP), slice(left, left + _STEP))]
                    half = _halved(part)
                    rows = slice(top // 2, top // 2 + half.shape[0])
                    columns = slice(left // 2, left // 2 + half.shape[1])
                    small[(*index, rows, columns)] = half
                    yield
        levels.append(small)

    def _new(self, name: str, shape: tuple[int, ...], dtype: Any) -> Any:
        chunks = (*(1 for _ in shape[:-2]), *(min(length, _CHUNK) for length in shape[-2:]))
        options: dict[str, Any] = {"dimension_names": [axis.lower() for axis in self._axes]}
        if self._format == 2:
            options = {"chunk_key_encoding": {"name": "v2", "separator": "/"}}
        options["compressors"] = _blosc(self._format, np.dtype(dtype).itemsize)
        return self._group.create_array(name, shape=shape, dtype=dtype, chunks=chunks, **options)


def _blosc(zarr_format: int, width: int) -> dict[str, Any]:
    """How values of so many bytes are compressed: quickly, but lz4 hardly shrinks single bytes."""
    how = {"cname": "lz4", "clevel": 5} if width > 1 else {"cname": "zstd", "clevel": 1}
    if zarr_format == 2:
        return {"id": "blosc", "shuffle": 1, **how}
    return {"name": "blosc", "configuration": {"shuffle": "shuffle", **how}}


def _halved(part: Array) -> Array:
    """Mean of 2 x 2 pixels (Y, X); the last row and column stand for themselves."""
    pad = [(0, length % 2) for length in part.shape]
    whole = np.pad(part.astype(np.float64), pad, mode="edge")
    mean = (whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]) / 4
    return (np.rint(mean) if part.dtype.kind in "iu" else mean).astype(part.dtype)
