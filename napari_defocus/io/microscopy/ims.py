"""Reading of Imaris files (IMS 5.5), which are HDF5, with h5py; chunks are decoded here.

Layout: https://imaris.oxinst.com/support/imaris-file-format. HDF5 allocates what a compressed chunk
claims to hold, so chunks are read as they are and decoded into arrays of their own size.
"""

import functools
import itertools
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import imagecodecs
import numpy as np

from ...array_types import Array
from ...errors import FileError
from ..lazy_file import BlockCache, LazyArray, PlaneReader, load_small, to_dask
from ..limits import LARGEST_METADATA, check_claim, is_plausible
from ..picture import Length, Metadata, ObjectiveLens, Picture
from ..regular_file import open_regular
from .description import positive_number

_SHUFFLE, _DEFLATE, _CHECKSUM, _LZ4 = 2, 1, 3, 32004
_CHECKSUM_BYTES = 4
_UNITS = {"um": "µm", "nm": "nm", "mm": "mm", "m": "m"}


@dataclass(frozen=True)
class _Layout:
    """Numbers of frames and channels, sizes and data type of the image at full size."""

    frames: int
    channels: int
    depth: int
    height: int
    width: int
    dtype: Any
    chunks: tuple[int, int, int]


def read_ims(path: Path, *, lazy_from: float) -> Picture:
    """Read the image at full size.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    lazy_from : float
        Number of values from which on the pixels stay in the file.

    Returns
    -------
    Picture
        Axes T, C and Z of length 1 are left out.

    Raises
    ------
    FileError
        If it is no Imaris file, is damaged, or refers to other files.
    """
    with _open(path) as (file, size):
        layout = _layout(path, file)
        metadata, surfaces = _metadata(file, layout), _surfaces(file)
    lengths = {"T": layout.frames, "C": layout.channels, "Z": layout.depth}
    axes = "".join(axis for axis, length in lengths.items() if length > 1) + "YX"
    sizes = {**lengths, "Y": layout.height, "X": layout.width}
    shape = tuple(sizes[axis] for axis in axes)
    check_claim(path, math.prod(shape) * layout.dtype.itemsize, size)
    reader = PlaneReader(shape, False, _Planes(path, axes).read)
    tile = dict(
        zip(
            "ZYX", map(min, layout.chunks, (layout.depth, layout.height, layout.width)), strict=True
        )
    )
    chunks = tuple(tile.get(axis, 1) for axis in axes)
    lazy = to_dask(LazyArray(path, shape, layout.dtype, reader), axes, chunks, deep="Z")
    return Picture(load_small(lazy, path, lazy_from), axes, metadata, ignored=surfaces)


@contextmanager
def _open(path: Path) -> Iterator[tuple[Any, int]]:
    """Open a file, and return its size as well."""
    with open_regular(path) as raw, h5py.File(raw, "r") as file:
        yield file, os.fstat(raw.fileno()).st_size


def _member(group: Any, *names: str) -> Any:
    """Return what lies in a group, unless it lies in another file.

    Raises
    ------
    ValueError
        If it is missing, or a link of another kind than those within a file.
    """
    for name in names:
        link = group.get(name, getlink=True) if isinstance(group, h5py.Group) else None
        if isinstance(link, h5py.ExternalLink):
            raise ValueError("it refers to another file, which is not followed")
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"it lacks {name!r}")
        group = group[name]
    return group


def _dataset(file: Any, frame: int, channel: int) -> Any:
    names = ("DataSet", "ResolutionLevel 0", f"TimePoint {frame}", f"Channel {channel}", "Data")
    data = _member(file, *names)
    if not isinstance(data, h5py.Dataset) or data.ndim != 3 or data.dtype.kind not in "uif":
        raise ValueError("its pixels are not an array of three axes of numbers")
    if data.is_virtual or data.external:
        raise ValueError("its pixels lie in another file, which is not followed")
    return data


def _layout(path: Path, file: Any) -> _Layout:
    frames = _member(file, "DataSet", "ResolutionLevel 0")
    channels = _member(frames, "TimePoint 0")
    data = _dataset(file, 0, 0)
    sizes = _member(channels, "Channel 0").attrs
    shape = [
        min(int(_number(sizes, f"ImageSize{axis}") or length), length)
        for axis, length in zip("ZYX", data.shape, strict=True)
    ]
    if 0 in shape:
        raise FileError(f"{path} holds no image")
    depth, height, width = shape
    return _Layout(
        frames=_count(frames, "TimePoint"),
        channels=_count(channels, "Channel"),
        depth=depth,
        height=height,
        width=width,
        dtype=data.dtype.newbyteorder("="),
        chunks=data.chunks or data.shape,
    )


def _count(group: Any, word: str) -> int:
    names = set(itertools.islice(group, 1_000_000))
    return next(number for number in itertools.count() if f"{word} {number}" not in names)


def _text(attributes: Any, name: str) -> str:
    """Return an attribute, which is stored as an array of letters; empty if there is none."""
    with suppress(Exception):
        if name in attributes and attributes.get_id(name).get_storage_size() < LARGEST_METADATA:
            value = np.asarray(attributes[name])
            return value.tobytes().decode("utf-8", "replace").strip("\0 ")
    return ""


def _number(attributes: Any, name: str) -> float | None:
    return positive_number(_text(attributes, name))


def _attributes(file: Any, *names: str) -> Any:
    """Return the attributes of a group, none if there is no such group."""
    try:
        return _member(file, "DataSetInfo", *names).attrs
    except ValueError:
        return {}


