"""Checks of what a TIFF file claims, made before tifffile allocates memory for it.

A few bytes can claim thousands of millions of planes, files elsewhere, or a tile of gigabytes.
"""

import math
import os
import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers import expat

import numpy as np
from tifffile import TIFF

from ..array_types import Array
from ..errors import FileError, reason
from . import exif
from .jpeg_segments import check_scans, frame_size, scan_position
from .json_file import check_json
from .limits import DEFLATE_RATIO, JPEG_RATIO, LARGEST_METADATA, LARGEST_RATIO, check_claim
from .regular_file import open_regular

#: Directories of a file: enough for a stack of 65 535 frames. tifffile takes 50 microseconds each.
_MOST_DIRECTORIES = 70_000
#: The same if they differ in size: tifffile compares each of them with all others.
_MOST_UNEQUAL_DIRECTORIES = 10_000
_BATCH = 1000  # directories checked at a time
#: Values of a tag such as the places of all tiles, each of 40 bytes in Python.
_MOST_VALUES = 2_000_000
#: Planes, with those of all images and files of an OME-TIFF.
_MOST_PLANES = 1_000_000
#: Elements and attributes of OME-XML, of up to 500 and 100 bytes in Python.
_MOST_ELEMENTS, _MOST_ATTRIBUTES = 500_000, 2_000_000
_MOST_FILES = 10_000
_Directory = tuple[int, Array]
# By tag: whether tifffile reads its values in each directory.
_IS_LOADED = np.isin(np.arange(1 << 16), sorted(TIFF.TAG_LOAD)).astype(float)
# By type: bytes of a value, and whether it becomes a number of Python's.
_IS_NUMBER = (~np.isin(np.arange(1 << 16), [1, 2, 7])).astype(float)
_VALUE_SIZES = np.zeros(1 << 16)
_VALUE_SIZES[1:19] = [1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8]
_SUB_DIRECTORIES = 330
_JPEG, _JPEG2000 = (6, 7, 33007, 34892), (33003, 33004, 33005, 34712)
#: PNG, JPEG XR, WebP, JPEG XL and LERC: images of which each is a tile.
SIZED_BY_OUTPUT = (22610, 34887, 34933, 34934, 50001, 50002, 52546)
#: Ratios of pixels to bytes by compression.
_RATIOS: Mapping[int, float] = {
    1: 1,
    5: 1400,
    8: DEFLATE_RATIO,
    32946: DEFLATE_RATIO,
    32773: 64,
    **dict.fromkeys(_JPEG, JPEG_RATIO),
}
_START_OF_JPEG2000 = b"\xff\x4f\xff\x51"
_JPEG2000_HEADER = struct.Struct(">4x8IH")  # length and capabilities, sizes and places, colors
_SMALL = 1 << 16


def check_directories(file: BinaryIO, path: Path) -> int:
    """Return the number of directories of an open file, with those below them.

    Raises
    ------
    FileError
        If they lead in a circle, are too many, or claim longer values than the file holds.
    """
    starts: set[int] = set()
    below, claimed = 0, 0.0
    wide = path.suffix.lower() == ".ndpi"
    for batch in _batches(exif.directories(file, wide=wide)):
        for start, _ in batch:
            if start in starts:
                raise FileError(f"{path} is damaged: its directories lead in a circle")
            starts.add(start)
        if len(starts) > _MOST_DIRECTORIES:
            raise FileError(
                f"{path} holds more than {_MOST_DIRECTORIES} pages; split it into several files"
            )
        tags = np.concatenate([tags for _, tags in batch])
        kinds, counts = tags["kind"], tags["count"] * _IS_LOADED[tags["tag"]]
        if (counts * _IS_NUMBER[kinds]).max(initial=0) > _MOST_VALUES:
            raise FileError(f"{path} is damaged: its tags claim more than {_MOST_VALUES} values")
        claimed += (counts * _VALUE_SIZES[kinds]).sum()
        below += int(tags["count"][tags["tag"] == _SUB_DIRECTORIES].sum())
    if claimed > 2 * file.seek(0, os.SEEK_END) + LARGEST_METADATA:
        raise FileError(f"{path} is damaged: its tags claim more bytes than it holds")
    file.seek(0)
    return len(starts) + below


