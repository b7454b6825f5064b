"""Write TIFF with tifffile: as OME-TIFF, as an ImageJ hyperstack, or plain.

Which of them follows from the name (``.ome.tif``) and from what the picture was read from.
"""

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
from .picture import Metadata, Picture, Storage
from .zarr_arrays import as_dask, new_array

_LOSSLESS = (1, 5, 8, 32773, 32946, 34925, 50000)
_DEFLATE = 8
_TILE = (512, 512)  # of files that are written tile by tile
_WIDTH = 2048  # of what is read at a time for such files
_PASS = 2**24  # bytes of tiles that are compressed between two looks at whether to stop
_PATIENCE = 0.1  # seconds between signs of life
_CLASSIC_LIMIT = 2**32 - 2**25  # bytes of pixels that leave room for metadata
_IMAGEJ_TYPES = ("uint8", "uint16", "float32")
_MICROMETER = ("um", "µm", "μm", "\\u00B5m", "micron", "microns", "micrometer", "micrometer")
_OME_UNITS = frozenset(
    ("m", "dm", "cm", "mm", "µm", "nm", "pm", "Å", "in", "ft", "min", "h", "s", "ms", "µs", "ns")
)
_RESOLUTION_UNITS = {"inch": 2, "centimeter": 3, "none": 1}


def write_tiff(file: BinaryIO, picture: Picture, *, as_ome: bool) -> None:
    """Write a picture of any type and number of axes.

    Parameters
    ----------
    file : binary file
        Open for reading and writing, empty.
    picture : Picture
        What to write. A compression without loss is kept; a lossy one becomes deflate.
    as_ome : bool
        Write OME-TIFF whatever the picture was read from.
    """
    picture = _joined(picture)
    xml = _ome_xml(picture)
    if xml is not None:
        _write(file, picture, description=xml.encode(), metadata=None)
    elif (as_ome or picture.metadata.ome or _outgrows_imagej(picture)) and _fits_ome(picture):
        _write(file, picture, "ome", metadata=_ome_fields(picture))
    elif _fits_imagej(picture):
        _write(file, picture, "imagej", metadata=_imagej_fields(picture))
    else:
        _write_plain(file, picture)


class TiffImage:
    """A large TIFF file that is made: its pixels are gathered elsewhere first.

    Parameters
    ----------
    file : binary file
        Open for reading and writing, empty.
    folder : pathlib.Path
        For what is temporary.
    picture : Picture
        Of the shape, data type and metadata that it is to have; its pixels do not matter.
    as_ome : bool
        As for `write_tiff`.
    """

    def __init__(self, file: BinaryIO, folder: Path, picture: Picture, *, as_ome: bool) -> None:
        self._file, self._picture, self._as_ome = file, picture, as_ome
        self.array = new_array(folder / "pixels", picture.data.shape, picture.data.dtype)

    def complete(self) -> Iterator[None]:
        """Write the file; yields several times a second, and stops writing when it is closed."""
        pixels = _Stoppable(self.array)
        picture = replace(self._picture, data=as_dask(pixels))
        with ThreadPoolExecutor(1) as thread:
            written = thread.submit(write_tiff, self._file, picture, as_ome=self._as_ome)
            try:
                while wait([written], _PATIENCE).not_done:
                    yield
            finally:
                pixels.stopped = True
        written.result()


class _Stoppable:
    """A zarr array that can no longer be read once it is stopped."""

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
    """Ends a thread whose work is no longer wanted."""


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


def _write(file: BinaryIO, picture: Picture, kind: str = "", **options: Any) -> None:
    """Write all planes, with the tags that every kind of TIFF may have."""
    data, metadata = picture.data, picture.metadata
    storage = metadata.storage or Storage(_DEFLATE)
    samples = data.shape[-1] if picture.axes.endswith("S") else 1
    if samples in (2, 4):
        options["extrasamples"] = [storage.extrasample]
    if samples > 1:
        options["planarconfig"] = "contig"
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
            photometric="rgb" if samples > 2 else "minisblack",
            iccprofile=metadata.icc,
            software=False,
            extratags=_tags(metadata),
            **_compression(storage, data),
            **options,
        )


