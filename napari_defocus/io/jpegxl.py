"""JPEG XL files: pixels by imagecodecs, header and metadata from the file itself."""

from pathlib import Path
from typing import BinaryIO

import imagecodecs
import numpy as np

from ..errors import FileError
from .alpha import with_straight_alpha
from .isobmff import box, boxes
from .jpegxl_header import Header, can_name, read_header, with_colors
from .limits import LARGEST_METADATA, LARGEST_PICTURE
from .picture import Metadata, Picture
from .regular_file import read_regular
from .stills import (
    ASSOCIATED_ALPHA,
    LARGEST_BLOB,
    check_still,
    check_still_fits,
    make_metadata,
    make_still,
    samples_of,
    to_full_range,
)

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_EFFORT = 3  # a sixth of the time of effort 5, for files 4 % larger
_LARGEST_HEADER = 1 << 16
_SRGB = (1, 13)
#: Colors by names in their profiles, which imagecodecs cannot write.
_PROFILES = {b"Display P3": (12, 13), b"sRGB": _SRGB}


def read_jpegxl(path: Path) -> Picture:
    """Read a JPEG XL file and turn it upright.

    Values of 8 bits become uint8, of 9 to 16 bits uint16 with white at 65535; real numbers stay
    real numbers. imagecodecs cannot read the color profile; other color spaces are read.
    """
    content = read_regular(path, 4 * LARGEST_PICTURE + LARGEST_METADATA)
    parts = _parts(content)
    header = read_header(
        b"".join(body for name, body in parts if name == b"jxlc")[:_LARGEST_HEADER]
    )
    pixel = 4 * (4 if header.is_float else 2 if header.bits > 8 else 1)
    check_still(path, (header.width, header.height), pixel, len(content))
    data = np.asarray(imagecodecs.jpegxl_decode(content, index=0, keeporientation=True))
    if data.shape[:2] != (header.height, header.width):
        raise ValueError(f"it holds {data.shape[1]} x {data.shape[0]} pixels, not as it says")
    blobs = dict(reversed(parts))
    blob = blobs.get(b"Exif", b"")
    colors = () if header.colors in (_SRGB, (2, 2)) else ((b"cICP", bytes([*header.colors, 0, 1])),)
    metadata, orientation = make_metadata(
        (header.width, header.height),
        header.orientation,
        blob=blob[4 + int.from_bytes(blob[:4]) :] or None,
        xmp=blobs.get(b"xml "),
        png=colors,
        storage=ASSOCIATED_ALPHA if header.associated else None,
    )
    return make_still(data, metadata, orientation, _ignored(header))


def _parts(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return names and contents of the parts of a file: codestream and metadata."""
    if not content.startswith(_CONTAINER):
        return [(b"jxlc", content)]
    parts = []
    for name, start, end in boxes(content):
        body = content[start:end]
        if name == b"jxlp":
            name, body = b"jxlc", body[4:]
        elif name == b"brob" and body[:4] in (b"Exif", b"xml "):
            name, body = body[:4], _inflate(body[4:])
        parts.append((name, body))
    return parts


def _inflate(body: bytes) -> bytes:
    """Decompress metadata; return nothing if they are damaged or long."""
    try:
        return bytes(imagecodecs.brotli_decode(body, out=LARGEST_BLOB))
    except Exception:  # imagecodecs names no error
        return b""


def _ignored(header: Header) -> str:
    """Return what a file holds beside its picture, in words."""
    parts = {
        "frames behind the first": header.is_animated,
        "the color profile": header.has_profile,
        f"channels of {', '.join(header.extra)}": bool(header.extra),
    }
    return ", ".join(words for words, is_there in parts.items() if is_there)


def check_jpegxl(picture: Picture, path: Path) -> None:
    """Raise a FileError if JPEG XL cannot hold a picture."""
    check_still_fits(picture, path)
    if not can_name(_colors_of(picture.metadata)):
        raise FileError(
            f"{path} cannot hold the picture's color space; JPEG XL is written for sRGB, P3 "
            "and BT.2100, write a .avif, .png or .tif"
        )


def write_jpegxl(file: BinaryIO, picture: Picture, path: Path) -> None:
    """Write gray or color of 8 or 16 bits, without loss."""
    check_jpegxl(picture, path)
    data = samples_of(with_straight_alpha(picture))
    if picture.axes == "YXS":
        data = to_full_range(data, picture.metadata.white)
    content = bytes(
        imagecodecs.jpegxl_encode(data, lossless=True, effort=_EFFORT, usecontainer=True)
    )
    file.write(_CONTAINER + box(b"ftyp", b"jxl \0\0\0\0jxl "))
    for name, body in _parts(content):
        if name == b"jxll":  # the level of capabilities that a decoder needs
            file.write(box(name, body))
        if name == b"jxlc":
            file.write(box(name, with_colors(body, _colors_of(picture.metadata))))
    for part in _metadata_boxes(picture.metadata):
        file.write(part)


def _colors_of(metadata: Metadata) -> tuple[int, int]:
    """Return primaries and transfer function of a picture, 0 if another profile names them."""
    if chunk := dict(metadata.png).get(b"cICP"):
        return chunk[0], chunk[1]
    if metadata.icc is None:
        return _SRGB
    text = metadata.icc.replace(b"\0", b"")
    return next((colors for name, colors in _PROFILES.items() if name in text), (0, 0))


def _metadata_boxes(metadata: Metadata) -> list[bytes]:
    parts = []
    if metadata.exif:
        parts.append(box(b"Exif", bytes(4), metadata.exif))
    if metadata.xmp:
        parts.append(box(b"xml ", metadata.xmp))
    return parts