def _batches(directories: Iterator[_Directory]) -> Iterator[list[_Directory]]:
    while batch := list(islice(directories, _BATCH)):
        yield batch


def check_pages(path: Path, tiff: Any, directories: int) -> None:
    """Refuse very many pages of several sizes, and a description that claims too much."""
    in_series = tiff.is_ome or tiff.is_imagej or tiff.is_shaped or tiff.is_uniform
    if directories > _MOST_UNEQUAL_DIRECTORIES and not in_series:
        raise FileError(
            f"{path} holds {directories} pages of several sizes; up to "
            f"{_MOST_UNEQUAL_DIRECTORIES} are read"
        )
    if not len(tiff.pages):
        raise FileError(f"{path} holds no image")
    check_description(path, tiff.pages.first.description, directories)


def check_description(path: Path, text: str, directories: int) -> None:
    """Refuse OME-XML that claims too much, or planes in files of other folders.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    text : str
        Its description.
    directories : int
        Number of its directories.
    """
    if len(text) > LARGEST_METADATA:
        raise FileError(f"{path} is damaged: its description is {len(text)} characters long")
    if not text[-10:].strip().endswith("OME>"):
        check_json(text.encode())
        return
    if text.count("<") > _MOST_ELEMENTS or text.count("=") > _MOST_ATTRIBUTES:
        raise FileError(f"{path} is damaged: its OME-XML holds too many elements")
    claims = _OmeClaims(directories)
    try:
        claims.parse(text)
    except expat.ExpatError:
        return  # tifffile refuses it too
    except ValueError as error:
        raise FileError(f"{path} is damaged: {reason(error)}") from error
    for name in sorted(claims.files):
        if not name or set(name) & set("/\\:"):
            raise FileError(f"{path} names planes in {name}; only files in its own folder are read")
        beside = path.resolve().parent / name
        with suppress(FileNotFoundError), open_regular(beside) as file:
            check_directories(file, beside)