def _content(data: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Pixels as tifffile takes them: an array, or tile by tile if they are not in memory."""
    if isinstance(data, np.ndarray):
        return {"data": data}
    options.setdefault("tile", _TILE)
    samples = data.shape[-1] if options.get("planarconfig") else 1
    tiles = _tiles(data.reshape(-1, *data.shape[-3 if samples > 1 else -2 :]), options["tile"])
    return {"data": tiles, "shape": data.shape, "dtype": data.dtype, "buffersize": _PASS}


def _tiles(planes: Any, tile: tuple[int, int]) -> Iterator[Array]:
    """Cut planes (N, Y, X) or (N, Y, X, S) into tiles, row by row; the last are completed by 0."""
    height, width = tile
    step = max(1, _WIDTH // width) * width
    for plane in planes:
        for top in range(0, plane.shape[0], height):
            for left in range(0, plane.shape[1], step):
                part = np.asarray(plane[top : top + height, left : left + step])
                yield from _across(part, tile)


def _across(part: Array, tile: tuple[int, int]) -> Iterator[Array]:
    """Cut what is one tile high into tiles."""
    height, width = tile
    ends = [-part.shape[0] % height, -part.shape[1] % width]
    part = np.pad(part, [(0, end) for end in ends] + [(0, 0)] * (part.ndim - 2))
    for left in range(0, part.shape[1], width):
        yield np.ascontiguousarray(part[:, left : left + width])


def _joined(picture: Picture) -> Picture:
    """Gray and alpha side by side, as samples."""
    if picture.alpha is None:
        return picture
    data = np.stack([picture.data, picture.alpha], axis=-1)
    return replace(picture, data=data, axes=picture.axes + "S", alpha=None)


def _compression(storage: Storage, data: Array) -> dict[str, Any]:
    """Keep what loses nothing; differences only between whole numbers, which all readers know."""
    compression = storage.compression if storage.compression in _LOSSLESS else _DEFLATE
    if compression == 1:
        return {}
    differences = data.dtype.kind in "ui" and compression != 32773
    return {"compression": compression, "predictor": 2 if differences else 1}


def _tags(metadata: Metadata) -> list[tuple[int, int, int, bytes, bool]]:
    kept = ((700, 1, metadata.xmp), (33723, 7, metadata.iptc))
    return [(tag, kind, len(value), value, True) for tag, kind, value in kept if value]


def _ome_xml(picture: Picture) -> str | None:
    """The input's own OME-XML, made to fit; None if there is none or it cannot be."""
    if picture.metadata.ome is None or not _fits_ome(picture):
        return None
    try:
        return ome.derive(picture.metadata.ome, picture.data, name_axes(picture.axes))
    except ValueError:
        return None


def _fits_ome(picture: Picture) -> bool:
    has_ome_axes = set(name_axes(picture.axes)) <= set("TZCYXS")
    return has_ome_axes and ome.holds(picture.data)


def _ome_fields(picture: Picture) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "axes": name_axes(picture.axes),
        "UUID": ome.identifier(picture.data, name_axes(picture.axes)),
    }
    for axis, name in (("X", "PhysicalSizeX"), ("Y", "PhysicalSizeY"), ("Z", "PhysicalSizeZ")):
        length = picture.metadata.pixel_size.get(axis)
        unit = length and _ome_unit(length.unit)
        if length and unit:
            fields |= {name: length.value, f"{name}Unit": unit}
    interval = picture.metadata.pixel_size.get("T")
    if interval and (unit := _ome_unit(interval.unit)):
        fields |= {"TimeIncrement": interval.value, "TimeIncrementUnit": unit}
    names = picture.metadata.channel_names
    if names and "C" in picture.axes and len(names) == picture.data.shape[picture.axes.index("C")]:
        fields["Channel"] = {"Name": list(names)}
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
    """ImageJ's own fields, but for those that tifffile works out from the array."""
    fields: Mapping[str, Any] = picture.metadata.imagej or {}
    derived = ("ImageJ", "images", "channels", "slices", "frames", "hyperstack")
    kept = {name: value for name, value in fields.items() if name not in derived}
    planes = picture.data.size // np.prod(picture.data.shape[len(picture.axes.rstrip("S")) - 2 :])
    if len(kept.get("Labels", ())) != planes:
        kept.pop("Labels", None)
    if "C" not in picture.axes:
        kept.pop("mode", None)
    for name in kept.keys() - {"Info"}:  # which has a tag of its own
        kept[_escaped(name)] = _escaped(kept.pop(name))
    return {**kept, "axes": picture.axes}


def _escaped(value: Any) -> Any:
    r"""A text as ImageJ writes it where only ASCII can be: ``\\u00B5`` for a micro sign."""
    if not isinstance(value, str):
        return value
    return "".join(c if c.isascii() else f"\\u{ord(c):04X}" for c in value)
