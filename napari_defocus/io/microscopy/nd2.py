"""Reading of Nikon ND2 files: nd2 understands their description, frames are read row by row.

Files before version 2, which are JPEG 2000, are not read.
"""

import math
import os
import zlib
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import nd2
import numpy as np
from nd2._parse._chunk_decode import get_chunkmap, read_nd2_chunk

from ...array_types import Array
from ...errors import FileError
from ..lazy_file import BlockCache, LazyArray, PlaneReader, load_small, to_dask
from ..limits import DEFLATE_RATIO, LARGEST_METADATA, is_plausible
from ..picture import Length, Metadata, ObjectiveLens, Picture
from ..quiet import without_warnings
from ..regular_file import open_regular
from ..series import name_others, pick_series
from .description import declared_white, positive_number

#: Bytes between the beginning of a frame in the file and its pixels.
_FRAME_HEADER = 4096
#: Bytes of a frame that is compressed before its pixels.
_TIME_STAMP = 8
_FRAME, _TIMES = b"ImageDataSeq|%d!", b"CustomData|AcqTimesCache!"
#: Chunks that describe the image, and the mark of those that are compressed behind a header.
_DESCRIPTIONS = (b"ImageAttributes", b"ImageMetadata", b"ImageTextInfo")
_COMPRESSED, _COMPRESSED_HEADER = 76, 12
_MOST_FRAMES = 1_000_000
_COLORS = 3
#: Rows that are read at a time.
_ROWS = 256
#: Media of immersion, from a refractive index on.
_MEDIA = ((1.0, "Air"), (1.3, "Water"), (1.42, "Glycerol"), (1.49, "Oil"))


@dataclass(frozen=True)
class _Frames:
    """Layout of the frames of a file: rows of columns of channels of samples.

    Parameters
    ----------
    places : tuple of int
        Where each frame begins in the file.
    shape : tuple of int
        Rows, columns, channels, samples.
    dtype : data type
        Data type of a sample.
    row : int
        Bytes from a row to the next.
    is_compressed : bool
        Each frame is compressed, by deflate.
    """

    places: tuple[int, ...]
    shape: tuple[int, int, int, int]
    dtype: Any
    row: int
    is_compressed: bool


def read_nd2(path: Path, *, lazy_from: float, series: int | None) -> Picture:
    """Read a position of the stage.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    lazy_from : float
        Number of values from which on the pixels stay in the file.
    series : int, optional
        Index of the position.

    Returns
    -------
    Picture
        Channels are planes. Of an acquisition that was stopped, what is complete along the slowest
        axis is read.

    Raises
    ------
    FileError
        If the file is damaged or truncated, or has no such position.
    """
    with open_regular(path) as file, without_warnings():
        chunks = get_chunkmap(file)
        _check_descriptions(path, file, chunks)
        with nd2.ND2File(file) as nd:
            loops = {axis: n for axis, n in nd.sizes.items() if axis not in "CYXS"}
            frames = _layout(path, nd, file, chunks)
            metadata = _metadata(nd)
            milliseconds = _milliseconds(file, chunks)
    positions = loops.get("P", 1)
    series = pick_series(path, series, positions)
    order = _order(path, loops, series, len(frames.places))
    loops = {axis: n for axis, n in loops.items() if axis != "P"}
    metadata = _with_times(metadata, [*loops], order, milliseconds)
    rows, columns, channels, samples = frames.shape
    lengths = {**loops, "C": channels, "Y": rows, "X": columns, "S": samples}
    lengths |= dict(zip(loops, order.shape, strict=True))
    axes = "".join(axis for axis, n in lengths.items() if n > 1 or axis in "YX")
    shape = tuple(lengths[axis] for axis in axes)
    planes = _Planes(path, frames, order)
    reader = PlaneReader(shape, samples > 1, planes.read)
    tile = {"Y": rows if frames.is_compressed else min(rows, _ROWS), "X": columns, "S": samples}
    lazy = to_dask(
        LazyArray(path, shape, frames.dtype, reader), axes, tuple(tile.get(a, 1) for a in axes)
    )
    ignored = name_others(path, series, positions)
    data = load_small(lazy, path, lazy_from)
    return Picture(data, axes, metadata, ignored=ignored, images=positions)