def _metadata(file: Any, layout: _Layout) -> Metadata:
    image = _attributes(file, "Image")
    unit = _UNITS.get(_text(image, "Unit"), "µm")
    sizes = {}
    for axis, length in enumerate((layout.width, layout.height, layout.depth)):
        low, high = (_text(image, f"Ext{end}{axis}") for end in ("Min", "Max"))
        with suppress(ValueError):
            size = positive_number((float(high) - float(low)) / length)
            if size and length > 1:
                sizes["XYZ"[axis]] = Length(float(f"{size:.9g}"), unit)
    times = _times(file, layout.frames)
    if times and times[-1] > 0:
        sizes["T"] = Length(times[-1] / (layout.frames - 1), "s")
    channels = [_attributes(file, f"Channel {number}") for number in range(layout.channels)]
    names = tuple(_text(channel, "Name") for channel in channels)
    waves = tuple(_number(channel, "LSMEmissionWavelength") for channel in channels)
    lens = ObjectiveLens(_number(image, "NumericalAperture"), _number(image, "LensPower"))
    return Metadata(
        pixel_size=sizes,
        channel_names=names if any(names) else (),
        wavelengths=waves if any(waves) else (),
        times=times,
        objective=None if lens == ObjectiveLens() else lens,
    )


def _times(file: Any, frames: int) -> tuple[float, ...]:
    info = _attributes(file, "TimeInfo")
    try:
        dates = [datetime.fromisoformat(_text(info, f"TimePoint{n + 1}")) for n in range(frames)]
        return tuple((date - dates[0]).total_seconds() for date in dates) if frames > 1 else ()
    except (ValueError, TypeError):
        return ()


def _surfaces(file: Any) -> str:
    """Return what else a scene holds, in words."""
    scenes = [name for name in ("Scene", "Scene8") if name in file]
    return "surfaces, spots or tracks" if scenes else ""


class _Planes:
    """Reader of windows of planes, which opens the file for each chunk."""

    def __init__(self, path: Path, axes: str) -> None:
        self._path, self._axes = path, axes
        self._datasets: dict[tuple[int, int], tuple[Any, Any, Any]] = {}
        self._chunks = BlockCache(functools.partial(_read_chunk, path))

    def read(self, plane: tuple[int, ...], rows: slice, columns: slice) -> Array:
        """Return a window of the plane of these indices."""
        frame, channel, z = (
            plane[self._axes.index(axis)] if axis in self._axes else 0 for axis in "TCZ"
        )
        (depth, height, width), chunks, dtype = self._dataset(frame, channel)
        if depth <= z or height < rows.stop or width < columns.stop:
            raise ValueError(f"frame {frame} of channel {channel} is smaller than the image")
        if chunks is None:
            with _open(self._path) as (file, _):
                return np.asarray(_dataset(file, frame, channel)[z, rows, columns])
        window = np.empty((rows.stop - rows.start, columns.stop - columns.start), dtype)
        depth, height, width = chunks
        for top in range(rows.start - rows.start % height, rows.stop, height):
            for left in range(columns.start - columns.start % width, columns.stop, width):
                chunk = self._chunks[frame, channel, z - z % depth, top, left][z % depth]
                y, x = max(top, rows.start), max(left, columns.start)
                part = chunk[y - top : rows.stop - top, x - left : columns.stop - left]
                y, x = y - rows.start, x - columns.start
                window[y : y + part.shape[0], x : x + part.shape[1]] = part
        return window

    def _dataset(self, frame: int, channel: int) -> tuple[Any, Any, Any]:
        """Return the shape, the chunks and the data type of a frame of a channel."""
        if (frame, channel) not in self._datasets:
            with _open(self._path) as (file, _):
                data = _dataset(file, frame, channel)
                self._datasets[frame, channel] = data.shape, data.chunks, data.dtype
        return self._datasets[frame, channel]


def _read_chunk(path: Path, key: tuple[int, int, int, int, int]) -> Array:
    """Return a decoded chunk by its frame and channel, and its first plane, row and column."""
    frame, channel, *place = key
    with _open(path) as (file, _):
        data = _dataset(file, frame, channel)
        size = math.prod(data.chunks) * data.dtype.itemsize
        stored = data.id.get_chunk_info_by_coord(tuple(place))
        if stored.byte_offset is None or not stored.size:  # it was never written
            return np.broadcast_to(np.asarray(data.fillvalue, data.dtype), data.chunks)
        if not is_plausible(size, stored.size):
            raise ValueError(f"{stored.size} bytes claim to hold {size / 2**30:.1f} GiB of pixels")
        skipped, content = data.id.read_direct_chunk(tuple(place))
        properties = data.id.get_create_plist()
        filters = [properties.get_filter(n)[0] for n in range(properties.get_nfilters())]
        for number, code in reversed([*enumerate(filters)]):
            if not skipped >> number & 1:
                content = _undo(code, content, size, data.dtype.itemsize)
        return np.frombuffer(content, data.dtype, math.prod(data.chunks)).reshape(data.chunks)


def _undo(code: int, content: bytes, size: int, itemsize: int) -> bytes:
    """Undo a filter, within as many bytes as a chunk takes."""
    if code == _SHUFFLE:
        return np.frombuffer(content, np.uint8).reshape(itemsize, -1).T.tobytes()
    if code == _CHECKSUM:
        return content[:-_CHECKSUM_BYTES]
    decode = _DECODERS.get(code)
    if decode is None:
        raise ValueError(f"its pixels are stored by HDF5 filter {code}, which is not known here")
    return bytes(decode(content, out=size))


_DECODERS: Mapping[int, Callable[..., Any]] = {
    _DEFLATE: imagecodecs.zlib_decode,
    _LZ4: imagecodecs.lz4h5_decode,
}
