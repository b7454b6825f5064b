"""Reading of Olympus OIB files and OIF folders with oiffile; their planes are TIFF files.

Of an OIF file, the folder of the same name with ``.files`` behind it is read, and nothing that the
file names.
"""

import io
import itertools
import math
import os
import re
import struct
import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import oiffile
import tifffile

from ...array_types import Array
from ...errors import FileError
from ..lazy_file import BlockCache, LazyArray, PlaneReader, load_small, to_dask
from ..limits import LARGEST_METADATA, check_claim
from ..picture import Length, Metadata, ObjectiveLens, Picture
from ..regular_file import open_regular, read_regular
from ..tiff_checks import check_directories, check_pages, check_series, guard_decoders
from .description import declared_white, positive_number

_SECTOR = 512
_PLANE = re.compile(r"s_((?:[A-Z]\d{3,9})*)\.tif")
_POSITION = re.compile(r"([A-Z])(\d+)")
_MOST_FILES = 100_000
_UNITS = {"um": ("µm", 1.0), "nm": ("µm", 1e-3), "ms": ("s", 1e-3), "s": ("s", 1.0)}


def read_oif(path: Path, *, lazy_from: float) -> Picture:
    """Read the image of an OIB file, or of an OIF file and the folder beside it.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    lazy_from : float
        Number of values from which on the pixels stay in the file.

    Returns
    -------
    Picture
        Channels are planes.

    Raises
    ------
    FileError
        If the file or its folder is damaged, or lacks planes.
    """
    files = _open(path)
    planes = _planes(path, files.names())
    axes, shape = _leading(path, planes)
    first = planes[min(planes)]
    plane = _decode(path, files, first)
    if plane.ndim != 2:
        raise FileError(f"{path} holds planes of {plane.ndim} axes; gray ones have 2")
    axes, shape = f"{axes}YX", (*shape, *plane.shape)
    check_claim(path, math.prod(shape) * plane.dtype.itemsize, files.size)
    reader = PlaneReader(shape, False, _Planes(path, files, planes, plane).read)
    chunks = (*(1 for _ in shape[:-2]), *plane.shape)
    lazy = to_dask(LazyArray(path, shape, plane.dtype, reader), axes, chunks)
    lens = _objective(files, first)
    metadata = _metadata(files.settings(), axes, shape, plane.dtype, lens)
    return Picture(load_small(lazy, path, lazy_from), axes, metadata)


