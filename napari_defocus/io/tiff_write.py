"""Writing of TIFF with tifffile: as OME-TIFF, as an ImageJ hyperstack, or plain.

The kind follows from the name (``.ome.tif``) and from the file that the picture was read from.
"""

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import tifffile

from ..array_types import Array
from . import exif, ome
from .ngff import name_axes
from .ome_instrument import add_instrument
from .picture import Metadata, Picture, Storage
from .zarr_arrays import as_dask, new_array

_LOSSLESS = (1, 5, 8, 32773, 32946, 34925, 50000)
_DEFLATE = 8
_TILE = (512, 512)  # pixels of a tile in files that are written tile by tile
_WIDTH = 2048  # pixels of the windows that are read at a time for such files
_PASS = 2**24  # bytes of tiles that are compressed at a time; writing can stop in between
_YIELD_INTERVAL = 0.1  # seconds between two yields while a file is written
_CLASSIC_LIMIT = 2**32 - 2**25  # bytes of pixels that leave room for metadata
_IMAGEJ_TYPES = ("uint8", "uint16", "float32")
_MICROMETER = ("um", "µm", "μm", "\\u00B5m", "micron", "microns", "micrometer", "micrometer")
_OME_UNITS = frozenset(
    ("m", "dm", "cm", "mm", "µm", "nm", "pm", "Å", "in", "ft", "min", "h", "s", "ms", "µs", "ns")
)
_RESOLUTION_UNITS = {"inch": 2, "centimeter": 3, "none": 1}


def write_tiff(file: BinaryIO, picture: Picture, path: Path) -> None:
    """Write a picture of any type and number of axes.

    Parameters
    ----------
    file : binary file
        Open for reading and writing, empty.
    picture : Picture
        Picture to write. Its lossless compression is kept; a lossy one becomes deflate.
    path : pathlib.Path
        Name of the file; ``.ome.tif`` asks for OME-TIFF, whatever the picture was read from. So do
        sizes of pixels and names of channels, which nothing else can hold.
    """
    as_ome = path.stem.lower().endswith(".ome") or _needs_ome(picture)
    picture = _join_alpha(picture)
    xml = _ome_xml(picture)
    colors = _look_up_table(picture)
    if xml is not None:
        _write(file, picture, description=xml.encode(), metadata=None, **colors)
    elif (as_ome or picture.metadata.ome or _outgrows_imagej(picture)) and _fits_ome(picture):
        _write_ome(file, picture, **colors)
    elif _fits_imagej(picture):
        _write(file, picture, "imagej", metadata=_imagej_fields(picture), **colors)
    else:
        _write_plain(file, picture)


class StreamingTiff:
    """A large TIFF file that is written window by window, a `StreamingWriter`.

    Windows are gathered in a temporary zarr array, as a TIFF file is written in order.

    Parameters
    ----------
    file : binary file
        Open for reading and writing, empty.
    folder : pathlib.Path
        Folder for temporary files.
    picture : Picture
        Shape, data type and metadata of the image; its pixels do not matter.
    path : pathlib.Path
        As for `write_tiff`.
    """

    def __init__(self, file: BinaryIO, folder: Path, picture: Picture, path: Path) -> None:
        self._file, self._picture, self._path = file, picture, path
        self.array = new_array(folder / "pixels", picture.data.shape, picture.data.dtype)

    def complete(self) -> Iterator[None]:
        """Write the file; yield several times a second, and stop writing when closed."""
        pixels = _Stoppable(self.array)
        picture = replace(self._picture, data=as_dask(pixels))
        with ThreadPoolExecutor(1) as thread:
            written = thread.submit(write_tiff, self._file, picture, self._path)
            try:
                while wait([written], _YIELD_INTERVAL).not_done:
                    yield
            finally:
                pixels.stopped = True
        written.result()


