"""Boxes of AVIF, HEIF, JPEG 2000 and JPEG XL files: items, their properties, and metadata.

Names and layouts of boxes: ISO/IEC 14496-12 (ISO base media file format) and 23008-12 (HEIF).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from .picture import Metadata

_MOST_ITEMS = 20_000
_URI_OF_XMP = b"application/rdf+xml\0"
# Primaries and transfer functions (ITU-T H.273) that are shown as sRGB; 2: not said.
_LIKE_SRGB = ({1, 2, 5, 6}, {1, 2, 6, 13})
_ESSENTIAL = 0x80  # a reader must know the property


@dataclass(frozen=True)
class Item:
    """A part of the file, such as a coded picture or EXIF.

    Parameters
    ----------
    kind : bytes
        Four letters, such as ``b"av01"``, and for ``b"mime"`` the media type behind them.
    extents : tuple of (int, int)
        Where its bytes begin, and how many there are.
    properties : tuple of (bytes, bytes, bool)
        Names and contents of its properties, and whether a reader must know them.
    references : tuple of (bytes, tuple of int)
        Kinds of its relations, and the items that it is related to.
    """

    kind: bytes
    extents: tuple[tuple[int, int], ...] = ()
    properties: tuple[tuple[bytes, bytes, bool], ...] = ()
    references: tuple[tuple[bytes, tuple[int, ...]], ...] = ()

    def property(self, name: bytes) -> bytes | None:
        """Return the content of the first property of a name, None if there is none."""
        return next((body for each, body, _ in self.properties if each == name), None)


@dataclass(frozen=True)
class Items:
    """Items of a file by number, and which of them is the picture."""

    content: bytes = field(repr=False)
    primary: int
    items: dict[int, Item]

    def data(self, number: int) -> bytes:
        """Return the bytes of an item."""
        parts = (self.content[start : start + size] for start, size in self.items[number].extents)
        return b"".join(parts)

    def described_by(self, kind: bytes) -> bytes | None:
        """Return the bytes of the first item of a kind that describes the picture."""
        for number, item in self.items.items():
            targets = [to for name, numbers in item.references if name == b"cdsc" for to in numbers]
            if item.kind == kind and (not targets or self.primary in targets):
                return self.data(number)
        return None

    def exif(self) -> bytes | None:
        """Return the EXIF of the picture as a TIFF structure."""
        body = self.described_by(b"Exif")
        if body is None or len(body) < 12:
            return None
        return body[4 + struct.unpack_from(">I", body)[0] :] or None

    def xmp(self) -> bytes | None:
        """Return the XMP packet of the picture."""
        return self.described_by(b"mime" + _URI_OF_XMP) or None

    def profile(self) -> bytes | None:
        """Return the color profile of the picture."""
        for name, body, _ in self.items[self.primary].properties:
            if name == b"colr" and body[:4] in (b"prof", b"rICC"):
                return body[4:]
        return None

    def color_chunks(self) -> tuple[tuple[bytes, bytes], ...]:
        """Return colors other than those of sRGB as PNG has them, if they are no profile."""
        for name, body, _ in self.items[self.primary].properties:
            if name == b"colr" and body[:4] == b"nclx" and len(body) >= 11:
                primaries, transfer = body[5], body[7]
                if primaries not in _LIKE_SRGB[0] or transfer not in _LIKE_SRGB[1]:
                    return ((b"cICP", bytes([primaries, transfer, 0, 1])),)
        return ()

    def orientation(self) -> int:
        """Return the EXIF orientation that says the same as the picture's rotation and mirroring.

        The mirroring follows the rotation, which is counterclockwise.
        """
        turns = (self.items[self.primary].property(b"irot") or b"\0")[0] & 3
        mirror = self.items[self.primary].property(b"imir")
        if mirror is None:
            return (1, 8, 3, 6)[turns]
        return ((4, 5, 2, 7), (2, 7, 4, 5))[mirror[0] & 1][turns]

    def size(self) -> tuple[int, int]:
        """Return width and height that the picture claims before it is turned.

        Raises
        ------
        ValueError
            If it claims none.
        """
        body = self.items[self.primary].property(b"ispe")
        if body is None or len(body) < 12:
            raise ValueError("it does not say how large its picture is")
        width, height = struct.unpack_from(">II", body, 4)
        return width, height


def boxes(
    content: bytes, start: int = 0, end: int | None = None
) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each box, and where its content begins and ends."""
    end = len(content) if end is None else min(end, len(content))
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", content, start)
        head = 8
        if size == 1 and start + 16 <= end:
            size, head = struct.unpack_from(">Q", content, start + 8)[0], 16
        stop = end if size == 0 else start + size
        if size and size < head:
            return
        yield name, start + head, min(stop, end)
        start = stop


