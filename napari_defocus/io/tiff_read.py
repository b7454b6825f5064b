"""Reading of TIFF, OME-TIFF and ImageJ hyperstacks with tifffile.

The photometric interpretation and samples of the file say whether it holds colors; other channels,
such as those of fluorescence, are planes. Numbers of tags and their values: TIFF 6.0.
"""

import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..array_types import Array
from ..errors import FileError
from . import exif, ome
from .limits import check_memory
from .ome_sets import COMPANION_SUFFIX, set_files
from .picture import Length, Metadata, Picture, Resolution, Storage, turn_upright
from .regular_file import open_regular
from .series import name_others, pick_series
from .tiff_checks import check_series, guard_decoders
from .tiff_lazy import is_simple, lazy_pixels
from .tiff_open import gather_complaints, open_tiff, own_series, tag_value
from .tiff_tags import kept_tags, name_ignored_tags
from .zarr_arrays import zarr_is_installed

_MINISWHITE, _MINISBLACK, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_RAW_PHOTOMETRIC = (32803, 34892)
# Compressions whose decoders turn luma and chroma into RGB: JPEG, JPEG 2000, ...
_RGB_DECODERS = (6, 7, 33003, 33005, 33007, 34712)
_ORIENTATION, _COLORS, _XMP, _IPTC, _ICC, _DESCRIPTION = 274, 320, 700, 33723, 34675, 270
_LARGEST_VALUE, _NO_DATA = 281, 42113
_RESOLUTION_UNITS = {2: "inch", 3: "centimeter"}


def read_tiff(path: Path, lazy_from: float, series: int | None = None) -> Picture:
    """Read an image of a TIFF file, lazily if it is simple and holds `lazy_from` values.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    lazy_from : float
        Number of values from which on the pixels stay in the file.
    series : int, optional
        Number of the image. By default the first one; of an OME-TIFF of several images and files,
        the first one with planes in this file.

    Raises
    ------
    FileError
        If the file is truncated or lacks planes, holds raw sensor data or colors other than gray
        and RGB, or contains no such image.
    """
    with gather_complaints() as complaints, open_tiff(path) as tiff:
        number = pick_series(path, series, len(tiff.series))
        if series is None:
            number = own_series(tiff)
        return _read_series(path, tiff, number, lazy_from, complaints)


def _read_series(
    path: Path, tiff: Any, number: int, lazy_from: float, complaints: list[str]
) -> Picture:
    series = tiff.series[number]
    _check_kind(path, tiff, series)
    check_whole(path, tiff, series)
    lazy = series.size >= lazy_from and is_simple(series) and zarr_is_installed()
    if not lazy:
        check_memory(path, series.size * series.dtype.itemsize)
    check_series(path, series)
    _check_sound(path, complaints)  # a damaged file can claim hours of decoding
    if lazy:
        metadata = _metadata(path, tiff, number, 1)
        ignored = _ignored(path, tiff, number, metadata)
        pixels = lazy_pixels(path, series, number)
        return Picture(pixels, str(series.axes), metadata, ignored=ignored)
    guard_decoders(path, series)
    data = series.asarray()
    _check_sound(path, complaints)
    data, axes, alpha = _arrange(data, series, plain=_is_plain(tiff))
    orientation = tag_value(series.keyframe, _ORIENTATION, 1)
    metadata = _metadata(path, tiff, number, orientation)
    ignored = _ignored(path, tiff, number, metadata)
    if not axes.rstrip("S").endswith("YX") or 0 in data.shape:
        raise FileError(f"{path} holds no image, but an array of axes {axes}, shape {data.shape}")
    data = turn_upright(data, orientation, color=axes.endswith("S"))
    alpha = None if alpha is None else turn_upright(alpha, orientation, color=False)
    return Picture(data, axes, metadata, alpha, ignored)


def read_companion(path: Path, lazy_from: float) -> Picture:
    """Read the first image that a companion file of OME-XML describes.

    Raises
    ------
    FileError
        If it names no TIFF file in its folder, or this cannot be read.
    """
    files = [file for file in set_files(path) if file.suffix.lower() != COMPANION_SUFFIX]
    if not files:
        raise FileError(f"{path} names no TIFF file in its folder that holds an image")
    return read_tiff(files[0], lazy_from)


def _ignored(path: Path, tiff: Any, number: int, metadata: Metadata) -> str:
    """Return what a file holds that is neither read nor kept, in words."""
    page = tiff.series[number].keyframe
    parts = [name_others(path, number, len(tiff.series))]
    further = page.samplesperpixel - 4
    if int(page.photometric) in (_RGB, _YCBCR) and further > 0:
        parts.append("a further sample a pixel" if further == 1 else f"{further} further samples")
    if int(page.photometric) == _PALETTE and not _is_plain(tiff) and metadata.lut is None:
        parts.append("the look-up table")
    return ", ".join(filter(None, [*parts, *name_ignored_tags(page, metadata.tags)]))


