"""Reading of Zeiss CZI files: czifile finds their blocks, which are decoded window by window.

A file holds blocks, each a rectangle of one plane. Blocks of a scene form its image, be it a mosaic
or not; blocks that are stored smaller than they are shown form its smaller copies.
"""

import functools
import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import czifile
import imagecodecs
import numpy as np

from ...array_types import Array
from ...errors import FileError
from ..jpeg_segments import check_scans, frame_size, scan_position
from ..jpegxr_process import decode_jpegxr
from ..lazy_file import BlockCache, LazyArray, PlaneReader, load_small, to_dask
from ..limits import LARGEST_METADATA, check_claim, is_plausible
from ..picture import Length, Metadata, ObjectiveLens, Picture
from ..quiet import without_warnings
from ..regular_file import open_regular
from ..series import name_others, pick_series
from .description import child_texts, declared_white, parse_xml, positive_number

#: Axes of planes, slowest first: view, phase, illumination, rotation, block, time, channel, slice.
_PLANE_AXES = "VHIRBTCZ"
#: Axes that czifile names after their letters in the file, of pixels, scenes and mosaics.
_IMAGE_AXES = "SMYX"
#: Planes that may be missing: up to this many in all, or so many times those that are there.
_FEW_PLANES, _LARGEST_GAPS = 1000, 10
_RAW, _JPEG, _LZW, _JPEG_XR, _ZSTD, _ZSTD_SPLIT = 0, 1, 2, 4, 5, 6


@dataclass(frozen=True)
class _Block:
    """A rectangle of pixels in the file."""

    plane: tuple[int, ...]
    order: int
    top: int
    left: int
    height: int
    width: int
    samples: int
    dtype: str
    compression: int
    position: int


def read_czi(path: Path, *, lazy_from: float, series: int | None) -> Picture:
    """Read a scene at full size.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    lazy_from : float
        Number of values from which on the pixels stay in the file.
    series : int, optional
        Index of the scene.

    Returns
    -------
    Picture
        Channels are planes. Where blocks of a mosaic overlap, the one that was taken last is shown;
        pixels without a block are 0.

    Raises
    ------
    FileError
        If the file is damaged, is one part of several, or has no such scene.
    """
    with open_regular(path) as file, without_warnings():
        size = os.fstat(file.fileno()).st_size
        czi = czifile.CziFile(file, multifile=False)
        entries = _entries(path, file, czi)
        xml = _metadata_xml(path, file, czi, size)
        times = _time_stamps(file, czi, size)
    scenes = sorted({_start(entry, "S") for entry in entries})
    series = pick_series(path, series, len(scenes))
    blocks = [_block(path, entry) for entry in entries if _start(entry, "S") == scenes[series]]
    axes, shape, blocks, rest = _arrange(path, blocks)
    dtype = np.result_type(*{block.dtype for block in blocks})
    check_claim(path, math.prod(shape) * dtype.itemsize, size)
    reader = PlaneReader(shape, axes.endswith("S"), _Planes(path, dtype, blocks).read)
    tile = {"Y": blocks[0].height, "X": blocks[0].width}
    chunks = tuple(min(tile.get(axis, 1), n) for axis, n in zip(axes, shape, strict=True))
    lazy = to_dask(LazyArray(path, shape, dtype, reader), axes, chunks)
    others = name_others(path, series, len(scenes))
    return Picture(
        load_small(lazy, path, lazy_from),
        axes,
        _metadata(xml, times, dict(zip(axes, shape, strict=True)), dtype),
        ignored=" and ".join(filter(None, [rest, others])),
        images=len(scenes),
    )


def _entries(path: Path, file: BinaryIO, czi: Any) -> list[Any]:
    """Return the entries of the directory that are at full size."""
    segment = czifile.Segment(czi._fh, czi.header.directory_position)
    if segment.sid != czifile.SubBlockDirectorySegment.SID:
        raise FileError(f"{path} is damaged or truncated: it lacks the directory of its pixels")
    entries = [entry for entry in segment.data().entries if _is_full_size(entry)]
    if any(entry.file_part for entry in entries):
        raise FileError(f"{path} is one part of several files; save it as a single CZI file first")
    if not entries:
        raise FileError(f"{path} holds no image")
    return entries


