"""Writer of CZI files for tests: header, blocks of pixels, directory, metadata, time stamps."""

import struct
import uuid
from dataclasses import dataclass, field

import imagecodecs
import numpy as np

TYPES = {("u1", 1): 0, ("u2", 1): 1, ("f4", 1): 2, ("u1", 3): 3, ("u2", 3): 4, ("u1", 4): 9}
XML = """<ImageDocument><Metadata><Information><Image><Dimensions><Channels>
<Channel Id="Channel:0" Name="DAPI"><EmissionWavelength>465</EmissionWavelength>
<ComponentBitCount>14</ComponentBitCount></Channel>
<Channel Id="Channel:1" Name="GFP"><EmissionWavelength>509.5</EmissionWavelength></Channel>
</Channels></Dimensions></Image><Instrument><Objectives><Objective Id="Objective:1">
<LensNA>1.4</LensNA><NominalMagnification>63</NominalMagnification><Immersion>Oil</Immersion>
</Objective></Objectives></Instrument></Information><Scaling><Items>
<Distance Id="X"><Value>1e-07</Value></Distance><Distance Id="Y"><Value>1.5e-07</Value></Distance>
<Distance Id="Z"><Value>5e-07</Value></Distance></Items></Scaling></Metadata></ImageDocument>"""


def encode(data, compression):
    if data.shape[-1] > 1 and compression != 4:
        data = data[..., [2, 1, 0, 3][: data.shape[-1]]]
    plain = data[..., 0] if data.shape[-1] == 1 else data
    if compression == 4:
        return imagecodecs.jpegxr_encode(plain, level=1.0)
    content = np.ascontiguousarray(plain).tobytes()
    if compression == 2:
        return imagecodecs.lzw_encode(content)
    if compression == 5:
        return imagecodecs.zstd_encode(content)
    if compression == 6:
        halves = np.frombuffer(content, np.uint8).reshape(-1, 2).T.tobytes()
        return b"\3\1\1" + imagecodecs.zstd_encode(halves)
    return content


@dataclass
class CziFile:
    """A file that is written block by block."""

    content: bytearray = field(default_factory=lambda: bytearray(544))
    entries: list = field(default_factory=list)

    def segment(self, name, data):
        position = len(self.content)
        data += bytes(-len(data) % 32)
        self.content += struct.pack("<16sqq", name, len(data), len(data)) + data
        return position

    def add(self, data, *, compression=0, shown=None, file_part=0, **starts):
        """Add a block (Y, X) or (Y, X, S) by its first index on each axis.

        `shown` is the size at which it is shown, if it is stored smaller.
        """
        data = data if data.ndim == 3 else data[..., None]
        stored = dict(zip("YX", data.shape, strict=False))
        sizes = {**dict.fromkeys(starts, (1, 0)), **{a: (n, n) for a, n in stored.items()}}
        if shown:
            sizes |= {axis: (n, stored[axis]) for axis, n in zip("YX", shown, strict=True)}
        dimensions = b"".join(
            struct.pack("<4siifi", axis.encode(), starts.get(axis, 0), size, 0.0, kept)
            for axis, (size, kept) in sizes.items()
        )
        kind = TYPES[data.dtype.str[1:], data.shape[-1]]
        fields = (kind, len(self.content), file_part, compression, 1 if shown else 0)
        entry = struct.pack("<2siqiiBB4si", b"DV", *fields, 0, b"", len(sizes)) + dimensions
        pixels = encode(data, compression)
        header = struct.pack("<iiq", 0, 0, len(pixels)) + entry
        self.segment(b"ZISRAWSUBBLOCK", header.ljust(256, b"\0") + pixels)
        self.entries.append(entry)

    def write(self, path, *, xml=XML, times=()):
        directory = struct.pack("<i124x", len(self.entries)) + b"".join(self.entries)
        directory = self.segment(b"ZISRAWDIRECTORY", directory)
        text = xml.encode()
        metadata = self.segment(b"ZISRAWMETADATA", struct.pack("<ii248x", len(text), 0) + text)
        stamps = struct.pack(f"<ii{len(times)}d", 8 + 8 * len(times), len(times), *times)
        entry = struct.pack(
            "<2s10sqi16s8s80s", b"A1", b"", len(self.content), 0, b"", b"CZTIMS", b"TimeStamps"
        )
        self.segment(
            b"ZISRAWATTACH", struct.pack("<i12x", len(stamps)) + entry + bytes(112) + stamps
        )
        attachments = self.segment(b"ZISRAWATTDIR", struct.pack("<i252x", bool(times)) + entry)
        guid = uuid.UUID(int=5).bytes
        places = (0, directory, metadata, 0, attachments)
        header = struct.pack(
            "<16sqqii8x16s16siqqiq", b"ZISRAWFILE", 512, 512, 1, 0, guid, guid, *places
        )
        self.content[: len(header)] = header
        path.write_bytes(self.content)
        return path
