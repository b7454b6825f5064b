"""EXIF metadata: parse, make upright, and move between JPEG, PNG and TIFF files.

EXIF is a small TIFF file of its own: a header and directories of entries (TIFF 6.0, section 2;
Exif 2.32, section 4.5). A JPEG or PNG file holds it as a blob. In a TIFF
file its directories are children of the file's first one, so they are parsed and packed anew.
"""

import io
import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal

import numpy as np

from ..array_types import Array

_DESCRIPTION = 270
_ORIENTATION = 274
_SOFTWARE = 305
_MAKER_NOTE = 37500
_WIDTH, _HEIGHT = 40962, 40963
_CHILDREN = (34665, 34853, 40965)  # EXIF, GPS and interoperability directories
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SHORT, _LONG, _LONG8 = 3, 4, 16
_MOST_TAGS = 4096
_LARGEST_VALUE = 1 << 24
_LARGEST_EXIF = 1 << 25  # bytes of all values together
# Tags of a TIFF file's first directory that say who, when and with what camera, but not how the
# pixels are stored.
_DESCRIPTIVE = frozenset(
    [271, 272, 305, 306, 315, 316, 18246, 18249, 33432, *range(40091, 40096), *_CHILDREN]
)


@dataclass(frozen=True)
class Entry:
    """One tag: type, number of values, and their bytes in the directory's byte order."""

    kind: int
    count: int
    value: bytes
    position: int


@dataclass(frozen=True)
class Directory:
    """Entries and child directories by tag; `order` is ``"<"`` or ``">"``."""

    order: str
    entries: Mapping[int, Entry]
    children: "Mapping[int, Directory]" = field(default_factory=dict)


