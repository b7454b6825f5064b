"""Checksums of PNG files that tests damage."""

import struct
import zlib


def with_checksums(png):
    """Return a PNG file with correct checksums, so that readers parse its chunks."""
    content, position = bytearray(png), 8
    while position + 12 <= len(content):
        end = position + 8 + struct.unpack_from(">I", content, position)[0]
        if end + 4 > len(content):
            break
        struct.pack_into(">I", content, end, zlib.crc32(content[position + 4 : end]))
        position = end + 4
    return bytes(content)
