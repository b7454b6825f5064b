"""PNG files: pixels by imagecodecs, which reads 16-bit color, and metadata chunk by chunk.

Names and layouts of chunks: PNG specification, third edition, section 11.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import imagecodecs
import numpy as np

from ..array_types import Array
from ..errors import FileError
from . import exif
from .alpha import with_straight_alpha
from .limits import DEFLATE_RATIO, LARGEST_METADATA, check_claim, check_memory, check_pixels
from .picture import Metadata, Picture, Resolution, turn_upright
from .regular_file import open_regular, read_regular
from .stills import to_full_range

_SIGNATURE_SIZE = 8
_HEADER_END = 33  # bytes of signature and IHDR; the first other chunk may follow
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_COLOR = (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI")
_DEPTH = b"sBIT"
_XMP = "XML:com.adobe.xmp"
_SAMPLES = {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}
_PALETTE = 3
_LARGEST_EXCESS = 1 << 16  # bytes of compressed pixels beyond twice those of plain ones
_MOST_CHUNKS = 10_000  # of metadata
_LARGEST_TEXT = 1 << 24  # characters of a decompressed text, and of all texts together
_COMPRESSION = 4  # a quarter of the time of the default 6, for files 5 % larger


def read_png(path: Path) -> Picture:
    """Read a PNG file: palettes become colors, transparency an alpha channel."""
    with open_regular(path) as file:
        head = file.read(_HEADER_END)
    if head[12:16] != b"IHDR" or len(head) < _HEADER_END:
        raise FileError(f"{path} is damaged or truncated: it does not begin with its size")
    width, height, bits, kind = struct.unpack_from(">IIBB", head, 16)
    check_pixels(path, width, height)
    stored = width * height * (1 if kind == _PALETTE else _SAMPLES.get(kind, 4)) * bits // 8
    content = read_regular(path, 2 * (stored + height) + LARGEST_METADATA)
    held = sum(part.stop - part.start for name, part in _parts(content) if name == b"IDAT")
    if held > 2 * (stored + height) + _LARGEST_EXCESS:
        raise FileError(f"{path} is damaged: it holds more pixels than its size takes")
    decoded = width * height * _SAMPLES.get(kind, 4) * (2 if bits == 16 else 1)
    check_claim(path, decoded, held, DEFLATE_RATIO * decoded / max(stored, 1))
    check_memory(path, decoded)
    chunks = list(islice(_chunks(content), _MOST_CHUNKS))
    data = imagecodecs.png_decode(_pixels(content))
    metadata, orientation = _metadata(chunks, width, height)
    depth = dict(chunks).get(_DEPTH)
    if white := _white(depth, kind, data):
        metadata = replace(metadata, white=white, png=(*metadata.png, (_DEPTH, depth or b"")))
    color = data.ndim == 3 and data.shape[-1] in (3, 4)
    data = turn_upright(data, orientation, color=data.ndim == 3)
    ignored = "frames behind the first" if any(name == b"acTL" for name, _ in chunks) else ""
    if data.ndim == 3 and not color:
        gray, alpha = (np.ascontiguousarray(data[..., index]) for index in (0, 1))
        return Picture(gray, "YX", metadata, alpha, ignored)
    return Picture(data, "YXS" if color else "YX", metadata, ignored=ignored)


def check_png(picture: Picture, path: Path) -> None:
    """Raise a FileError if a picture is a stack or not of unsigned 8- or 16-bit values."""
    if picture.axes not in ("YX", "YXS"):
        raise FileError(f"{path} cannot hold a stack of axes {picture.axes}; write a .tif")
    if picture.data.dtype not in (np.uint8, np.uint16):
        raise FileError(
            f"{path} cannot hold {picture.data.dtype} values; PNG holds uint8 and uint16, "
            "write a .tif"
        )


def write_png(file: BinaryIO, picture: Picture, path: Path) -> None:
    """Write gray or color of 8 or 16 bits."""
    check_png(picture, path)
    picture = with_straight_alpha(picture)
    data, metadata = picture.data, picture.metadata
    if picture.axes == "YXS" and _DEPTH not in dict(metadata.png):
        data, metadata = to_full_range(data, metadata.white), replace(metadata, white=None)
    if picture.alpha is not None:
        data = np.stack([data, picture.alpha], axis=-1)
    content = imagecodecs.png_encode(np.ascontiguousarray(data), level=_COMPRESSION)
    file.write(content[:_HEADER_END])
    for name, body in _metadata_chunks(metadata, data.shape[2] if data.ndim == 3 else 1):
        file.write(_chunk(name, body))
    file.write(content[_HEADER_END:])


def _pixels(content: bytes) -> bytes:
    """Return the file without metadata, as the decoder prints warnings about damaged ones."""
    kept = [content[:_SIGNATURE_SIZE]]
    kept += [content[part] for name, part in _parts(content) if name in _PIXELS]
    return b"".join(kept)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield names and contents of all intact chunks other than the pixels."""
    for name, part in _parts(content):
        body, check = content[part.start + 8 : part.stop - 4], content[part.stop - 4 : part.stop]
        if name not in _PIXELS and check == struct.pack(">I", zlib.crc32(body, zlib.crc32(name))):
            yield name, body


