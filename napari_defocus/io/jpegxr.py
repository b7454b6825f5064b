"""JPEG XR files: pixels by imagecodecs, metadata from their directory, which is laid out as TIFF's.

Numbers of tags: ITU-T T.832, annex A.
"""

import io
import struct
from pathlib import Path

from ..errors import FileError
from . import exif
from .jpegxr_process import decode_jpegxr
from .limits import LARGEST_METADATA, LARGEST_PICTURE
from .picture import Picture
from .regular_file import read_regular
from .stills import LARGEST_BLOB, check_still, make_metadata, make_still

_FORMAT = 0xBC01  # its last byte
_CMYK = (b"\x1c", b"\x1f", b"\x2c", b"\x2d")
_WIDTH, _HEIGHT, _TURN, _XMP, _ICC = 0xBC80, 0xBC81, 0xBC02, 700, 34675
_OFFSET, _LENGTH, _ALPHA_OFFSET = 0xBCC0, 0xBCC1, 0xBCC2
_UPRIGHT = struct.pack("<HHII", _TURN, 4, 1, 0)
_LARGEST_PIXEL = 16  # bytes
#: EXIF orientations: turned clockwise (4), flipped along X (2), flipped along Y (1).
_ORIENTATIONS = (1, 4, 2, 3, 6, 7, 5, 8)


def read_jpegxr(path: Path) -> Picture:
    """Read a JPEG XR file (HD Photo) and turn it upright."""
    content = read_regular(path, 4 * LARGEST_PICTURE + LARGEST_METADATA)
    file = io.BytesIO(content)
    records = next((tags for _, tags in exif.directories(file)), None)
    if records is None:
        raise ValueError("it does not say what it holds")
    tags = {int(each["tag"]): each for each in records}
    if not {_WIDTH, _HEIGHT} <= tags.keys():
        raise ValueError("it does not say how large its picture is")
    start = int(tags[_FORMAT]["value"]) if _FORMAT in tags else 0
    if content[start : start + 16][-1:] in _CMYK:
        raise FileError(f"{path} holds CMYK colors; convert it to RGB first")
    size = int(tags[_WIDTH]["value"]), int(tags[_HEIGHT]["value"])
    check_still(path, size, _LARGEST_PIXEL, len(content))
    end = sum(int(tags[tag]["value"]) for tag in (_OFFSET, _LENGTH) if tag in tags)
    alpha = int(tags[_ALPHA_OFFSET]["value"]) if _ALPHA_OFFSET in tags else 0
    if max(end, alpha) > len(content):  # the length of alpha is written wrongly by jxrlib
        raise ValueError("its pixels end too early")
    turn = int(tags[_TURN]["value"]) if _TURN in tags else 0
    upright = content.replace(tags[_TURN].tobytes(), _UPRIGHT, 1) if turn else content
    data = decode_jpegxr(upright, size[0] * size[1] * _LARGEST_PIXEL)  # jxrlib fails to turn
    blobs = {
        code: content[int(tags[code]["value"]) :][: int(tags[code]["count"])]
        for code in (_XMP, _ICC)
        if code in tags and 4 < tags[code]["count"] <= LARGEST_BLOB
    }
    metadata, orientation = make_metadata(
        size,
        _ORIENTATIONS[turn & 7] if turn else None,
        blob=exif.read_from_tiff(file),
        xmp=blobs.get(_XMP),
        icc=blobs.get(_ICC),
    )
    return make_still(data, metadata, orientation)