def read_items(content: bytes) -> Items:
    """Read the items of a file.

    Raises
    ------
    ValueError
        If it holds no picture that it describes.
    """
    try:
        return _read_items(content)
    except (struct.error, KeyError, IndexError) as error:
        raise ValueError(f"its boxes do not fit together: {error!r}") from error


def _read_items(content: bytes) -> Items:
    meta = next(((start, end) for name, start, end in boxes(content) if name == b"meta"), None)
    if meta is None:
        raise ValueError("it holds no still picture")
    inside = {name: (start, end) for name, start, end in boxes(content, meta[0] + 4, meta[1])}
    primary = _Numbers(content, inside[b"pitm"][0])
    version = primary.take(4) >> 24
    number = primary.take(2 if version == 0 else 4)
    items = dict(_kinds(content, *inside[b"iinf"]))
    stored = inside.get(b"idat", (0, 0))[0]
    for each, extents in _places(content, inside[b"iloc"][0], stored):
        if each in items:
            items[each] = replace(items[each], extents=extents)
    for each, properties in _properties(content, *inside[b"iprp"]):
        if each in items:
            items[each] = replace(items[each], properties=properties)
    for each, references in _references(content, inside.get(b"iref")):
        if each in items:
            items[each] = replace(items[each], references=references)
    if number not in items:
        raise ValueError("it does not say which item is its picture")
    return Items(content, number, items)


class _Numbers:
    """Reader of numbers of any size, one behind the other."""

    def __init__(self, content: bytes, position: int) -> None:
        self.content, self.position = content, position

    def take(self, size: int) -> int:
        part = self.content[self.position : self.position + size]
        if len(part) < size:
            raise IndexError("a number behind the end")
        self.position += size
        return int.from_bytes(part)

    def count(self, size: int) -> int:
        number = self.take(size)
        if number > _MOST_ITEMS:
            raise ValueError(f"it claims {number} items; up to {_MOST_ITEMS} are read")
        return number


def _kinds(content: bytes, start: int, end: int) -> Iterator[tuple[int, Item]]:
    numbers = _Numbers(content, start)
    count = numbers.count(2 if numbers.take(4) >> 24 == 0 else 4)
    entries = (entry for entry in boxes(content, numbers.position, end) if entry[0] == b"infe")
    for _, (_, at, stop) in zip(range(count), entries, strict=False):
        entry = _Numbers(content, at)
        version = entry.take(4) >> 24
        if version < 2:
            continue
        number = entry.take(2 if version == 2 else 4)
        kind = content[entry.position + 2 : entry.position + 6]
        if kind == b"mime":
            kind += (
                content[entry.position + 6 : stop].partition(b"\0")[2].partition(b"\0")[0] + b"\0"
            )
        yield number, Item(kind)


def _places(
    content: bytes, start: int, stored: int
) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
    numbers = _Numbers(content, start)
    version = numbers.take(4) >> 24
    sizes = numbers.take(2)
    offset_size, length_size, base_size, index_size = (
        sizes >> shift & 15 for shift in (12, 8, 4, 0)
    )
    for _ in range(numbers.count(2 if version < 2 else 4)):
        number = numbers.take(2 if version < 2 else 4)
        method = numbers.take(2) & 15 if version else 0
        numbers.take(2)  # the file that holds it: this one
        base = numbers.take(base_size)
        extents = []
        for _ in range(numbers.count(2)):
            if version and index_size:
                numbers.take(index_size)
            offset, size = numbers.take(offset_size), numbers.take(length_size)
            extents.append((base + offset + (stored if method == 1 else 0), size))
        yield number, tuple(extents)


def _properties(
    content: bytes, start: int, end: int
) -> Iterator[tuple[int, tuple[tuple[bytes, bytes, bool], ...]]]:
    inside = {name: (at, stop) for name, at, stop in boxes(content, start, end)}
    listed = [(name, content[at:stop]) for name, at, stop in boxes(content, *inside[b"ipco"])]
    numbers = _Numbers(content, inside[b"ipma"][0])
    head = numbers.take(4)
    wide = head & 1
    for _ in range(numbers.count(4)):
        number = numbers.take(2 if head >> 24 == 0 else 4)
        indices = [numbers.take(1 + wide) for _ in range(numbers.take(1))]
        flag = _ESSENTIAL << 8 * wide
        yield (
            number,
            tuple(
                (*listed[(index & ~flag) - 1], bool(index & flag))
                for index in indices
                if 0 < index & ~flag <= len(listed)
            ),
        )