def _is_full_size(entry: Any) -> bool:
    return all(d.size == d.stored_size for d in entry.dimension_entries if d.dimension in "XY")


def _start(entry: Any, axis: str) -> int:
    return next((int(d.start) for d in entry.dimension_entries if d.dimension == axis), 0)


def _block(path: Path, entry: Any) -> _Block:
    sizes = {d.dimension: int(d.size) for d in entry.dimension_entries}
    if not set(sizes) <= set(_PLANE_AXES + _IMAGE_AXES):
        raise FileError(f"{path} has axes {', '.join(sizes)}, some of which are not known")
    planes = math.prod(size for axis, size in sizes.items() if axis in _PLANE_AXES)
    height, width = sizes.get("Y", 0), sizes.get("X", 0)
    if planes != 1 or height < 1 or width < 1:
        raise FileError(f"{path} is damaged: a block of its pixels has no size, or many planes")
    dtype = np.dtype(entry.dtype)
    return _Block(
        plane=tuple(_start(entry, axis) for axis in _PLANE_AXES),
        order=_start(entry, "M"),
        top=_start(entry, "Y"),
        left=_start(entry, "X"),
        height=height,
        width=width,
        samples=math.prod(dtype.shape),
        dtype=dtype.base.str,
        compression=entry.compression,
        position=entry.file_position,
    )


def _arrange(path: Path, blocks: list[_Block]) -> tuple[str, tuple[int, ...], list[_Block], str]:
    """Return axes, shape, the blocks with positions from 0 on, and what is left out, in words."""
    samples = blocks[0].samples
    same = [block for block in blocks if block.samples == samples]
    if samples not in (1, 3, 4) or any(np.dtype(block.dtype).kind not in "uif" for block in same):
        raise FileError(f"{path} holds {blocks[0].dtype} values; it should hold gray or RGB")
    kind = "color" if samples == 1 else "gray"
    rest = f"channels in {kind}" if len(same) < len(blocks) else ""
    planes = np.array([block.plane for block in same], np.int64)
    first, count = planes.min(0), np.ptp(planes, axis=0) + 1
    claimed, held = math.prod(count.tolist()), len({block.plane for block in same})
    if claimed > max(_FEW_PLANES, _LARGEST_GAPS * held):
        raise FileError(f"{path} is damaged: it holds {held} of {claimed} planes")
    kept = [index for index in range(len(_PLANE_AXES)) if count[index] > 1]
    top, left = min(b.top for b in same), min(b.left for b in same)
    placed = [
        _Block(
            **{
                **vars(block),
                "plane": tuple(int(block.plane[index] - first[index]) for index in kept),
                "top": block.top - top,
                "left": block.left - left,
            }
        )
        for block in sorted(same, key=lambda block: block.order)
    ]
    height = max(block.top + block.height for block in placed)
    width = max(block.left + block.width for block in placed)
    shape = (*(int(count[index]) for index in kept), height, width)
    axes = "".join(_PLANE_AXES[index] for index in kept) + "YX"
    if samples > 1:
        axes, shape = f"{axes}S", (*shape, samples)
    return axes, shape, placed, rest


