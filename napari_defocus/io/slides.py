"""Slides of whole-slide scanners (SVS, NDPI, SCN, BIF), read window by window with tiffslide.

A slide is a TIFF file with smaller copies, its levels. ``slide.svs/1`` is level 1; behind a level
or the file itself, ``/left,top,width,height`` is a region of it in pixels, and ``/tissue`` the
rectangle around the tissue.
"""

import functools
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tiffslide

from ..array_types import Array
from ..errors import FileError
from .lazy_file import LazyArray, PlaneReader, load_small, to_dask
from .limits import LARGEST_METADATA
from .picture import Length, Metadata, ObjectiveLens, Picture, Resolution
from .quiet import without_warnings
from .regular_file import open_regular
from .tiff_checks import check_directories, check_pages, check_series, guard_decoders
from .tiff_open import gather_complaints
from .tiff_read import check_whole

_ICC, _XMP = 34675, 700
_ISCAN = re.compile(rb'\b(ScanRes|Magnification)="([0-9.]+)"')
_MOST_PAGES = 20
_UNNAMED = "Unknown"  # by tifffile
_ROWS = 2048  # rows of a level that are read at a time when tissue is sought
_MAP_SIDE = 1024  # pixels of the map in which tissue is sought
_BLOCK = 4  # pixels of this map that are averaged, so that specks of dust do not count
_MIN_SATURATION = 0.06  # of stained tissue; the glass has up to 0.03, with the noise of JPEG
_MARGIN = 0.01  # of the longer side that is added around the tissue


class _Slide(tiffslide.TiffSlide):
    """A slide whose regions are placed in pixels of their own level."""

    def _read_region_loc_transform(self, location: tuple[int, int], level: int) -> tuple[int, int]:
        return location


def read_slide(path: Path, *, lazy_from: float, series: int | None, region: str | None) -> Picture:
    """Read a level of a slide.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    lazy_from : float
        Number of values from which on the pixels stay in the file.
    series : int, optional
        The level; 0, which is the largest, by default.
    region : str, optional
        ``"left,top,width,height"`` in pixels of the level, or ``"tissue"``.

    Raises
    ------
    FileError
        If the file is damaged, or has no such level or region.
    """
    level = series or 0
    with gather_complaints() as complaints, _open(path) as slide:
        if complaints:
            raise ValueError(complaints[0])
        count = slide.level_count
        if level >= count:
            raise FileError(f"{path} has no level {level}; it has {count}, 0 to {count - 1}")
        _check(path, slide, level)
        axes = str(slide.properties["tiffslide.series-axes"])
        origin, (width, height) = _place(slide, level)
        samples = _samples(slide, axes)
        metadata = _metadata(slide, level)
        ignored = _ignored(path, slide, level)
        tile = _tile(slide, level)
    named = {"YXS": "YXS", "CYX": "CYX"}.get(axes, "YX")
    shape = {"YXS": (height, width, samples), "CYX": (samples, height, width)}.get(
        named, (height, width)
    )
    read = functools.partial(_read_window, path, level, named, origin)
    dtype = read((0,), slice(0, 1), slice(0, 1)).dtype
    reader = PlaneReader(shape, named == "YXS", read)
    sizes = {"Y": min(tile[0], height), "X": min(tile[1], width)}
    chunks = tuple(sizes.get(axis, 1) for axis in named)
    pixels = to_dask(LazyArray(path, shape, dtype, reader), named, chunks)
    if region is not None:
        left, top, right, bottom = _bounds(path, region, pixels, named)
        window = {"Y": slice(top, bottom), "X": slice(left, right)}
        pixels = pixels[tuple(window.get(axis, slice(None)) for axis in named)]
        metadata = _moved(metadata, left, top)
    return Picture(load_small(pixels, path, lazy_from), named, metadata, ignored=ignored)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    """Open a slide, whose directories are checked first."""
    with open_regular(path) as file, without_warnings():
        directories = check_directories(file, path)
        with _Slide(file) as slide:
            check_pages(path, slide.ts_tifffile, directories)
            yield slide