def _check_descriptions(path: Path, file: Any, chunks: Any) -> None:
    """Refuse descriptions that are very long once they are unpacked."""
    for name, (place, _) in chunks.items():
        if name.startswith(_DESCRIPTIONS):
            data = read_nd2_chunk(file, place)
            length = len(data)
            if data[:1] == bytes([_COMPRESSED]):
                unpacked = zlib.decompressobj().decompress(
                    data[_COMPRESSED_HEADER:], LARGEST_METADATA + 1
                )
                length = max(length, len(unpacked))
            if length > LARGEST_METADATA:
                raise FileError(f"{path} is damaged: its description is {length} bytes long")


def _layout(path: Path, nd: Any, file: Any, chunks: Any) -> _Frames:
    size = os.fstat(file.fileno()).st_size
    attributes = nd.attributes
    channels = attributes.channelCount or 1
    samples, rest = divmod(attributes.componentCount, channels)
    if samples != _COLORS:  # samples of a channel are channels, as nd2 has it
        channels, samples = attributes.componentCount, 1
    dtype = np.dtype(nd.dtype)
    shape = (attributes.heightPx, attributes.widthPx or 0, channels, samples)
    row = attributes.widthBytes or math.prod(shape[1:]) * dtype.itemsize
    is_compressed = attributes.compressionType == "lossless"
    if rest or min(shape) < 1 or row < math.prod(shape[1:]) * dtype.itemsize:
        raise FileError(f"{path} is damaged: it has frames of {shape} values")
    if attributes.compressionType == "lossy":
        raise FileError(f"{path} is compressed with loss, which is not supported; export a TIFF")
    places: list[int] = []
    while (name := _FRAME % len(places)) in chunks and len(places) < _MOST_FRAMES:
        places.append(chunks[name][0])
    taken = 0 if is_compressed else _FRAME_HEADER + shape[0] * row - (row - _width(shape, dtype))
    if not places or max(places) + taken > size:
        raise FileError(f"{path} is damaged or truncated: it ends before its pixels do")
    return _Frames(tuple(places), shape, dtype, row, is_compressed)


def _width(shape: tuple[int, int, int, int], dtype: Any) -> int:
    return math.prod(shape[1:]) * int(dtype.itemsize)


def _order(path: Path, loops: dict[str, int], series: int, count: int) -> Array:
    """Return the numbers of frames of a position by the indices of the other loops."""
    total = math.prod(loops.values())
    if total > _MOST_FRAMES:
        raise FileError(f"{path} is damaged: it claims {total} frames")
    order = np.arange(total).reshape([*loops.values()])
    if "P" in loops:
        order = np.asarray(order.take(series, [*loops].index("P")))
    if order.ndim:
        order = order[: sum(bool(np.all(part < count)) for part in order)]
    if order.size == 0 or order.max() >= count:
        raise FileError(f"{path} lacks {total - count} of its {total} frames")
    return order


class _Planes:
    """Reader of windows of planes by loops and channel."""

    def __init__(self, path: Path, frames: _Frames, order: Array) -> None:
        self._path, self._frames, self._order = path, frames, np.squeeze(order)
        self._decoded = BlockCache(partial(_decompress, path, frames))

    def read(self, plane: tuple[int, ...], rows: slice, columns: slice) -> Array:
        """Return a window of the plane of these indices."""
        *loops, channel = plane if self._frames.shape[2] > 1 else (*plane, 0)
        number = int(self._order[tuple(loops)])
        if self._frames.is_compressed:
            frame = self._decoded[number][rows]
        else:
            frame = _read_rows(self._path, self._frames, number, rows)
        window = frame[:, columns, channel]
        return window if self._frames.shape[3] > 1 else window[..., 0]