class _Stoppable:
    """A zarr array that raises an error when it is read after it was stopped."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape, self.ndim, self.dtype = array.shape, array.ndim, array.dtype
        self.chunks = array.chunks
        self.stopped = False

    def __getitem__(self, index: Any) -> Array:
        if self.stopped:
            raise _StoppedError
        return np.asarray(self._array[index])


class _StoppedError(Exception):
    """Raised in the writing thread to end it."""


def _write_plain(file: BinaryIO, picture: Picture) -> None:
    text = picture.metadata.text
    description = text.get("Description") or text.get("Comment")
    stack = len(picture.axes.rstrip("S")) > 2
    if stack:
        _write(file, picture, metadata={"axes": picture.axes})
    else:
        _write(file, picture, description=description and description.encode(), metadata=None)
    if picture.metadata.exif:
        exif.attach_to_tiff(file, picture.metadata.exif)


def _write_ome(file: BinaryIO, picture: Picture, **colors: Any) -> None:
    fields, metadata = _ome_fields(picture), picture.metadata
    if metadata.objective is None and not any(metadata.wavelengths):
        _write(file, picture, "ome", metadata=fields, **colors)
        return
    samples = picture.data.shape[-1] if picture.axes.endswith("S") else 1
    height, width = picture.data.shape[picture.axes.index("Y") :][:2]
    planes = picture.data.size // (height * width * samples)
    xml = tifffile.OmeXml(**fields)
    stored = (planes, 1, 1, height, width, samples)
    xml.addimage(picture.data.dtype, picture.data.shape, stored, **fields)
    channels = picture.data.shape[picture.axes.index("C")] if "C" in picture.axes else 1
    text = add_instrument(xml.tostring(declaration=True), metadata, channels)
    _write(file, picture, description=text.encode(), metadata=None, **colors)


def _write(file: BinaryIO, picture: Picture, kind: str = "", **options: Any) -> None:
    """Write all planes, with the tags that all kinds of TIFF share."""
    data, metadata = picture.data, picture.metadata
    storage = metadata.storage or Storage(_DEFLATE)
    samples = data.shape[-1] if picture.axes.endswith("S") else 1
    if samples in (2, 4):
        options["extrasamples"] = [storage.extrasample]
    if samples > 1:
        options["planarconfig"] = "contig"
    options.setdefault("photometric", "rgb" if samples > 2 else "minisblack")
    if metadata.resolution:
        options["resolution"] = (metadata.resolution.x, metadata.resolution.y)
        options["resolutionunit"] = _RESOLUTION_UNITS[metadata.resolution.unit]
    if storage.tile and kind != "imagej":
        options["tile"] = storage.tile
    big = kind != "imagej" and (storage.bigtiff or data.nbytes > _CLASSIC_LIMIT)
    order: Literal["<", ">"] = exif.byte_order(metadata.exif) if metadata.exif else "<"
    with tifffile.TiffWriter(
        file, bigtiff=big, byteorder=order, ome=kind == "ome", imagej=kind == "imagej"
    ) as writer:
        writer.write(
            **_content(data, options),
            iccprofile=metadata.icc,
            software=False,
            extratags=_tags(metadata, samples),
            **_compression(storage, data),
            **options,
        )


def _content(data: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of tifffile for the pixels: an array, or tiles if they are lazy."""
    if isinstance(data, np.ndarray):
        return {"data": data}
    options.setdefault("tile", _TILE)
    samples = data.shape[-1] if options.get("planarconfig") else 1
    tiles = _tiles(data.reshape(-1, *data.shape[-3 if samples > 1 else -2 :]), options["tile"])
    return {"data": tiles, "shape": data.shape, "dtype": data.dtype, "buffersize": _PASS}