def _check_kind(path: Path, tiff: Any, series: Any) -> None:
    """Refuse raw sensor data, and colors other than gray and RGB."""
    page = series.keyframe
    inner = [inner for first in tiff.pages[:1] for inner in (first.pages or [])]
    if any(getattr(p, "photometric", None) in _RAW_PHOTOMETRIC for p in [page, *inner]):
        raise FileError(f"{path} holds raw sensor data; develop it to a TIFF first")
    photometric = int(page.photometric)
    decoded = photometric == _YCBCR and int(page.compression) in _RGB_DECODERS
    if photometric not in (_MINISWHITE, _MINISBLACK, _RGB, _PALETTE) and not decoded:
        raise FileError(f"{path} holds {page.photometric.name} colors; convert it to RGB first")
    if photometric == _PALETTE and page.tags[_COLORS].count > 3 << 16:
        raise FileError(f"{path} is damaged: its palette holds {page.tags[_COLORS].count} values")
    if photometric == _RGB and page.samplesperpixel < 3 and not tiff.is_lsm:
        raise FileError(
            f"{path} holds {page.samplesperpixel} samples a pixel; RGB has 3, with alpha 4"
        )


def _check_sound(path: Path, complaints: list[str]) -> None:
    if complaints:
        raise FileError(f"{path} is damaged: {complaints[0]}")


def check_whole(path: Path, tiff: Any, series: Any) -> None:
    """Refuse a file that ends before its pixels do, or lacks some of its planes."""
    missing = sum(page is None for page in series.pages)
    if missing:
        raise FileError(f"{path} lacks {missing} of its {len(series.pages)} planes")
    size = tiff.filehandle.size
    if series.dataoffset is not None:
        ends = [series.dataoffset + series.nbytes]
    elif len({page.parent.filehandle.path for page in series.pages}) > 1:
        return  # planes in several files; tifffile has opened them all
    else:
        ends = [
            offset + count
            for page in series.pages
            for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
        ]
    if ends and max(ends) > size:
        raise FileError(f"{path} is truncated: {max(ends)} bytes announced, {size} there")


def _arrange(data: Array, series: Any, *, plain: bool) -> tuple[Array, str, Array | None]:
    """Move Y and X to the end, color samples behind them and other samples before them."""
    page = series.keyframe
    axes = str(series.axes)
    photometric = int(page.photometric)
    data = np.ascontiguousarray(data).astype(data.dtype.newbyteorder("="), copy=False)
    white = 2 ** min(page.bitspersample, 8 * data.itemsize) - 1
    if data.dtype == bool:
        data, white = data.astype(np.uint8) * 255, 255
    if photometric == _MINISWHITE and data.dtype.kind == "u" and plain:
        data = (white - data).astype(data.dtype)
    if photometric == _PALETTE and plain:
        return _look_up(data, page.colormap), axes + "S", None
    if "S" in axes:
        position = axes.index("S")
        axes = axes.replace("S", "")
        if photometric in (_RGB, _YCBCR):
            return _choose_samples(np.moveaxis(data, position, -1), page), axes + "S", None
        data = np.moveaxis(data, position, 0)
        if axes == "YX" and len(data) == 2 and page.extrasamples and page.extrasamples[0] in (1, 2):
            return data[0], axes, data[1]
        axes = ("Q" if "C" in axes else "C") + axes
    for letter in axes:  # Y and X last
        if letter not in "YX" and axes.index(letter) > min(axes.find("Y"), axes.find("X")):
            data = np.moveaxis(data, axes.index(letter), 0)
            axes = letter + axes.replace(letter, "")
    return data, axes, None


def _choose_samples(data: Array, page: Any) -> Array:
    """Return color and its alpha, without further samples of a pixel."""
    if data.shape[-1] <= 4:
        return data
    alpha = 3 + _alpha_index(page)
    return np.ascontiguousarray(data[..., [0, 1, 2, *([alpha] if alpha >= 3 else [])]])


def _alpha_index(page: Any) -> int:
    """Return which of the extra samples is alpha, -1 if none is."""
    kinds = [int(kind) for kind in page.extrasamples or ()]
    return next((index for index, kind in enumerate(kinds) if kind in (1, 2)), -1)