def _read_rows(path: Path, frames: _Frames, number: int, rows: slice) -> Array:
    """Return rows of a frame that is not compressed."""
    width = _width(frames.shape, frames.dtype)
    length = (rows.stop - rows.start - 1) * frames.row + width
    with open_regular(path) as file:
        file.seek(frames.places[number] + _FRAME_HEADER + rows.start * frames.row)
        content = file.read(length)
    return _shaped(content, frames, rows.stop - rows.start)


def _decompress(path: Path, frames: _Frames, number: int) -> Array:
    """Return a frame that is compressed."""
    size = frames.shape[0] * frames.row
    with open_regular(path) as file:
        content = read_nd2_chunk(file, frames.places[number])[_TIME_STAMP:]
    if not is_plausible(size, len(content), DEFLATE_RATIO):
        raise ValueError(f"{len(content)} bytes claim to hold {size / 2**30:.1f} GiB of pixels")
    return _shaped(imagecodecs.zlib_decode(content, out=size), frames, frames.shape[0])


def _shaped(content: bytes | bytearray, frames: _Frames, rows: int) -> Array:
    strides = (frames.row, *np.empty(frames.shape[1:], frames.dtype).strides)
    return np.ndarray((rows, *frames.shape[1:]), frames.dtype, content, strides=strides)


def _milliseconds(file: Any, chunks: Any) -> Array:
    """Return the time of each frame, as far as the file says it."""
    with suppress(Exception):
        return np.frombuffer(read_nd2_chunk(file, chunks[_TIMES][0]), "<f8")
    return np.empty(0)


def _with_times(metadata: Metadata, axes: list[str], order: Array, milliseconds: Array) -> Metadata:
    """Add the times of frames, where the slowest of several axes is time."""
    if axes[:1] != ["T"] or len(order) < 2 or order.max() >= len(milliseconds):
        return metadata
    first = milliseconds[order.reshape(len(order), -1)[:, 0]]
    times = tuple(float(time - first[0]) / 1000 for time in first)
    interval = positive_number(times[-1] / (len(times) - 1))
    sizes = {**metadata.pixel_size, **({"T": Length(interval, "s")} if interval else {})}
    return replace(metadata, times=times, pixel_size=sizes)


def _metadata(nd: Any) -> Metadata:
    """Return what describes the image, as far as it can be understood."""
    with suppress(Exception):
        channels = list(nd.metadata.channels or [])
        volume, scope = channels[0].volume, channels[0].microscope
        sizes = {
            axis: Length(float(f"{size:.9g}"), "µm")
            for axis, size, is_known in zip(
                "XYZ", volume.axesCalibration, volume.axesCalibrated, strict=True
            )
            if is_known and positive_number(size)
        }
        names = tuple(str(each.channel.name or "") for each in channels)
        waves = tuple(positive_number(each.channel.emissionLambdaNm) for each in channels)
        fits = len(channels) == nd.sizes.get("C", 1) and "S" not in nd.sizes
        return Metadata(
            pixel_size=sizes,
            channel_names=names if fits and any(names) else (),
            wavelengths=waves if fits and any(waves) else (),
            objective=_objective(scope),
            white=_white(nd),
        )
    return Metadata(white=_white(nd))


def _white(nd: Any) -> float | None:
    return declared_white(nd.attributes.bitsPerComponentSignificant, nd.dtype)


def _objective(scope: Any) -> ObjectiveLens | None:
    aperture = positive_number(scope.objectiveNumericalAperture)
    magnification = positive_number(scope.objectiveMagnification)
    index = positive_number(scope.immersionRefractiveIndex) or 0
    medium = next((name for least, name in reversed(_MEDIA) if index >= least), "")
    lens = ObjectiveLens(aperture, magnification, medium)
    return None if lens == ObjectiveLens() else lens
