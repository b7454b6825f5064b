"""JPEG 2000 files: pixels by imagecodecs, the color profile and XMP from their boxes."""

import struct
from pathlib import Path

import imagecodecs
import numpy as np

from ..errors import FileError
from .isobmff import boxes
from .limits import LARGEST_METADATA, LARGEST_PICTURE
from .picture import Picture
from .regular_file import read_regular
from .stills import check_still, make_metadata, make_still

_CODESTREAM, _END = b"\xff\x4f\xff\x51", b"\xff\xd9"
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF = b"JpgTiffExif->JP2"
_CMYK = struct.pack(">I", 12)
_LARGEST_PIXEL = 8  # bytes


def read_jpeg2000(path: Path) -> Picture:
    """Read a JPEG 2000 file (JP2, or a bare codestream) of up to 16 bits a value."""
    content = read_regular(path, 4 * LARGEST_PICTURE + LARGEST_METADATA)
    start = content.find(_CODESTREAM)
    if start < 0:
        raise ValueError("it holds no JPEG 2000 codestream")
    if content.rfind(_END) < start:
        raise ValueError("its pixels have no end")
    right, bottom, left, top = struct.unpack_from(">4I", content, start + 8)
    bits = 1 + (content[start + 42] & 0x7F)
    check_still(path, (right - left, bottom - top), _LARGEST_PIXEL, len(content))
    data = np.asarray(imagecodecs.jpeg2k_decode(content))
    if _is_cmyk(content):
        raise FileError(f"{path} holds CMYK colors; convert it to RGB first")
    blobs = {content[at : at + 16]: content[at + 16 : end] for at, end in _places(content, b"uuid")}
    metadata, orientation = make_metadata(
        (right - left, bottom - top),
        blob=blobs.get(_EXIF),
        xmp=blobs.get(_XMP),
        icc=_profile(content),
        white=float((1 << bits) - 1) if 8 < bits < 16 else None,
    )
    return make_still(data, metadata, orientation)


def _places(content: bytes, name: bytes) -> list[tuple[int, int]]:
    if content.startswith(_CODESTREAM):
        return []
    return [(start, end) for each, start, end in boxes(content) if each == name]


def _is_cmyk(content: bytes) -> bool:
    return any(
        name == b"colr" and content[at] == 1 and content[at + 3 : at + 7] == _CMYK
        for start, end in _places(content, b"jp2h")
        for name, at, _ in boxes(content, start, end)
    )


def _profile(content: bytes) -> bytes | None:
    for start, end in _places(content, b"jp2h"):
        for name, at, stop in boxes(content, start, end):
            if name == b"colr" and content[at] in (2, 3):
                return content[at + 3 : stop] or None
    return None
