"""Writing of OME-Zarr, window by window: an image with smaller copies of itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..array_types import Array
from . import ngff
from .picture import WRITTEN_NGFF_VERSIONS, Metadata, Picture
from .regular_file import open_regular
from .zarr_arrays import import_zarr

#: Side of a chunk in pixels; the smallest copy fits into one chunk.
_CHUNK = 512
#: Side in pixels of the windows that are halved one at a time; even.
_STEP = 4 * _CHUNK
#: Versions of OME-NGFF in version 2 of the zarr format.
_V2_VERSIONS = ("0.1", "0.2", "0.3", "0.4")


class StreamingZarr:
    """An OME-Zarr image that is written window by window, a `StreamingWriter`.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the store; it is made.
    picture : Picture
        Shape, data type and metadata of the image; its pixels do not matter. A picture from
        OME-Zarr 0.1 to 0.4 is written in 0.4, any other in 0.5.
    name : str
        Name of the image.
    """

    def __init__(self, folder: Path, picture: Picture, name: str) -> None:
        version = (picture.metadata.ngff or {}).get("version", "0.5")
        self._version = "0.4" if version in _V2_VERSIONS else "0.5"
        self._axes, self._name = picture.axes, name
        self._metadata, self._folder = picture.metadata, folder
        zarr = import_zarr()
        self._format = 2 if self._version == "0.4" else 3
        self._group = zarr.create_group(str(folder), zarr_format=self._format)
        self.array = self._new("0", picture.data.shape, picture.data.dtype)

    def complete(self) -> Iterator[None]:
        """Make the smaller copies and write the metadata; yield after each window."""
        levels = [self.array]
        while max(levels[-1].shape[-2:]) > _CHUNK:
            yield from self._add_half_size(levels)
        names = [str(level) for level in range(len(levels))]
        attributes = ngff.make_attributes(
            self._with_channels(levels[-1]), self._axes, names, self._name, version=self._version
        )
        self._group.attrs.update(attributes)
        yield from self._copy_labels()

    def _with_channels(self, smallest: Any) -> Metadata:
        """Return the metadata with display settings of channels that have a name alone."""
        metadata, axis = self._metadata, self._axes.find("C")
        names, fields = metadata.channel_names, metadata.ngff or {}
        if fields.get("omero") or axis < 0 or len(names) != smallest.shape[axis]:
            return metadata
        limits: list[list[float]] = [[] for _ in names]
        for index in np.ndindex(smallest.shape[:-2]):
            plane = np.asarray(smallest[index])
            finite = plane[np.isfinite(plane)]
            if finite.size:
                limits[index[axis]] += [float(finite.min()), float(finite.max())]
        ranges = [(min(values, default=0.0), max(values, default=1.0)) for values in limits]
        omero = {"channels": ngff.describe_channels(names, ranges)}
        return replace(metadata, ngff={**fields, "omero": omero})

    def _copy_labels(self) -> Iterator[None]:
        """Copy the label images of the image that this one was made from, file by file."""
        fields = self._metadata.ngff or {}
        if "labels" not in fields or fields["version"] not in WRITTEN_NGFF_VERSIONS:
            return
        source = Path(fields["labels"]["folder"])
        for parent, _, names in os.walk(source):
            target = self._folder / "labels" / Path(parent).relative_to(source)
            target.mkdir(exist_ok=True)
            for name in sorted(names):
                path = Path(parent) / name
                if not path.is_symlink():
                    with open_regular(path) as file, (target / name).open("xb") as copy:
                        shutil.copyfileobj(file, copy)
                    yield

    def _add_half_size(self, levels: list[Any]) -> Iterator[None]:
        large = levels[-1]
        *leading, height, width = large.shape
        small = self._new(
            str(len(levels)), (*leading, -(-height // 2), -(-width // 2)), large.dtype
        )
        for index in np.ndindex(*leading):
            for top in range(0, height, _STEP):
                for left in range(0, width, _STEP):
                    part = large[(*index, slice(top, top + _STEP), slice(left, left + _STEP))]
                    half = _halve(part)
                    rows = slice(top // 2, top // 2 + half.shape[0])
                    columns = slice(left // 2, left // 2 + half.shape[1])
                    small[(*index, rows, columns)] = half
                    yield
        levels.append(small)

    def _new(self, name: str, shape: tuple[int, ...], dtype: Any) -> Any:
        chunks = (*(1 for _ in shape[:-2]), *(min(length, _CHUNK) for length in shape[-2:]))
        names = [axis["name"] for axis in ngff.describe_axes(self._metadata, self._axes)]
        options: dict[str, Any] = {"dimension_names": names}
        if self._format == 2:
            options = {"chunk_key_encoding": {"name": "v2", "separator": "/"}}
        options["compressors"] = _blosc(self._format, np.dtype(dtype).itemsize)
        return self._group.create_array(name, shape=shape, dtype=dtype, chunks=chunks, **options)


def _blosc(zarr_format: int, width: int) -> dict[str, Any]:
    """Return a fast compressor for values of `width` bytes; lz4 hardly compresses single bytes."""
    settings = {"cname": "lz4", "clevel": 5} if width > 1 else {"cname": "zstd", "clevel": 1}
    if zarr_format == 2:
        return {"id": "blosc", "shuffle": 1, **settings}
    return {"name": "blosc", "configuration": {"shuffle": "shuffle", **settings}}


def _halve(part: Array) -> Array:
    """Return means of 2 x 2 pixels (Y, X); an odd last row or column is repeated."""
    pad = [(0, length % 2) for length in part.shape]
    even = np.pad(part.astype(np.float64), pad, mode="edge")
    mean = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
    return (np.rint(mean) if part.dtype.kind in "iu" else mean).astype(part.dtype)
