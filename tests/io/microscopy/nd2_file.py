"""Writer of ND2 files for tests, whose descriptions are XML."""

import struct
import zlib

import numpy as np

_MAGIC = 0x0ABECEDA


def element(name, **values):
    """Return a group of values in XML."""
    kinds = {bool: "bool", int: "lx_uint32", float: "double", str: "CLxStringW"}
    inner = "".join(
        value if key.startswith("_") else f'<{key} runtype="{kinds[type(value)]}" value="{value}"/>'
        for key, value in values.items()
    )
    return f'<{name} runtype="group">{inner}</{name}>'


def variant(inner):
    return f'<?xml version="1.0"?><variant version="1.0">{inner}</variant>'.encode()


def loop(axis, count, below):
    """Return an experiment of one axis around another."""
    if axis == "T":
        kind, parts = 1, element("uLoopPars", uiCount=count, dStart=0.0, dPeriod=1.0, dDuration=1.0)
    elif axis == "Z":
        kind, parts = 4, element("uLoopPars", uiCount=count, dZStep=0.5)
    else:
        points = "".join(element(f"p{n}", dPosX=float(n + 1)) for n in range(count))
        kind, parts = 2, element("uLoopPars", uiCount=count, _points=f"<Points>{points}</Points>")
    inner = element("ppNextLevelEx", _a=below) if below else ""
    return element("SLxExperiment", eType=kind, _pars=parts, _next=inner)


def planes(names):
    """Return the description of the channels."""
    point = element("a", eType=1, dTValue=1.0, dWavelength=510.5)
    spectrum = element("m_EmissionSpectrum", uiCount=1, _p=element("pPoint", _p=point))
    probe = element("pFluorescentProbe", _s=spectrum)
    described = "".join(
        element(f"a{n}", uiCompCount=1, uiSampleIndex=n, sDescription=name, _p=probe)
        for n, name in enumerate(names)
    )
    return element("sPicturePlanes", uiCount=len(names), _planes=element("sPlaneNew", _p=described))


def nd2_bytes(data, axes, *, compressed=False, padding=0, frames=None, names=("DAPI", "GFP")):
    """Return a file of data, whose axes end with (C)YX or YXS; `padding` bytes end each row."""
    color = axes.endswith("S")
    leading = axes[: axes.index("C")] if "C" in axes else axes.rstrip("S")[:-2]
    lengths = dict(zip(axes, data.shape, strict=True))
    samples = lengths["S"] if color else lengths.get("C", 1)
    experiment = ""
    for axis in reversed(leading):
        experiment = loop(axis, lengths[axis], experiment)
    pixels = data if color or "C" not in axes else np.moveaxis(data, len(leading), -1)
    pixels = pixels.reshape(-1, lengths["Y"], lengths["X"] * samples)
    width = lengths["X"] * samples * data.itemsize + padding
    attributes = element(
        "SLxImageAttributes",
        uiWidth=lengths["X"],
        uiHeight=lengths["Y"],
        uiWidthBytes=width,
        uiComp=samples,
        uiBpcInMemory=8 * data.itemsize,
        uiBpcSignificant=12 if data.itemsize == 2 else 8,
        uiSequenceCount=len(pixels),
        eCompression=0 if compressed else 2,
    )
    metadata = element(
        "SLxPictureMetadata",
        bCalibrated=True,
        dCalibration=0.25,
        dObjectiveMag=60.0,
        dObjectiveNA=1.4,
        dRefractIndex1=1.515,
        _planes=planes(["RGB"] if color else list(names)[:samples]),
    )
    chunks = {
        "ImageAttributes!": variant(attributes),
        "ImageMetadataSeq|0!": variant(metadata),
        "ImageMetadata!": variant(experiment),
        "CustomData|AcqTimesCache!": (250.0 * np.arange(len(pixels))).tobytes(),
    }
    for number, frame in enumerate(pixels[:frames]):
        rows = b"".join(row.tobytes() + bytes(padding) for row in frame)
        chunks[f"ImageDataSeq|{number}!"] = bytes(8) + (zlib.compress(rows) if compressed else rows)
    content = chunk(b"ND2 FILE SIGNATURE CHUNK NAME01!", b"Ver2.1".ljust(64, b"\0"))
    places = []
    for name, part in chunks.items():
        places.append((name.encode(), len(content), len(part)))
        content += chunk(name.encode().ljust(4072 if "Seq|" in name else 20, b"\0"), part)
    listed = b"".join(name + struct.pack("<QQ", *place) for name, *place in places)
    end = b"ND2 CHUNK MAP SIGNATURE 0000001!" + struct.pack("<Q", len(content))
    return content + chunk(b"ND2 FILEMAP SIGNATURE NAME 0001!", listed + end)


def chunk(name, data):
    return struct.pack("<IIQ", _MAGIC, len(name), len(data)) + name + data