def _check(path: Path, slide: Any, level: int) -> None:
    """Refuse a level that claims more than its data hold, or that is cut off."""
    for series in _parts(slide):
        part = series.levels[min(level, len(series.levels) - 1)]
        check_whole(path, slide.ts_tifffile, part)
        check_series(path, part)


def _parts(slide: Any) -> list[Any]:
    """Return the series of the file that form the slide."""
    composition = slide.properties.get("tiffslide.series-composition")
    numbers = composition["located_series"] if composition else None
    first = slide.properties["tiffslide.series-index"]
    return [slide.ts_tifffile.series[int(number)] for number in numbers or [first]]


def _samples(slide: Any, axes: str) -> int:
    shape = _parts(slide)[0].shape
    samples = int(shape[axes.index("S" if "S" in axes else "C")]) if len(axes) == 3 else 1
    if axes == "YXS" and samples not in (3, 4):
        raise ValueError(f"it holds {samples} samples a pixel; RGB has 3, with alpha 4")
    return samples


def _tile(slide: Any, level: int) -> list[int]:
    names = [f"tiffslide.level[{level}].tile-{side}" for side in ("height", "width")]
    return [int(slide.properties.get(name) or _ROWS) for name in names]


def _place(slide: Any, level: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return where the scanned part of a level begins, and its width and height."""
    names = [f"tiffslide.bounds-{name}" for name in ("x", "y", "width", "height")]
    bounds = [slide.properties.get(name) for name in names]
    size = slide.level_dimensions[level]
    if not slide.properties.get("tiffslide.series-composition") or None in bounds:
        return (0, 0), size
    factor = slide.level_downsamples[level]
    left, top, width, height = (math.ceil(number / factor) for number in bounds)
    return (left, top), (min(width, size[0] - left), min(height, size[1] - top))


def _read_window(
    path: Path,
    level: int,
    axes: str,
    origin: tuple[int, int],
    plane: tuple[int, ...],
    rows: slice,
    columns: slice,
) -> Array:
    """Return a window of a level: of a channel, of gray, or of color."""
    with gather_complaints() as complaints, _open(path) as slide:
        for series in _parts(slide):
            guard_decoders(path, series.levels[min(level, len(series.levels) - 1)])
        size = columns.stop - columns.start, rows.stop - rows.start
        place = origin[0] + columns.start, origin[1] + rows.start
        window = slide.read_region(place, level, size, as_array=True)
    if complaints:
        raise ValueError(complaints[0])
    if axes == "YXS":
        return np.asarray(window)
    return np.asarray(window[..., plane[0] if plane and axes == "CYX" else 0])


def _metadata(slide: Any, level: int) -> Metadata:
    properties = {**slide.properties, **_ventana(slide)}
    factor = slide.level_downsamples[level]
    sizes = {}
    for axis in "XY":
        size = _positive(properties.get(f"tiffslide.mpp-{axis.lower()}"))
        if size:
            sizes[axis] = Length(float(f"{size * factor:.9g}"), "µm")
    resolution = None
    if len(sizes) == 2:
        resolution = Resolution(1e4 / sizes["X"].value, 1e4 / sizes["Y"].value, "centimeter")
    power = _positive(properties.get("tiffslide.objective-power"))
    aperture = _positive(properties.get("leica.aperture"))
    tag = slide.ts_tifffile.pages[0].tags.get(_ICC)
    profile = tag.value if tag is not None and tag.valuebytecount < LARGEST_METADATA else None
    return Metadata(
        icc=profile if isinstance(profile, bytes) else None,
        pixel_size=sizes,
        resolution=resolution,
        objective=ObjectiveLens(aperture, power) if power or aperture else None,
    )


def _ventana(slide: Any) -> dict[str, str]:
    """Return size of a pixel and magnification, which tiffslide does not read from BIF files."""
    if not slide.ts_tifffile.is_bif:
        return {}
    tags = [page.tags.get(_XMP) for page in slide.ts_tifffile.pages[:_MOST_PAGES]]
    texts = [tag.value for tag in tags if tag is not None and tag.valuebytecount < LARGEST_METADATA]
    text = b" ".join(value for value in texts if isinstance(value, bytes))
    names = {b"ScanRes": ("mpp-x", "mpp-y"), b"Magnification": ("objective-power",)}
    return {
        f"tiffslide.{name}": value.decode()
        for key, value in _ISCAN.findall(text)
        for name in names[key]
    }


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < float("inf") else None


def _moved(metadata: Metadata, left: int, top: int) -> Metadata:
    places = {"X": left, "Y": top}
    sizes = metadata.pixel_size
    return replace(metadata, origin={axis: places[axis] * sizes[axis].value for axis in sizes})


def _ignored(path: Path, slide: Any, level: int) -> str:
    """Return what the file holds beside the level, in words."""
    parts = []
    others = [f"{path}/{number}" for number in range(slide.level_count) if number != level]
    if others:
        names = others[0] if len(others) == 1 else f"{others[0]} to {others[-1]}"
        parts.append(f"other levels, which are read as {names}")
    own = _parts(slide)
    unread = [s.name or _UNNAMED for s in slide.ts_tifffile.series if s not in own]
    kinds = ["further" if name == _UNNAMED else name.lower() for name in unread]
    if kinds:
        parts.append(f"{', '.join(kinds)} image{'s' if len(kinds) > 1 else ''}")
    return " and ".join(parts)


def _bounds(path: Path, region: str, pixels: Any, axes: str) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a region of a level.

    Raises
    ------
    FileError
        If it lies outside of it.
    """
    height, width = (pixels.shape[axes.index(axis)] for axis in "YX")
    if region == "tissue":
        return _tissue(path, pixels, axes)
    left, top, columns, rows = map(int, re.split(",", region))
    if columns < 1 or rows < 1 or left + columns > width or top + rows > height:
        raise FileError(
            f"{path} has no region {region} in a level of {width} x {height} pixels; "
            "a region is left,top,width,height"
        )
    return left, top, left + columns, top + rows


def _tissue(path: Path, pixels: Any, axes: str) -> tuple[int, int, int, int]:
    """Return the rectangle around all that is stained, with a margin."""
    if axes != "YXS":
        raise FileError(f"{path} is gray, and tissue is found by its color; name a region instead")
    height, width = pixels.shape[:2]
    step = max(1, max(height, width) // _MAP_SIDE)
    parts = []
    for top in range(0, height, _ROWS // step * step or step):
        rows = pixels[top : top + (_ROWS // step * step or step) : step, ::step, :3]
        small = np.asarray(rows.compute(scheduler="synchronous"), np.float32)
        parts.append(np.ptp(small, axis=-1))
    white = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1.0
    saturation = np.concatenate(parts) / white
    blocks = _average(saturation)
    stained = blocks > _MIN_SATURATION
    if not stained.any():
        raise FileError(f"{path} shows no stained tissue; name a region instead")
    margin = round(_MARGIN * max(height, width))
    bounds = []
    for axis, length in ((1, width), (0, height)):
        places = np.flatnonzero(stained.any(axis=1 - axis))
        first, last = places[0] * _BLOCK * step, (places[-1] + 1) * _BLOCK * step
        bounds.append((max(0, int(first) - margin), min(length, int(last) + margin)))
    (left, right), (top, bottom) = bounds
    return left, top, right, bottom


def _average(values: Array) -> Array:
    """Return the means of blocks; those at the ends are filled up with 0."""
    ends = [(0, -length % _BLOCK) for length in values.shape]
    padded = np.pad(values, ends)
    rows, columns = (length // _BLOCK for length in padded.shape)
    means: Array = padded.reshape(rows, _BLOCK, columns, _BLOCK).mean(axis=(1, 3))
    return means