class _Folder:
    """Files of an OIF image."""

    def __init__(self, path: Path) -> None:
        self._main, self._folder = path, path.with_name(f"{path.name}.files")
        self.size = 0
        for entry in itertools.islice(os.scandir(self._folder), _MOST_FILES):
            self.size += entry.stat(follow_symlinks=False).st_size

    def names(self) -> list[str]:
        """Return the names of all files, but links."""
        entries = itertools.islice(os.scandir(self._folder), _MOST_FILES)
        return [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return read_regular(self._folder / name, self.size)

    def settings(self) -> Any:
        """Return what describes the image."""
        return _parse(read_regular(self._main, LARGEST_METADATA))


class _Compound(oiffile.CompoundFile):
    """Files in an OIB file, whose chains of sectors end."""

    def __init__(self, path: Path) -> None:
        with open_regular(path) as file:
            self.size = os.fstat(file.fileno()).st_size
            head = file.read(_SECTOR)
        counts = struct.unpack_from("<4xI", head, 40) + struct.unpack_from("<I4xI", head, 64)
        if max(counts) > self.size // _SECTOR:
            raise ValueError("its tables claim more sectors than it holds")
        super().__init__(path)
        self.close()  # it is opened again for each stream
        self._path, self._lock = path, threading.Lock()
        info = _parse(self.read_stream("OibInfo.txt"))["OibSaveInfo"]
        streams = {name.rpartition("/")[2]: name for name in self.files()}
        self._main = str(info[info["MainFileName"]])
        self._streams = {
            str(value).replace("\\", "/").rpartition("/")[2]: streams[key]
            for key, value in info.items()
            if key.startswith("Stream") and key in streams
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return _Compound, (self._path,)

    def _sec_chain(self, secid: int, /) -> Generator[bytes]:
        yield from self._ending(super()._sec_chain(secid), self.sec_size)

    def _mini_sec_chain(self, secid: int, /) -> Generator[bytes]:
        yield from self._ending(super()._mini_sec_chain(secid), self.short_sec_size)

    def _ending(self, chain: Iterator[bytes], size: int) -> Iterator[bytes]:
        for number, sector in enumerate(chain):
            if number * size > self.size:
                raise ValueError("its sectors lead in a circle")
            yield sector

    def names(self) -> list[str]:
        """Return the names of all files."""
        return list(self._streams)

    def read_stream(self, name: str) -> bytes:
        """Return the content of a stream."""
        with self._lock, open_regular(self._path) as self._fh:
            return bytes(self.open_file(name).getvalue())

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return self.read_stream(self._streams[name])

    def settings(self) -> Any:
        """Return what describes the image."""
        return _parse(self.read(self._main.replace("\\", "/").rpartition("/")[2]))


def _open(path: Path) -> _Folder | _Compound:
    if path.suffix.lower() != ".oif":
        return _Compound(path)
    try:
        return _Folder(path)
    except FileNotFoundError as error:
        raise FileError(f"{path} needs the folder {path.name}.files beside it") from error


def _parse(content: bytes) -> Any:
    """Return settings by section."""
    return oiffile.SettingsFile(io.BytesIO(content))


def _planes(path: Path, names: list[str]) -> dict[tuple[tuple[str, int], ...], str]:
    """Return the names of planes by their positions, such as (("C", 1), ("Z", 3))."""
    planes = {}
    for name in names:
        match = _PLANE.fullmatch(name)
        if match:
            position = [(axis, int(n)) for axis, n in _POSITION.findall(match[1])]
            planes[tuple(position)] = name
    if not planes:
        raise FileError(f"{path} holds no image")
    return planes


def _leading(path: Path, planes: Any) -> tuple[str, tuple[int, ...]]:
    """Return letters and lengths of the axes of planes."""
    orders = {"".join(axis for axis, _ in position) for position in planes}
    axes = orders.pop()
    if orders or len(set(axes)) < len(axes) or set(axes) & set("YXS"):
        raise FileError(f"{path} is damaged: the names of its planes do not agree")
    shape = tuple(max(n for _, n in column) for column in zip(*planes, strict=True))
    if len(planes) != math.prod(shape):
        missing = math.prod(shape) - len(planes)
        raise FileError(f"{path} is damaged: it lacks {missing} of its planes")
    return axes, shape


class _Planes:
    """Reader of windows of planes by their position."""

    def __init__(self, path: Path, files: Any, planes: Any, like: Array) -> None:
        self._files = files
        self._path, self._names = (
            path,
            {tuple(n - 1 for _, n in position): name for position, name in planes.items()},
        )
        self._shape, self._dtype = like.shape, like.dtype
        self._decoded = BlockCache(self._decode)

    def _decode(self, name: str) -> Array:
        plane = _decode(self._path, self._files, name)
        if plane.shape != self._shape or plane.dtype != self._dtype:
            raise ValueError("its planes differ in size or type")
        return plane

    def read(self, plane: tuple[int, ...], rows: slice, columns: slice) -> Array:
        """Return a window of the plane of these indices."""
        return self._decoded[self._names[plane]][rows, columns]


def _decode(path: Path, files: Any, name: str) -> Array:
    """Return the pixels of a TIFF file."""
    content: BinaryIO = io.BytesIO(files.read(name))
    directories = check_directories(content, path)
    with tifffile.TiffFile(content) as tiff:
        check_pages(path, tiff, directories)
        series = tiff.series[0]
        check_series(path, series)
        guard_decoders(path, series)
        return np.asarray(series.asarray())


def _objective(files: Any, plane: str) -> ObjectiveLens | None:
    """Return the objective, which is described beside each plane."""
    with suppress(Exception):
        fields = _parse(files.read(f"{plane[:-4]}.pty"))["Acquisition Parameters Common"]
        aperture = positive_number(fields.get("ObjectiveLens NAValue"))
        magnification = positive_number(fields.get("Magnification"))
        return ObjectiveLens(aperture, magnification) if aperture or magnification else None
    return None


def _metadata(
    settings: Any, axes: str, shape: tuple[int, ...], dtype: Any, lens: ObjectiveLens | None
) -> Metadata:
    sizes = {}
    reference = settings.get("Reference Image Parameter", {})
    for axis, word in (("X", "Width"), ("Y", "Height")):
        size = positive_number(reference.get(f"{word}ConvertValue"))
        unit, factor = _UNITS.get(str(reference.get(f"{word}Unit")), ("", 0))
        if size and unit:
            sizes[axis] = Length(float(f"{size * factor:.9g}"), unit)
    for number in range(8):
        fields = settings.get(f"Axis {number} Parameters Common", {})
        axis = str(fields.get("AxisCode", ""))
        unit, factor = _UNITS.get(str(fields.get("UnitName")), ("", 0))
        if axis in ("Z", "T") and axis in axes and unit:
            with suppress(KeyError, ValueError):
                span = abs(float(fields["EndPosition"]) - float(fields["StartPosition"]))
                size = positive_number(span * factor / (shape[axes.index(axis)] - 1))
                if size:
                    sizes[axis] = Length(float(f"{size:.9g}"), unit)
    count = shape[axes.index("C")] if "C" in axes else 1
    channels = [settings.get(f"Channel {n + 1} Parameters", {}) for n in range(count)]
    names = tuple(_channel_name(channel) for channel in channels)
    waves = tuple(positive_number(channel.get("EmissionWavelength")) for channel in channels)
    bits = positive_number(reference.get("ValidBitCounts")) or 0
    return Metadata(
        pixel_size=sizes,
        channel_names=names if any(names) else (),
        wavelengths=waves if any(waves) else (),
        objective=lens,
        white=declared_white(bits, dtype),
    )


def _channel_name(fields: Any) -> str:
    """Return the dye of a channel, or the name of its detector."""
    dye = str(fields.get("DyeName", ""))
    return dye if dye not in ("", "None") else str(fields.get("CH Name", ""))