@dataclass(frozen=True)
class _Layout:
    """Sizes of the numbers in a classic TIFF or BigTIFF file."""

    order: str
    big: bool

    @property
    def count(self) -> str:
        return self.order + ("Q" if self.big else "H")

    @property
    def offset(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def record(self) -> struct.Struct:
        return struct.Struct(self.order + ("HHQ8s" if self.big else "HHI4s"))

    @property
    def record_type(self) -> np.dtype[Any]:
        size = self.order + ("u8" if self.big else "u4")
        code = self.order + "u2"
        return np.dtype([("tag", code), ("kind", code), ("count", size), ("value", size)])

    @property
    def inline(self) -> int:
        return 8 if self.big else 4

    def size(self, entries: int) -> int:
        fixed = struct.calcsize(self.count) + struct.calcsize(self.offset)
        return fixed + entries * self.record.size


def parse(blob: bytes) -> Directory:
    """Parse EXIF.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    return _read(io.BytesIO(blob))


def read_from_tiff(file: BinaryIO) -> bytes | None:
    """Return the EXIF of an open TIFF file as a blob, None if it is missing or damaged."""
    try:
        directory = _read(file, _DESCRIPTIVE)
    except ValueError:
        return None
    if not (directory.entries.keys() - {_SOFTWARE} or directory.children):
        return None
    return assemble(directory)


def directories(file: BinaryIO, *, wide: bool = False) -> Iterator[tuple[int, Array]]:
    """Yield offset and tags of each directory of an open TIFF file, in the order of their links.

    Links that lead in a circle are followed for ever. Tags are a structured array with the fields
    ``tag``, ``kind``, ``count`` and ``value``. With `wide`, links have 64 bits, as in NDPI files.
    """
    with suppress(struct.error, KeyError, OverflowError, ValueError):
        layout, start = _header(file)
        link = layout.order + "Q" if wide else layout.offset
        if wide:
            file.seek(4)
            start = struct.unpack(link, file.read(8))[0]
        while start:
            file.seek(start)
            count = struct.unpack(layout.count, file.read(struct.calcsize(layout.count)))[0]
            if count > _MOST_TAGS:
                return  # tifffile refuses it
            records = np.frombuffer(file.read(count * layout.record.size), layout.record_type)
            yield start, records
            start = struct.unpack(link, file.read(struct.calcsize(link)))[0]


def assemble(directory: Directory) -> bytes:
    """Return a directory as a blob."""
    header = {"<": b"II*\0\x08\0\0\0", ">": b"MM\0*\0\0\0\x08"}[directory.order]
    return header + _pack(directory, len(header), _Layout(directory.order, big=False))


def make_upright(blob: bytes, width: int, height: int) -> tuple[int, bytes | None]:
    """Return the orientation of a picture, and its EXIF for the picture turned upright.

    All other entries keep their place in the blob, because maker notes hold offsets into it. The
    thumbnail is unlinked, as it shows the picture before it was processed.

    Parameters
    ----------
    blob : bytes
        EXIF.
    width, height : int
        Size of the picture as stored, in pixels.

    Returns
    -------
    orientation : int
        1 to 8.
    blob : bytes, optional
        EXIF of the upright picture, None if it is damaged.
    """
    try:
        directory = parse(blob)
    except ValueError:
        return 1, None
    patched = bytearray(blob)
    orientation = 1
    if entry := directory.entries.get(_ORIENTATION):
        orientation = _number(entry, directory.order)
        _patch(patched, entry, directory.order, 1)
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    if exif := directory.children.get(_CHILDREN[0]):
        for tag, size in ((_WIDTH, width), (_HEIGHT, height)):
            if entry := exif.entries.get(tag):
                _patch(patched, entry, directory.order, size)
    start = struct.unpack_from(directory.order + "I", blob, 4)[0]
    count = struct.unpack_from(directory.order + "H", blob, start)[0]
    _overwrite(patched, start + 2 + 12 * count, bytes(4))
    return orientation if 1 <= orientation <= 8 else 1, _check_intact(bytes(patched))


def _check_intact(blob: bytes) -> bytes | None:
    """Return EXIF, None if patching damaged it: a damaged file can place values on its header."""
    try:
        parse(blob)
    except ValueError:
        return None
    return blob


def make_xmp_upright(packet: bytes) -> bytes:
    """Return an XMP packet whose orientation is upright."""
    return re.sub(rb"(tiff:Orientation(?:\s*=\s*[\"']|>\s*))[2-8]", rb"\g<1>1", packet)


def drop_maker_note(blob: bytes) -> bytes:
    """Return EXIF without the maker's note, the only entry that can be large."""
    directory = parse(blob)
    children = dict(directory.children)
    if exif := children.get(_CHILDREN[0]):
        kept = {tag: entry for tag, entry in exif.entries.items() if tag != _MAKER_NOTE}
        children[_CHILDREN[0]] = Directory(exif.order, kept, exif.children)
    return assemble(Directory(directory.order, directory.entries, children))


def attach_to_tiff(file: BinaryIO, blob: bytes) -> None:
    """Add EXIF to the first directory of a TIFF file that is open for reading and writing.

    The directory is written again at the end of the file, and the header is made to point to it.
    The file must have the byte order of the EXIF, see `byte_order`.
    """
    exif = parse(blob)
    layout, start = _header(file)
    records = _records(file, layout, start)
    following = file.read(struct.calcsize(layout.offset))
    wanted = {_DESCRIPTION, *_DESCRIPTIVE} - {layout.record.unpack(record)[0] for record in records}
    added = {tag: entry for tag, entry in exif.entries.items() if tag in wanted}
    base = file.seek(0, io.SEEK_END)
    file.write(bytes(base % 2))
    base += base % 2
    count = len(records) + len(added) + len(exif.children)
    new, values = _fill(
        Directory(exif.order, added, exif.children), base + layout.size(count), layout
    )
    file.write(struct.pack(layout.count, count))
    file.write(
        b"".join(sorted([*records, *new], key=lambda record: layout.record.unpack(record)[0]))
    )
    file.write(following)
    file.write(values)
    file.seek(8 if layout.big else 4)
    file.write(struct.pack(layout.offset, base))


def byte_order(blob: bytes) -> Literal["<", ">"]:
    """Return ``"<"`` or ``">"``, the byte order of EXIF."""
    return "<" if blob[:2] == b"II" else ">"


def _read(file: BinaryIO, tags: frozenset[int] | None = None) -> Directory:
    try:
        layout, start = _header(file)
        return _DirectoryReader(file, layout, tags).read(start)
    except (struct.error, KeyError, OverflowError) as error:
        raise ValueError(f"EXIF is damaged: {error}") from error


def _header(file: BinaryIO) -> tuple[_Layout, int]:
    file.seek(0)
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}[head[:2]]
    big = struct.unpack_from(order + "H", head, 2)[0] == 43
    layout = _Layout(order, big)
    return layout, struct.unpack_from(layout.offset, head, 8 if big else 4)[0]