def _parts(content: bytes) -> Iterator[tuple[bytes, slice]]:
    """Yield names and places of all chunks; a place includes length, name and checksum."""
    position = _SIGNATURE_SIZE
    while position + 12 <= len(content):
        length, name = struct.unpack_from(">I4s", content, position)
        yield name, slice(position, position + 12 + length)
        position += 12 + length


def _metadata(
    chunks: Iterable[tuple[bytes, bytes]], width: int, height: int
) -> tuple[Metadata, int]:
    """Return the metadata of the upright picture, and the orientation of the stored pixels."""
    bodies = dict(reversed(list(chunks)))  # of several chunks of one name the first counts
    text = _texts(chunks)
    orientation, blob = 1, bodies.get(b"eXIf")
    if blob is not None:
        orientation, blob = exif.make_upright(blob, width, height)
    resolution = _resolution(bodies.get(b"pHYs"))
    if resolution and orientation in (5, 6, 7, 8):
        resolution = Resolution(resolution.y, resolution.x, resolution.unit)
    xmp = text.pop(_XMP, "").encode()
    if orientation != 1:
        xmp = exif.make_xmp_upright(xmp)
    return Metadata(
        exif=blob,
        icc=_profile(bodies.get(b"iCCP")),
        xmp=xmp or None,
        text=text,
        resolution=resolution,
        png=tuple((name, bodies[name]) for name in _COLOR if name in bodies),
    ), orientation


def _metadata_chunks(metadata: Metadata, samples: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks that hold the metadata, in an order the specification allows."""
    for name, body in metadata.png:
        if name != _DEPTH and not (
            name == b"sRGB" and metadata.icc
        ):  # the specification allows only one of them
            yield name, body
    if metadata.white is not None:
        yield _DEPTH, bytes([int(metadata.white).bit_length()] * samples)
    if metadata.icc:
        yield b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)
    per_inch = metadata.resolution and metadata.resolution.per_inch()
    if per_inch:
        x, y = (min(round(value / 0.0254), 2**31 - 1) for value in per_inch)
        yield b"pHYs", struct.pack(">IIB", x, y, 1)
    if metadata.exif:
        yield b"eXIf", metadata.exif
    if metadata.xmp:
        yield b"iTXt", _XMP.encode() + b"\0\0\0\0\0" + metadata.xmp
    for keyword, value in metadata.text.items():
        yield b"iTXt", keyword.encode("latin-1", "replace")[:79] + b"\0\0\0\0\0" + value.encode()


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), name) + body + struct.pack(">I", zlib.crc32(name + body))


def _white(body: bytes | None, kind: int, data: Array) -> float | None:
    """Return white by the significant bits, if values were not scaled up as they should be."""
    if not body or kind == _PALETTE or not data.size:
        return None
    colors = 3 if kind & 2 else 1
    white = (1 << min(max(body[:colors]), 16)) - 1
    largest = (data[..., :colors] if data.ndim == 3 else data).max()
    return float(white) if largest <= white < np.iinfo(data.dtype).max else None


def _texts(chunks: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return texts by keyword, up to a total length of `_LARGEST_TEXT`."""
    texts: dict[str, str] = {}
    remaining = _LARGEST_TEXT
    for name, body in chunks:
        if name in (b"tEXt", b"zTXt", b"iTXt"):
            keyword, value = _text(name, body)
            remaining -= len(value)
            if remaining > 0:
                texts[keyword] = value
    return texts


def _text(name: bytes, body: bytes) -> tuple[str, str]:
    keyword, _, rest = body.partition(b"\0")
    if name == b"tEXt":
        value = rest.decode("latin-1")
    elif name == b"zTXt":
        value = _inflate(rest[1:]).decode("latin-1")
    else:
        content = rest[2:].split(b"\0", 2)[-1]
        value = (_inflate(content) if rest[:1] == b"\1" else content).decode(errors="replace")
    return keyword.decode("latin-1"), value


def _profile(body: bytes | None) -> bytes | None:
    return _inflate(body.partition(b"\0")[2][1:]) or None if body else None


def _resolution(body: bytes | None) -> Resolution | None:
    if body is None or len(body) != 9:
        return None
    x, y, unit = struct.unpack(">IIB", body)
    return Resolution(x / 100, y / 100, "centimeter") if unit == 1 else Resolution(x, y, "none")


def _inflate(body: bytes) -> bytes:
    """Decompress; return nothing if the data are damaged or larger than `_LARGEST_TEXT`."""
    try:
        content = zlib.decompressobj().decompress(body, _LARGEST_TEXT)
    except zlib.error:
        return b""
    return content if len(content) < _LARGEST_TEXT else b""
