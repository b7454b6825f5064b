"""Reading of Leica LIF and LOF files with liffile, frame by frame.

Files of other suffixes, XLIF and XLEF, only name other files, which can be read themselves.
"""

import functools
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import liffile
import numpy as np

from ...array_types import Array
from ...errors import FileError
from ..lazy_file import LazyArray, PlaneReader, load_small, to_dask
from ..picture import Length, Metadata, ObjectiveLens, Picture
from ..regular_file import open_regular
from ..series import name_others, pick_series
from .description import declared_white, positive_number

#: liffile's names of axes that are no letters of the alphabet, and the letters used here.
_LETTERS = {"λ": "E", "Λ": "W"}
_LENGTHS = {"m": ("µm", 1e6), "s": ("s", 1.0)}

# liffile words what it misses, on the console; errors say what matters.
logging.getLogger("liffile").setLevel(logging.CRITICAL)


def read_lif(path: Path, *, lazy_from: float, series: int | None) -> Picture:
    """Read an image.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    lazy_from : float
        Number of values from which on the pixels stay in the file.
    series : int, optional
        Index of the image among those that are not lifetimes (FLIM).

    Returns
    -------
    Picture
        Channels are planes. Rows and columns are the axes that change fastest in the file: Z and X
        in a section along Z. Tiles of a mosaic, which LIF files do not put together, are planes
        (axis M).

    Raises
    ------
    FileError
        If the file is damaged, or has no such image.
    """
    with _open(path) as file:
        images = _images(file)
        series = pick_series(path, series, len(images))
        image = images[series]
        dims, shape = tuple(image.dims), tuple(image.shape)
        dtype, block = np.dtype(image.dtype), image.memory_block
        lifetimes = len(file.images) - len(images)
        _check(path, image, dims)
        if math.prod(shape) * dtype.itemsize > block.size:
            raise FileError(f"{path} is damaged: image {series} is larger than its pixels")
        axes = _axes(dims)
        metadata = _metadata(image, axes)
    planes = functools.partial(_read_plane, path, series)
    reader = PlaneReader(shape, axes.endswith("S"), planes)
    frame = len(axes.rstrip("S")) - 2
    chunks = (*(1 for _ in shape[:frame]), *shape[frame:])
    lazy = to_dask(LazyArray(path, shape, dtype, reader), axes, chunks)
    rest = ["lifetimes (FLIM)"] if lifetimes else []
    others = [*rest, *filter(None, [name_others(path, series, len(images))])]
    ignored = " and ".join(others)
    data = load_small(lazy, path, lazy_from)
    return Picture(data, axes, metadata, ignored=ignored, images=len(images))


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    with open_regular(path) as raw, liffile.LifFile(raw) as file:
        if file.type not in (liffile.LifFileType.LIF, liffile.LifFileType.LOF):
            raise FileError(f"{path} holds no image, but names of files that do; open these")
        yield file


def _images(file: Any) -> list[Any]:
    return [image for image in file.images if isinstance(image, liffile.LifImage)]


def _check(path: Path, image: Any, dims: tuple[str, ...]) -> None:
    """Refuse what is not laid out as frames of rows and columns."""
    frame = tuple(image.frames.frame_sizes)
    if len(dims) < 2 or frame != dims[-len(frame) :] or len(frame) - ("S" in frame) != 2:
        raise FileError(f"{path} holds no image, but an array of axes {''.join(dims)}")
    if "S" in dims and image.sizes["S"] != 3:
        raise FileError(f"{path} holds {image.sizes['S']} samples a pixel; RGB has 3")


def _axes(dims: tuple[str, ...]) -> str:
    """Return a letter an axis; the last two, before samples, are Y and X."""
    letters = [_LETTERS.get(name, name[0]) for name in dims if name != "S"]
    taken = "".join(dict.fromkeys(letters[:-2]))
    if len(taken) < len(letters) - 2 or set(taken) & set("YXS"):
        taken = "Q" * (len(letters) - 2)
    return taken + "YX" + ("S" if "S" in dims else "")


def _read_plane(
    path: Path, series: int, plane: tuple[int, ...], rows: slice, columns: slice
) -> Array:
    with _open(path) as file:
        image = _images(file)[series]
        frame = image.frame(**dict(zip(image.dims, plane, strict=False)))
    return np.asarray(frame)[rows, columns]


def _metadata(image: Any, axes: str) -> Metadata:
    sizes, channels = {}, image.xml_element.findall(".//Channels/ChannelDescription")
    described = {each.label: each for each in image._dimensions}
    for name, axis in zip(image.dims, axes, strict=True):
        dim = described.get(name)
        if dim is not None and dim.unit in _LENGTHS and dim.number_elements > 1:
            unit, factor = _LENGTHS[dim.unit]
            size = positive_number(factor * abs(dim.length) / (dim.number_elements - 1))
            if size and axis in "XYZT":
                sizes[axis] = Length(float(f"{size:.9g}"), unit)
    count = image.shape[axes.index("C")] if "C" in axes else 1
    names = tuple(_channel_name(channel) for channel in channels)
    times = _times(image, image.shape[axes.index("T")]) if "T" in axes else ()
    resolution = {int(channel.get("Resolution", 0)) for channel in channels}
    bits = max(resolution, default=0)
    return Metadata(
        pixel_size=sizes,
        channel_names=names if len(names) == count and any(names) else (),
        times=times,
        objective=_objective(image.xml_element),
        white=declared_white(bits, image.dtype),
    )


def _channel_name(channel: Any) -> str:
    """Return the dye of a channel, or the color in which it is shown."""
    for item in channel.iterfind("ChannelProperty"):
        if item.findtext("Key") == "DyeName" and item.findtext("Value"):
            return str(item.findtext("Value"))
    return str(channel.get("LUTName", ""))


def _times(image: Any, frames: int) -> tuple[float, ...]:
    """Return the time of the first plane of each frame, in seconds since the first one."""
    with suppress(Exception):
        stamps = np.asarray(image.timestamps).astype(np.int64)
        if len(stamps) and len(stamps) % frames == 0:
            first = stamps.reshape(frames, -1)[:, 0]
            return tuple(float(stamp - first[0]) / 1000 for stamp in first)
    return ()


def _objective(element: Any) -> ObjectiveLens | None:
    for setting in element.iter():
        aperture = positive_number(setting.get("NumericalAperture"))
        if aperture:
            magnification = positive_number(setting.get("Magnification"))
            return ObjectiveLens(aperture, magnification, setting.get("Immersion", "").capitalize())
    return None