def _records(file: BinaryIO, layout: _Layout, start: int) -> list[bytes]:
    file.seek(start)
    count = struct.unpack(layout.count, file.read(struct.calcsize(layout.count)))[0]
    if count > _MOST_TAGS:
        raise ValueError(f"EXIF is damaged: a directory of {count} entries")
    return [file.read(layout.record.size) for _ in range(count)]


class _DirectoryReader:
    """Reader of directories, whose values together are no longer than the file that holds them.

    Parameters
    ----------
    file : binary file
        The file, open for reading.
    layout : _Layout
        Sizes of its numbers.
    tags : frozenset of int, optional
        Tags to read from the first directory; by default all.
    """

    def __init__(self, file: BinaryIO, layout: _Layout, tags: frozenset[int] | None) -> None:
        self._file, self._layout, self._tags = file, layout, tags
        self._remaining = min(file.seek(0, io.SEEK_END), _LARGEST_EXIF)

    def read(self, start: int, depth: int = 0) -> Directory:
        """Read the directory that begins at `start`, and its children."""
        layout = self._layout
        entries: dict[int, Entry] = {}
        children: dict[int, Directory] = {}
        value_at = start + struct.calcsize(layout.count) + layout.record.size - layout.inline
        for index, record in enumerate(_records(self._file, layout, start)):
            tag, kind, count, value = layout.record.unpack(record)
            if depth == 0 and self._tags is not None and tag not in self._tags:
                continue
            if tag in _CHILDREN:
                code = layout.order + ("Q" if kind in (16, 18) else "I")
                with suppress(struct.error, ValueError):  # leave out a damaged directory
                    if depth < 2:
                        offset = struct.unpack_from(code, value)[0]
                        children[tag] = self.read(offset, depth + 1)
                continue
            position = value_at + index * layout.record.size
            entry = self._read_entry(kind, count, value, position)
            if entry is not None:
                entries[tag] = entry
        return Directory(layout.order, entries, children)

    def _read_entry(self, kind: int, count: int, value: bytes, position: int) -> Entry | None:
        size = _TYPE_SIZES.get(kind, 0) * count
        if not 0 < size < _LARGEST_VALUE:
            return None
        if size > self._layout.inline:
            position = struct.unpack(self._layout.offset, value)[0]
            self._file.seek(position)
            value = self._file.read(size)
            self._remaining -= len(value)
            if self._remaining < 0:
                raise ValueError("EXIF is damaged: its values are longer than the file")
        return Entry(kind, count, value[:size], position) if len(value) >= size else None


def _pack(directory: Directory, base: int, layout: _Layout) -> bytes:
    count = len(directory.entries) + len(directory.children)
    records, values = _fill(directory, base + layout.size(count), layout)
    end = struct.pack(layout.offset, 0)
    return struct.pack(layout.count, count) + b"".join(records) + end + values


def _fill(directory: Directory, base: int, layout: _Layout) -> tuple[list[bytes], bytes]:
    """Return the records of a directory, and the values they point to, which begin at `base`."""
    records = []
    values = bytearray()
    for tag in sorted([*directory.entries, *directory.children]):
        offset = struct.pack(layout.offset, base + len(values))
        if child := directory.children.get(tag):
            kind, count, value = _LONG8 if layout.big else _LONG, 1, offset
            values += _pack(child, base + len(values), layout)
        else:
            entry = directory.entries[tag]
            kind, count, value = entry.kind, entry.count, entry.value
            if len(value) > layout.inline:
                values += value
                value = offset
        values += bytes(len(values) % 2)
        records.append(layout.record.pack(tag, kind, count, value))
    return records, bytes(values)


def _number(entry: Entry, order: str) -> int:
    code = {_SHORT: "H", _LONG: "I"}.get(entry.kind)
    return int(struct.unpack_from(order + code, entry.value)[0]) if code else 1


def _patch(blob: bytearray, entry: Entry, order: str, number: int) -> None:
    if entry.kind == _SHORT and number <= 0xFFFF:
        _overwrite(blob, entry.position, struct.pack(order + "H", number))
    elif entry.kind == _LONG:
        _overwrite(blob, entry.position, struct.pack(order + "I", number))


def _overwrite(blob: bytearray, position: int, value: bytes) -> None:
    if position + len(value) <= len(blob):
        blob[position : position + len(value)] = value