class _Planes:
    """Reader of windows of planes, whose blocks are pasted together."""

    def __init__(self, path: Path, dtype: Any, blocks: list[_Block]) -> None:
        self._path, self._dtype = path, dtype
        self._planes: dict[tuple[int, ...], list[_Block]] = {}
        for block in blocks:
            self._planes.setdefault(block.plane, []).append(block)
        self._samples = blocks[0].samples
        self._decoded = BlockCache(functools.partial(_decode, path))

    def read(self, plane: tuple[int, ...], rows: slice, columns: slice) -> Array:
        """Return a window of the plane of these indices."""
        shape = (rows.stop - rows.start, columns.stop - columns.start, self._samples)
        window = np.zeros(shape, self._dtype)
        for block in self._planes.get(plane, ()):
            self._paste(window, block, rows, columns)
        return window if self._samples > 1 else window[..., 0]

    def _paste(self, window: Array, block: _Block, rows: slice, columns: slice) -> None:
        """Copy the part of a block that lies in a window (Y, X, samples)."""
        top, bottom = max(block.top, rows.start), min(block.top + block.height, rows.stop)
        left, right = max(block.left, columns.start), min(block.left + block.width, columns.stop)
        if top >= bottom or left >= right:
            return
        if block.compression == _RAW:
            pixels = _read_rows(self._path, block, top - block.top, bottom - block.top)
        else:
            pixels = self._decoded[block][top - block.top : bottom - block.top]
        part = pixels[:, left - block.left : right - block.left]
        target = window[top - rows.start : bottom - rows.start, left - columns.start :]
        target[:, : right - left] = part


def _pixel_data(file: BinaryIO, block: _Block) -> int:
    """Go to the pixels of a block and return their length in bytes."""
    handle = czifile.czifile.FileHandle(file)
    segment = czifile.Segment(handle, block.position)
    if segment.sid != czifile.SubBlockSegment.SID:
        raise ValueError("a block of its pixels is not where it should be")
    segment = segment.data()
    size = os.fstat(file.fileno()).st_size
    if not 0 <= segment.data_size <= size - segment.data_offset:
        raise ValueError("a block of its pixels is longer than the file")
    file.seek(segment.data_offset)
    return int(segment.data_size)


def _read_rows(path: Path, block: _Block, start: int, stop: int) -> Array:
    """Return some rows (Y, X, samples) of a block that is not compressed."""
    dtype = np.dtype(block.dtype)
    row = block.width * block.samples * dtype.itemsize
    with open_regular(path) as file:
        if _pixel_data(file, block) < block.height * row:
            raise ValueError("a block of its pixels is shorter than its size takes")
        file.seek(start * row, os.SEEK_CUR)
        pixels = np.frombuffer(file.read((stop - start) * row), dtype)
    return _as_rgb(pixels.reshape(stop - start, block.width, block.samples))


def _decode(path: Path, block: _Block) -> Array:
    """Return the pixels (Y, X, samples) of a compressed block."""
    decode = _DECODERS.get(block.compression)
    if decode is None:
        raise ValueError(f"its pixels are compressed by method {block.compression}, unknown here")
    with open_regular(path) as file:
        content = file.read(_pixel_data(file, block))
    shape = (block.height, block.width, block.samples)
    dtype = np.dtype(block.dtype)
    size = math.prod(shape) * dtype.itemsize
    if not is_plausible(size, len(content)):
        raise ValueError(f"{len(content)} bytes claim to hold {size / 2**30:.1f} GiB of pixels")
    pixels = decode(content, shape, dtype)
    return pixels if block.compression == _JPEG_XR else _as_rgb(pixels)


def _as_rgb(pixels: Array) -> Array:
    """Return colors, stored as BGR or BGRA, as RGB or RGBA."""
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[pixels.shape[-1]]
    return pixels[..., order]


def _decode_jpegxr(content: bytes, shape: Any, dtype: Any) -> Array:
    stored = shape if shape[-1] > 1 else shape[:2]
    pixels = decode_jpegxr(content, math.prod(shape) * dtype.itemsize, stored, dtype)
    return pixels.reshape(shape)


def _decode_jpeg(content: bytes, shape: Any, dtype: Any) -> Array:
    if frame_size(content)[:2] != shape[:2]:
        raise ValueError("a block of its pixels is of another size than its JPEG image")
    check_scans(content[scan_position(content) :])
    return np.asarray(imagecodecs.jpeg8_decode(content)).reshape(shape)


def _decode_bytes(decode: Callable[..., Any], content: bytes, shape: Any, dtype: Any) -> Array:
    size = math.prod(shape) * dtype.itemsize
    return np.frombuffer(decode(content, out=size), dtype).reshape(shape)


