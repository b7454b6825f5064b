"""Segments of JPEG data: where the pixels begin, how many there are, and in how many scans."""

import struct
from collections.abc import Iterator

from PIL.JpegImagePlugin import MARKER

_SCAN, _FILL = 0xFFDA, 0xFFFF  # markers: pixels follow, a marker follows
_FRAMES = {0xFFC0 + number for number in range(16)} - {0xFFC4, 0xFFC8, 0xFFCC}
_METADATA = {0xFFFE, *range(0xFFE0, 0xFFF0)}
_LARGEST_SEGMENT = 65535
_MOST_SCANS = 100


def scan_position(content: bytes) -> int:
    """Return where the pixels begin, behind the segments with metadata.

    Raises
    ------
    ValueError
        If there are none.
    """
    for code, position in _segments(content):
        if code == _SCAN:
            return position
    raise ValueError("no pixels follow its header")


def frame_size(content: bytes) -> tuple[int, int, int]:
    """Return height, width and number of colors that the header claims, 0 if it claims nothing."""
    position = frame_position(content)
    if position is None:
        return 0, 0, 0
    height, width, colors = struct.unpack_from(">HHB", content, position + 5)
    return height, width, colors


def frame_position(content: bytes) -> int | None:
    """Return where the header of the frame begins: marker, length, bits of a value, size."""
    for code, position in _segments(content):
        if code in _FRAMES and position + 10 <= len(content):
            return position
    return None


def metadata_segments(content: bytes) -> Iterator[bytes]:
    """Yield the segments of JPEG data that hold metadata, with their markers."""
    for code, position in _segments(content):
        if code in _METADATA:
            length = int.from_bytes(content[position + 2 : position + 4])
            yield content[position : position + 2 + length]


def check_scans(content: bytes) -> None:
    """Raise a ValueError for very many scans: a decoder goes over all pixels for each of them.

    Parameters
    ----------
    content : bytes
        JPEG data from the first scan on.
    """
    end = content.find(b"\xff\xd9")
    scans = content.count(b"\xff\xda", 0, len(content) if end < 0 else end)
    if scans > _MOST_SCANS:
        raise ValueError(f"it holds {scans} scans; up to {_MOST_SCANS} are read")


def _segments(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield markers and their positions up to the first scan, in the way that Pillow reads them."""
    start = 2
    while (position := content.find(b"\xff", start)) >= 0 and position - start < _LARGEST_SEGMENT:
        code = int.from_bytes(content[position : position + 2])
        yield code, position
        if code == _SCAN:
            return
        _, _, reader = MARKER.get(code, ("", "", None))
        length = int.from_bytes(content[position + 2 : position + 4]) if reader else 0
        start = position + (1 if code == _FILL else 2 + length)