class _OmeClaims:
    """Planes and files that OME-XML claims, counted while it is parsed, without a tree of it."""

    def __init__(self, directories: int) -> None:
        self.files: set[str] = set()
        self._directories, self._planes = directories, 0.0

    def parse(self, text: str) -> None:
        """Raise a ValueError if the claims are too large."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.StartDoctypeDeclHandler = self._refuse_entities
        parser.Parse(text, True)

    def _refuse_entities(self, *_: object) -> None:
        raise ValueError("its OME-XML declares entities")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "Pixels":
            self._add(math.prod(float(attributes.get(f"Size{axis}", 1)) for axis in "ZCT"))
        elif local == "TiffData":
            default = attributes.get("NumPlanes", 1 if "IFD" in attributes else self._directories)
            self._add(float(attributes.get("PlaneCount", default)))
        elif local.startswith("ModuloAlong") and "Start" in attributes:
            start, end = float(attributes["Start"]), float(attributes["End"])
            self._add((end - start) / float(attributes.get("Step", 1)))
        elif local == "UUID" and "FileName" in attributes:
            self.files.add(attributes["FileName"])
            if len(self.files) > _MOST_FILES:
                raise ValueError(f"its OME-XML names more than {_MOST_FILES} files")

    def _add(self, planes: float) -> None:
        self._planes += abs(planes)
        if not self._planes <= _MOST_PLANES:
            raise ValueError(f"its OME-XML claims more than {_MOST_PLANES} planes")


def check_series(path: Path, series: Any) -> None:
    """Refuse pixels or tiles that are larger than what the data of the series can hold.

    Parameters
    ----------
    path : pathlib.Path
        The file, for messages.
    series : tifffile.TiffPageSeries
        The series, without missing planes.
    """
    page = series.keyframe
    if _segment_size(page) > max(LARGEST_METADATA, 2 * page.nbytes):
        raise FileError(f"{path} is damaged: its tiles are larger than the image")
    bits = page.bitspersample if isinstance(page.bitspersample, int) else 8
    unpacked = 8 * series.dtype.itemsize / bits
    ratio = _RATIOS.get(int(page.compression), LARGEST_RATIO)
    check_claim(path, series.size * series.dtype.itemsize, _held(series), unpacked * ratio)


def guard_decoders(path: Path, series: Any) -> None:
    """Make the pages of a series compare the header of each tile with the tile's size.

    Decoders of images within a tile allocate what the image's header claims. Most can be told where
    to write instead; those of JPEG and JPEG 2000 cannot.
    """
    for page in {id(page.keyframe): page.keyframe for page in series.pages}.values():
        compression = int(page.compression)
        if compression in (*_JPEG, *_JPEG2000):
            size_of = _size_of_jpeg if compression in _JPEG else _size_of_jpeg2000
            page.decode = _guarded(page.decode, size_of, 4 * _segment_size(page) + _SMALL, path)
        elif compression in SIZED_BY_OUTPUT:
            page.decode = _decode_into(page.decode, TIFF.DECOMPRESSORS[compression], page.dtype)


def _guarded(decode: Any, size_of: Any, largest: int, path: Path) -> Any:
    def guarded(data: bytes | None, *args: Any, **options: Any) -> Any:
        for content in (data, options.get("jpegheader")):
            if content is not None and size_of(content) > largest:
                raise FileError(f"{path} is damaged: a tile claims to be larger than all tiles are")
        return decode(data, *args, **options)

    return guarded


def _decode_into(decode: Any, decompress: Any, dtype: Any) -> Any:
    def decode_into(data: bytes | None, index: int, **options: Any) -> Any:
        if data is None:
            return decode(data, index, **options)
        _, place, shape = decode(None, index, **options)
        pixels = np.empty(shape[1:] if shape[3] > 1 else shape[1:3], dtype)
        decompress(data, out=pixels)  # refuses another size before it decodes
        return pixels.reshape(shape), place, shape

    return decode_into


def _size_of_jpeg(content: bytes) -> int:
    """Return the bytes of pixels that JPEG data claim to hold."""
    height, width, colors = frame_size(content)
    if height:
        check_scans(content[scan_position(content) :])
    return int(height * width * colors)


def _size_of_jpeg2000(content: bytes) -> int:
    """Return the bytes of pixels that JPEG 2000 data claim to hold."""
    largest = 0
    for match in re.finditer(_START_OF_JPEG2000, content):
        header = content[match.end() : match.end() + _JPEG2000_HEADER.size]
        if len(header) == _JPEG2000_HEADER.size:
            width, height, left, top, *_, colors = _JPEG2000_HEADER.unpack(header)
            largest = max(largest, int((width - left) * (height - top) * colors))
    return largest


def _segment_size(page: Any) -> int:
    """Return the bytes of a decoded tile or strip."""
    if page.is_tiled:
        pixels = page.tilewidth * page.tilelength * page.tiledepth
    else:
        pixels = page.imagewidth * min(page.rowsperstrip, page.imagelength)
    samples = page.samplesperpixel if int(page.planarconfig) == 1 else 1
    return int(pixels * samples * page.dtype.itemsize)


def _held(series: Any) -> int:
    """Return the bytes of all files that hold pixels of the series, shared ones once."""
    handles = {page.parent.filehandle.path: page.parent.filehandle for page in series.pages}
    size = sum(int(handle.size) for handle in handles.values())
    if series.dataoffset is not None:
        return size
    segments: dict[tuple[str, int], int] = {
        (page.parent.filehandle.path, offset): count
        for page in series.pages
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
    }
    return min(size, sum(segments.values()))