def _decode_zstd_split(content: bytes, shape: Any, dtype: Any) -> Array:
    """Decode zstd behind a header, which may say that low and high bytes are stored separately."""
    header = content[0]
    pixels = _decode_bytes(imagecodecs.zstd_decode, content[header:], shape, dtype)
    if header == 3 and content[1] == 1 and content[2] & 1 and dtype.itemsize == 2:
        low, high = pixels.view(np.uint8).reshape(2, -1)
        pixels = np.stack([low, high], axis=-1).view(dtype).reshape(shape)
    return pixels


_DECODERS: Mapping[int, Callable[[bytes, Any, Any], Array]] = {
    _JPEG: _decode_jpeg,
    _LZW: functools.partial(_decode_bytes, imagecodecs.lzw_decode),
    _JPEG_XR: _decode_jpegxr,
    _ZSTD: functools.partial(_decode_bytes, imagecodecs.zstd_decode),
    _ZSTD_SPLIT: _decode_zstd_split,
}


def _metadata_xml(path: Path, file: BinaryIO, czi: Any, size: int) -> str:
    """Return the XML that describes the image, empty if there is none."""
    if not czi.header.metadata_position:
        return ""
    segment = czifile.Segment(czi._fh, czi.header.metadata_position)
    if segment.sid != czifile.MetadataSegment.SID:
        raise FileError(f"{path} is damaged: its metadata are not where they should be")
    data = segment.data()
    if not 0 <= data.xml_size <= min(size, LARGEST_METADATA):
        raise FileError(f"{path} is damaged: its metadata claim {data.xml_size} bytes")
    return str(data.data())


def _time_stamps(file: BinaryIO, czi: Any, size: int) -> tuple[float, ...]:
    """Return the times of frames in seconds since the first; empty if they cannot be read."""
    with suppress(Exception):
        segment = czifile.Segment(czi._fh, czi.header.attachment_directory_position)
        if segment.sid == czifile.AttachmentDirectorySegment.SID:
            for entry in segment.data().entries:
                if entry.content_file_type == "CZTIMS" and entry.data_segment().data_size < size:
                    times = entry.data_segment().data()
                    return tuple(float(time - times[0]) for time in times)
    return ()


def _metadata(xml: str, times: tuple[float, ...], lengths: dict[str, int], dtype: Any) -> Metadata:
    root = parse_xml(xml)
    sizes = {}
    for distance in root.iterfind(".//Scaling/Items/Distance"):
        value = positive_number(child_texts(distance).get("Value"))
        if value and distance.get("Id") in ("X", "Y", "Z"):
            sizes[str(distance.get("Id"))] = Length(float(f"{1e6 * value:.9g}"), "µm")
    channels = root.findall(".//Information/Image/Dimensions/Channels/Channel")
    count, frames = lengths.get("C", 1), lengths.get("T", 1)
    times = times if len(times) == frames > 1 else ()
    if times and times[-1] > 0:
        sizes["T"] = Length(times[-1] / (frames - 1), "s")
    names = tuple(channel.get("Name", "") for channel in channels)
    waves = [positive_number(child_texts(each).get("EmissionWavelength")) for each in channels]
    bits = [positive_number(child_texts(each).get("ComponentBitCount")) or 0 for each in channels]
    is_listed = len(channels) == count
    return Metadata(
        pixel_size=sizes,
        channel_names=names if is_listed and any(names) else (),
        wavelengths=tuple(waves) if is_listed and any(waves) else (),
        times=times,
        objective=_objective(root),
        white=declared_white(max(bits, default=0), dtype),
    )


def _objective(root: Any) -> ObjectiveLens | None:
    element = root.find(".//Information/Instrument/Objectives/Objective")
    if element is None:
        return None
    texts = child_texts(element)
    return ObjectiveLens(
        positive_number(texts.get("LensNA")),
        positive_number(texts.get("NominalMagnification")),
        texts.get("Immersion", ""),
    )