def _look_up(data: Array, colors: Array) -> Array:
    """Turn indices of a palette into RGB, of 8 bits if the palette has no more."""
    table = np.moveaxis(colors, 0, -1)
    if (table % 257 == 0).all() or (table % 256 == 0).all():
        table = (table // 256).astype(np.uint8)
    return np.ascontiguousarray(table[np.minimum(data, len(table) - 1)])


def _is_plain(tiff: Any) -> bool:
    """Return whether palettes and inverted gray are colors, not look-up tables for display only."""
    return not (tiff.is_imagej or tiff.is_ome or tiff.is_lsm or tiff.is_stk or tiff.is_fluoview)


def _metadata(path: Path, tiff: Any, number: int, orientation: int) -> Metadata:
    page = tiff.series[number].keyframe
    xml = ome.put_first(tiff.ome_metadata, number) if tiff.is_ome else None
    imagej = tiff.imagej_metadata if tiff.is_imagej else None
    resolution = _resolution(page, orientation)
    sizes: Mapping[str, Length] = {}
    names: tuple[str, ...] = ()
    if xml:
        sizes, names = ome.read_sizes_and_names(xml)
    elif imagej:
        sizes = _imagej_sizes(imagej, resolution)
    description = "" if xml or imagej or tiff.is_shaped else page.description
    xmp = _bytes(page, _XMP)
    return Metadata(
        exif=_exif(path) if _is_plain(tiff) and number == 0 else None,
        icc=_bytes(page, _ICC),
        xmp=exif.make_xmp_upright(xmp) if xmp and orientation != 1 else xmp,
        iptc=_iptc(page),
        text={"Description": description} if description else {},
        resolution=resolution,
        pixel_size=sizes,
        channel_names=names,
        imagej=imagej,
        ome=xml,
        storage=_storage(tiff, page),
        tags=kept_tags(page, turned=orientation != 1),
        lut=_look_up_table(page) if xml or imagej else None,
        nodata=_nodata(page),
        white=_white(page, xml),
    )


def _look_up_table(page: Any) -> tuple[tuple[int, ...], ...] | None:
    """Return the colors in which a microscope's gray is shown."""
    table = page.colormap
    return None if table is None else tuple(map(tuple, np.asarray(table).tolist()))


def _nodata(page: Any) -> float | None:
    """Return the value of pixels without data, as GDAL writes it."""
    with suppress(ValueError):
        value = float(str(tag_value(page, _NO_DATA, "")).strip(" \0"))
        return value if math.isfinite(value) else None
    return None


def _white(page: Any, xml: str | None) -> float | None:
    """Return the largest value that the file declares, None if it is that of the data type."""
    if page.dtype is None or page.dtype.kind != "u":
        return None
    bits = ome.read_significant_bits(xml) if xml else None
    stored = int(page.bitspersample) if isinstance(page.bitspersample, int) else 0
    declared = tag_value(page, _LARGEST_VALUE, ())
    values = declared if isinstance(declared, tuple) else (declared,)
    if bits is None and values and all(isinstance(value, int) for value in values):
        white = max(values)
    else:
        white = (1 << min(bits or stored, 64)) - 1
    return float(white) if 0 < white < np.iinfo(page.dtype).max else None


def _exif(path: Path) -> bytes | None:
    with open_regular(path) as file:
        return exif.read_from_tiff(file)


def _storage(tiff: Any, page: Any) -> Storage:
    tile = (int(page.tilelength), int(page.tilewidth)) if page.is_tiled else None
    extra = int(page.extrasamples[max(_alpha_index(page), 0)]) if page.extrasamples else 2
    return Storage(
        int(page.compression), tile, bool(tiff.is_bigtiff), extra, int(page.bitspersample)
    )


def _resolution(page: Any, orientation: int) -> Resolution | None:
    pair = [tag_value(page, tag, None) for tag in (282, 283)]
    if not all(isinstance(value, tuple) and min(value) > 0 for value in pair):
        return None
    x, y = (value[0] / value[1] for value in pair)
    if orientation in (5, 6, 7, 8):
        x, y = y, x
    unit = _RESOLUTION_UNITS.get(tag_value(page, 296, 2), "none")
    return Resolution(x, y, unit) if (unit != "none" or (x, y) != (1, 1)) else None  # type: ignore[arg-type]


def _imagej_sizes(imagej: Mapping[str, Any], resolution: Resolution | None) -> dict[str, Length]:
    unit = str(imagej.get("unit", ""))
    sizes = {}
    if unit and resolution:
        sizes = {"X": Length(1 / resolution.x, unit), "Y": Length(1 / resolution.y, unit)}
    if unit and imagej.get("spacing"):
        sizes["Z"] = Length(float(imagej["spacing"]), str(imagej.get("zunit", unit)))
    if imagej.get("finterval"):
        sizes["T"] = Length(float(imagej["finterval"]), str(imagej.get("tunit", "s")))
    return sizes


def _iptc(page: Any) -> bytes | None:
    """Return the IPTC records, also of files that store them as 32-bit words."""
    value = tag_value(page, _IPTC, None)
    if isinstance(value, bytes):
        return value or None
    if isinstance(value, tuple) and all(isinstance(word, int) for word in value):
        order = page.parent.byteorder
        width = {1: "u1", 7: "u1", 4: "u4"}.get(int(page.tags[_IPTC].dtype), "u1")
        return np.array(value, order + width).tobytes().rstrip(b"\0") or None
    return None


def _bytes(page: Any, code: int) -> bytes | None:
    """Return the value of a tag of any type as bytes, None if it is missing or damaged."""
    value = tag_value(page, code, None)
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, tuple):
        with suppress(ValueError, TypeError):
            value = bytes(value)
    return value if isinstance(value, bytes) and value else None
