"""Writer of LIF files for tests: a header in XML, and a block of pixels an image."""

import struct

import numpy as np

_IDS = {"X": 1, "Y": 2, "Z": 3, "T": 4, "M": 10}
_UNITS = {"X": "m", "Y": "m", "Z": "m", "T": "s", "M": ""}
_STEPS = {"X": 1e-7, "Y": 2e-7, "Z": 5e-7, "T": 1.5, "M": 1}
_FILETIME, _SECOND = 0x01D5C00000000000, 10**7


def describe(name, number, data, axes, *, times=()):
    """Return the element of an image whose channels, axis C or S, are described apart."""
    strides = dict(zip(axes, data.strides, strict=True))
    sizes = dict(zip(axes, data.shape, strict=True))
    channel = "C" if "C" in axes else "S"
    channels = "".join(
        f'<ChannelDescription DataType="0" ChannelTag="{n + 1 if channel == "S" else 0}" '
        f'Resolution="{12 if data.itemsize == 2 else 8}" NameOfMeasuredQuantity="" Min="0" '
        f'Max="4095" Unit="" LUTName="{("Blue", "Green", "Red")[n]}" IsLUTInverted="0" '
        f'BytesInc="{n * strides.get(channel, 0)}" BitInc="0"/>'
        for n in range(sizes.get(channel, 1))
    )
    dimensions = "".join(
        f'<DimensionDescription DimID="{_IDS[axis]}" NumberOfElements="{sizes[axis]}" Origin="0" '
        f'Length="{_STEPS[axis] * (sizes[axis] - 1)}" Unit="{_UNITS[axis]}" BitInc="0" '
        f'BytesInc="{strides[axis]}"/>'
        for axis in axes
        if axis not in "CS"
    )
    stamps = " ".join(f"{_FILETIME + int(time * _SECOND):x}" for time in times)
    return (
        f'<Element Name="{name}" UniqueID="{number}"><Data><Image><ImageDescription><Channels>'
        f"{channels}</Channels><Dimensions>{dimensions}</Dimensions></ImageDescription>"
        f'<TimeStampList NumberOfTimeStamps="{len(times)}">{stamps}</TimeStampList>'
        '<Attachment Name="HardwareSetting"><ATLConfocalSettingDefinition Magnification="63" '
        'NumericalAperture="1.4" Immersion="OIL"/></Attachment></Image></Data>'
        f'<Memory Size="{data.nbytes}" MemoryBlockID="MemBlock_{number}"/></Element>'
    )


def lif_bytes(*images):
    """Return a file of images: arrays, and their axes as keywords of `describe`."""
    images = [(np.ascontiguousarray(data), axes, options) for data, axes, options in images]
    elements = "".join(
        describe(f"Series{number}", number, data, axes, **options)
        for number, (data, axes, options) in enumerate(images)
    )
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="a.lif"><Children>'
        f"{elements}</Children></Element></LMSDataContainerHeader>"
    )
    text = xml.encode("utf-16-le")
    content = struct.pack("<IIBI", 0x70, len(text) + 5, 0x2A, len(text) // 2) + text
    for number, (data, _, _) in enumerate(images):
        name = f"MemBlock_{number}".encode("utf-16-le")
        header = (0x70, 14 + len(name), 0x2A, data.nbytes, 0x2A, len(name) // 2)
        content += struct.pack("<IIBQBI", *header) + name + data.tobytes()
    return content
