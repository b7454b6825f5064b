"""Writer of LSM files for tests: TIFF with thumbnails between its planes, and a tag of Zeiss's."""

import io
import struct

import numpy as np
import tifffile

_INFO, _BITS, _THUMBNAIL = 34412, 258, 1
_STACK, _TWELVE_BITS, _TIMES = 6, 2, (100.0, 102.5, 105.0)


def colors(names):
    """Return the record of the channels' names."""
    texts = b"".join(struct.pack("<I", len(name) + 1) + name.encode() + b"\0" for name in names)
    count, start = len(names), 24 + 4 * len(names)
    header = struct.pack("<6I", start + len(texts), count, count, 24, start, 0)
    return header + bytes(4 * count) + texts


def scan(objective):
    """Return the record of the scan."""
    text = objective.encode() + b"\0"
    entries = struct.pack("<3I", 0x10000004, 2, len(text)) + text
    return struct.pack("<3I", 0x10000000, 0, 0) + entries + struct.pack("<3I", 0xFFFFFFFF, 0, 0)


def lsm_bytes(data, *, photometric="minisblack", objective="Plan-Apochromat 63x/1.40 Oil DIC M27"):
    """Return a file of data (T, Z, C, Y, X)."""
    frames, depth, channels, height, width = data.shape
    kind = np.dtype(tifffile.TIFF.CZ_LSMINFO)
    info = np.zeros((), kind)
    fields = {"X": width, "Y": height, "Z": depth, "Channels": channels, "Time": frames}
    for name, length in fields.items():
        info[f"Dimension{name}"] = length
    info["MagicNumber"], info["StructureSize"] = 67127628, kind.itemsize
    info["VoxelSizeX"], info["VoxelSizeY"], info["VoxelSizeZ"] = 1e-7, 2e-7, 5e-7
    info["ScanType"], info["TimeIntervall"], info["DataType"] = _STACK, 2.5, _TWELVE_BITS
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for number, plane in enumerate(data.reshape(-1, channels, height, width)):
            tags = [(_INFO, 1, kind.itemsize, info.tobytes(), True)] if number == 0 else []
            options = {"photometric": photometric, "metadata": None, "software": False}
            if channels > 1:
                options["planarconfig"] = "separate"
            writer.write(plane if channels > 1 else plane[0], extratags=tags, **options)
            small = np.ascontiguousarray(plane[0, ::4, ::4]).astype(np.uint8)
            writer.write(small, subfiletype=_THUMBNAIL, metadata=None, software=False)
    records = {
        "TimeStamps": struct.pack(f"<ii{frames}d", 8 + 8 * frames, frames, *_TIMES[:frames]),
        "ChannelColors": colors(["Ch1", "Ch2", "Ch3"][:channels]),
        "ScanInformation": scan(objective),
    }
    content = bytearray(buffer.getvalue())
    place = content.index(info.tobytes())
    for name, record in records.items():
        info[f"Offset{name}"] = len(content)
        content += record
    content[place : place + kind.itemsize] = info.tobytes()
    move_pairs(content)
    return bytes(content)


def move_pairs(content):
    """Move the bits of two channels out of their tag: Zeiss keeps them elsewhere in the file."""
    place = 4
    while start := struct.unpack_from("<I", content, place)[0]:
        count = struct.unpack_from("<H", content, start)[0]
        for tag in range(start + 2, start + 2 + 12 * count, 12):
            if struct.unpack_from("<HHI", content, tag) == (_BITS, 3, 2):
                bits = content[tag + 8 : tag + 12]
                content[tag + 8 : tag + 12] = struct.pack("<I", len(content))
                content += bits
        place = start + 2 + 12 * count