def _tiles(planes: Any, tile: tuple[int, int]) -> Iterator[Array]:
    """Cut planes (N, Y, X) or (N, Y, X, S) into tiles, row by row, padded with 0 at the ends."""
    height, width = tile
    step = max(1, _WIDTH // width) * width
    for plane in planes:
        for top in range(0, plane.shape[0], height):
            for left in range(0, plane.shape[1], step):
                part = np.asarray(plane[top : top + height, left : left + step])
                yield from _cut_row(part, tile)


def _cut_row(part: Array, tile: tuple[int, int]) -> Iterator[Array]:
    """Cut a window that is one tile high into tiles."""
    height, width = tile
    ends = [-part.shape[0] % height, -part.shape[1] % width]
    part = np.pad(part, [(0, end) for end in ends] + [(0, 0)] * (part.ndim - 2))
    for left in range(0, part.shape[1], width):
        yield np.ascontiguousarray(part[:, left : left + width])


def _join_alpha(picture: Picture) -> Picture:
    """Return a picture whose gray values and alpha are samples."""
    if picture.alpha is None:
        return picture
    data = np.stack([picture.data, picture.alpha], axis=-1)
    return replace(picture, data=data, axes=picture.axes + "S", alpha=None)


def _compression(storage: Storage, data: Array) -> dict[str, Any]:
    """Return tifffile's options: lossless, and a predictor for integers only.

    Not all readers know the predictor for floats.
    """
    compression = storage.compression if storage.compression in _LOSSLESS else _DEFLATE
    if compression == 1:
        return {}
    differences = data.dtype.kind in "ui" and compression != 32773
    return {"compression": compression, "predictor": 2 if differences else 1}


def _tags(metadata: Metadata, samples: int) -> list[tuple[int, int, int, Any, bool]]:
    kept = ((700, 1, metadata.xmp), (33723, 7, metadata.iptc))
    tags: list[tuple[int, int, int, Any, bool]] = [
        (tag, kind, len(value), value, True) for tag, kind, value in kept if value
    ]
    if metadata.white is not None and metadata.white < 1 << 16:
        tags.append((281, 3, samples, (round(metadata.white),) * samples, True))
    tags += [(*tag, True) for tag in metadata.tags]
    if metadata.nodata is not None:
        text = f"{metadata.nodata:.17g}"
        tags.append((42113, 2, len(text) + 1, text, True))
    return tags


def _ome_xml(picture: Picture) -> str | None:
    """Return the input's OME-XML adapted to the picture, None if it is missing or does not fit."""
    if picture.metadata.ome is None or not _fits_ome(picture):
        return None
    try:
        return ome.derive(picture.metadata.ome, picture.data, name_axes(picture.axes))
    except ValueError:
        return None


def _look_up_table(picture: Picture) -> dict[str, Any]:
    """Return tifffile's options for the colors in which a microscope's gray is shown."""
    table, dtype = picture.metadata.lut, picture.data.dtype
    if table is None or picture.axes.endswith("S") or dtype.name not in ("uint8", "uint16"):
        return {}
    if len(table[0]) != 1 << 8 * dtype.itemsize:
        return {}
    return {"photometric": "palette", "colormap": np.array(table, np.uint16)}


def _needs_ome(picture: Picture) -> bool:
    """Return whether sizes, channels' names or optics, as of microscopes' files, would be lost."""
    metadata = picture.metadata
    optics = metadata.objective or any(metadata.wavelengths)
    is_measured = bool(metadata.pixel_size or metadata.channel_names or optics)
    return is_measured and metadata.imagej is None and metadata.exif is None


def _fits_ome(picture: Picture) -> bool:
    axes_fit = set(name_axes(picture.axes)) <= set("TZCYXS")
    return axes_fit and ome.supports_type(picture.data)


def _ome_fields(picture: Picture) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "axes": name_axes(picture.axes),
        "UUID": ome.identifier(picture.data, name_axes(picture.axes)),
    }
    for axis, name in (("X", "PhysicalSizeX"), ("Y", "PhysicalSizeY"), ("Z", "PhysicalSizeZ")):
        length = picture.metadata.pixel_size.get(axis)
        unit = length and _ome_unit(length.unit)
        if length and unit:
            fields |= {name: abs(length.value), f"{name}Unit": unit}
    interval = picture.metadata.pixel_size.get("T")
    if interval and (unit := _ome_unit(interval.unit)):
        fields |= {"TimeIncrement": interval.value, "TimeIncrementUnit": unit}
    names = picture.metadata.channel_names
    if names and "C" in picture.axes and len(names) == picture.data.shape[picture.axes.index("C")]:
        fields["Channel"] = {"Name": list(names)}
    frames = picture.data.shape[picture.axes.index("T")] if "T" in picture.axes else 1
    if len(picture.metadata.times) == frames > 1:
        planes = picture.data.shape[: picture.axes.index("Y")]
        shape = [frames if axis == "T" else 1 for axis in picture.axes[: len(planes)]]
        times = np.broadcast_to(np.reshape(picture.metadata.times, shape), planes)
        fields["Plane"] = {"DeltaT": times.ravel().tolist(), "DeltaTUnit": ["s"] * times.size}
    return fields


def _ome_unit(unit: str) -> str | None:
    if unit.lower() in (name.lower() for name in _MICROMETER):
        return "µm"
    unit = {"inch": "in", "sec": "s", "msec": "ms"}.get(unit, unit)
    return unit if unit in _OME_UNITS else None


def _fits_imagej(picture: Picture) -> bool:
    axes, color = picture.axes.rstrip("S"), picture.axes.endswith("S")
    return (
        picture.metadata.imagej is not None
        and picture.data.dtype.name in (_IMAGEJ_TYPES[:1] if color else _IMAGEJ_TYPES)
        and axes == "".join(axis for axis in "TZCYX" if axis in axes)
        and not _outgrows_imagej(picture)
    )


def _outgrows_imagej(picture: Picture) -> bool:
    return picture.metadata.imagej is not None and picture.data.nbytes > _CLASSIC_LIMIT


def _imagej_fields(picture: Picture) -> dict[str, Any]:
    """Return ImageJ's fields without those that tifffile derives from the array."""
    fields: Mapping[str, Any] = picture.metadata.imagej or {}
    derived = ("ImageJ", "images", "channels", "slices", "frames", "hyperstack")
    kept = {name: value for name, value in fields.items() if name not in derived}
    planes = picture.data.size // math.prod(picture.data.shape[len(picture.axes.rstrip("S")) - 2 :])
    if len(kept.get("Labels", ())) != planes:
        kept.pop("Labels", None)
    if "C" not in picture.axes:
        kept.pop("mode", None)
    for name in kept.keys() - {"Info"}:  # which is stored in a tag of its own
        kept[_escape(name)] = _escape(kept.pop(name))
    return {**kept, "axes": picture.axes}


def _escape(value: Any) -> Any:
    r"""Write a text in ASCII as ImageJ does: ``\\u00B5`` for a micro sign."""
    if not isinstance(value, str):
        return value
    return "".join(c if c.isascii() else f"\\u{ord(c):04X}" for c in value)