def _references(
    content: bytes, place: tuple[int, int] | None
) -> Iterator[tuple[int, tuple[tuple[bytes, tuple[int, ...]], ...]]]:
    if place is None:
        return
    size = 2 if content[place[0]] == 0 else 4
    collected: dict[int, list[tuple[bytes, tuple[int, ...]]]] = {}
    for name, at, _ in boxes(content, place[0] + 4, place[1]):
        numbers = _Numbers(content, at)
        number = numbers.take(size)
        targets = tuple(numbers.take(size) for _ in range(numbers.count(2)))
        collected.setdefault(number, []).append((name, targets))
    for number, references in collected.items():
        yield number, tuple(references)


def box(name: bytes, *parts: bytes) -> bytes:
    """Return a box."""
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), name) + content


def add_metadata(content: bytes, metadata: Metadata, colors: tuple[int, int]) -> bytes:
    """Return a file with the metadata of its picture added.

    Parameters
    ----------
    content : bytes
        A file with a single picture and its alpha channel, as encoders write it.
    metadata : Metadata
        Its color profile, EXIF and XMP packet are added.
    colors : tuple of int
        Primaries and transfer function, as ITU-T H.273 numbers them.
    """
    file = read_items(content)
    items = dict(file.items)
    data = {number: file.data(number) for number in items}
    properties = [_with_colors(each, colors) for each in items[file.primary].properties]
    if metadata.icc:
        properties.append((b"colr", b"prof" + metadata.icc, False))
    items[file.primary] = replace(items[file.primary], properties=tuple(properties))
    describes = ((b"cdsc", (file.primary,)),)
    if metadata.exif:
        number = max(items) + 1
        items[number] = Item(b"Exif", references=describes)
        data[number] = bytes(4) + metadata.exif
    if metadata.xmp:
        number = max(items) + 1
        items[number] = Item(b"mime" + _URI_OF_XMP, references=describes)
        data[number] = metadata.xmp
    _, start, end = next(boxes(content))
    return _assemble(content[start:end], file.primary, items, data)


def _with_colors(
    described: tuple[bytes, bytes, bool], colors: tuple[int, int]
) -> tuple[bytes, bytes, bool]:
    name, body, is_essential = described
    if name == b"colr" and body[:4] == b"nclx":
        body = body[:4] + struct.pack(">HH", *colors) + body[8:]
    return name, body, is_essential


def extract_still(file: Items, brand: bytes = b"avif") -> bytes:
    """Return a file with the items of one that holds frames, too."""
    data = {number: file.data(number) for number in file.items}
    return _assemble(brand + bytes(4) + brand + b"mif1miaf", file.primary, file.items, data)


def _assemble(kind: bytes, primary: int, items: dict[int, Item], data: dict[int, bytes]) -> bytes:
    head = box(b"ftyp", kind)
    size = len(head) + len(_meta(primary, items, data, 0))
    return head + _meta(primary, items, data, size + 8) + box(b"mdat", *data.values())


def _meta(primary: int, items: dict[int, Item], data: dict[int, bytes], start: int) -> bytes:
    """Return the box that describes all items, whose bytes follow one another from `start` on."""
    places, kinds, relations = [], [], []
    for number, item in items.items():
        places.append(struct.pack(">HHHII", number, 0, 1, start, len(data[number])))
        start += len(data[number])
        name = item.kind[:4] + b"\0" + item.kind[4:]
        kinds.append(box(b"infe", struct.pack(">IHH", 2 << 24, number, 0), name))
        for kind, targets in item.references:
            pack = struct.pack(f">HH{len(targets)}H", number, len(targets), *targets)
            relations.append(box(kind, pack))
    handler = struct.pack(">II4s12xx", 0, 0, b"pict")
    return box(
        b"meta",
        bytes(4),
        box(b"hdlr", handler),
        box(b"pitm", struct.pack(">IH", 0, primary)),
        box(b"iloc", struct.pack(">IHH", 0, 0x4400, len(items)), *places),
        box(b"iinf", struct.pack(">IH", 0, len(items)), *kinds),
        *([box(b"iref", bytes(4), *relations)] if relations else []),
        _property_box(items),
    )


def _property_box(items: dict[int, Item]) -> bytes:
    listed = list(dict.fromkeys(each[:2] for item in items.values() for each in item.properties))
    owners = {number: item.properties for number, item in items.items() if item.properties}
    associations = [
        struct.pack(">HB", number, len(properties))
        + bytes(listed.index(each[:2]) + 1 | (_ESSENTIAL if each[2] else 0) for each in properties)
        for number, properties in owners.items()
    ]
    return box(
        b"iprp",
        box(b"ipco", *(box(name, body) for name, body in listed)),
        box(b"ipma", struct.pack(">II", 0, len(owners)), *associations),
    )
