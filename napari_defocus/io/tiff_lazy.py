"""Windows of the pixels of a TIFF file, which stay in it, decoded or read row by row."""

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np

from ..array_types import Array
from ..errors import FileError
from .lazy_file import LazyArray, PlaneReader, to_dask
from .regular_file import open_regular
from .tiff_checks import SIZED_BY_OUTPUT, guard_decoders
from .tiff_open import gather_complaints, open_tiff, tag_value
from .zarr_arrays import import_zarr

_MINISBLACK, _RGB = 1, 2
_ORIENTATION = 274


def is_simple(series: Any) -> bool:
    """Return whether the pixels need neither be converted nor turned after reading."""
    page = series.keyframe
    axes = str(series.axes)
    plain_colors = axes.endswith("YXS") and int(page.photometric) == _RGB
    plain_colors = plain_colors and page.samplesperpixel <= 4
    is_gray = int(page.photometric) == _MINISBLACK or series.kind == "lsm"
    gray = axes.endswith("YX") and "S" not in axes and is_gray
    upright = tag_value(page, _ORIENTATION, 1) == 1 and int(page.compression) not in SIZED_BY_OUTPUT
    return (plain_colors or gray) and upright and series.dtype.kind in "iuf"


def lazy_pixels(path: Path, series: Any, number: int) -> Any:
    """Return a dask array that opens the file for each window it reads.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    series : tifffile.TiffPageSeries
        The image.
    number : int
        Its number in the file.
    """
    axes, page, color = str(series.axes), series.keyframe, str(series.axes).endswith("S")
    offsets = _stored_planes(series, math.prod(series.shape[: -3 if color else -2]))
    read: Any = functools.partial(_window, path, number)
    if offsets is not None:
        dtype = np.dtype(series.dtype).newbyteorder(page.parent.byteorder)
        rows = _StoredRows(path, offsets, series.shape, dtype, color)
        read, tile = PlaneReader(series.shape, color, rows.read), (1, 1)
    elif page.is_tiled:
        tile = (page.tilelength, page.tilewidth)
    else:
        tile = (page.rowsperstrip, page.imagewidth)
    sizes = {"Y": min(tile[0], page.imagelength), "X": min(tile[1], page.imagewidth)}
    chunks = tuple(sizes.get(axis, 1) for axis in axes)
    return to_dask(LazyArray(path, series.shape, series.dtype, read), axes, chunks)


def _stored_planes(series: Any, planes: int) -> Any:
    """Return where in the file each plane begins; None unless all are there as they are."""
    pages = list(series.pages)
    if len({page.parent.filehandle.path for page in pages}) > 1:
        return None
    if series.dataoffset is not None:
        return series.dataoffset + series.nbytes // planes * np.arange(planes, dtype=np.int64)
    if len(pages) == planes and all(page.is_final and len(page.dataoffsets) for page in pages):
        return np.array([page.dataoffsets[0] for page in pages], np.int64)
    return None


def _window(path: Path, number: int, index: Any) -> Array:
    with gather_complaints() as complaints, open_tiff(path) as tiff:
        series = tiff.series[number]
        guard_decoders(path, series)
        array = import_zarr().open(series.aszarr(), mode="r")
        window: Array = array[index]
    if complaints:
        raise FileError(complaints[0])
    return window


class _StoredRows:
    """Rows of planes that lie in a file as they are.

    The file is not mapped: if it shrinks, reading it is an error, but a mapping ends in a fatal
    signal.
    """

    def __init__(
        self, path: Path, offsets: Any, shape: tuple[int, ...], dtype: Any, color: bool
    ) -> None:
        self._path, self._offsets, self._dtype = path, offsets, dtype
        place = len(shape) - 2 - color
        self._leading, self._width = shape[:place], shape[place + 1]
        self._samples = shape[place + 2 :]

    def read(self, plane: tuple[int, ...], rows: slice, columns: slice) -> Array:
        """Return a window of the plane of these indices."""
        pixel = math.prod(self._samples) * self._dtype.itemsize
        number = int(np.ravel_multi_index(plane, self._leading)) if plane else 0
        first = int(self._offsets[number]) + rows.start * self._width * pixel
        count = rows.stop - rows.start
        width = columns.stop - columns.start
        content = bytearray(count * width * pixel)
        view, line = memoryview(content), width * pixel
        with open_regular(self._path) as file:
            if width == self._width:
                count, line = 1, len(content)
            for row in range(count):
                file.seek(first + (row * self._width + columns.start) * pixel)
                if file.readinto(view[row * line : (row + 1) * line]) < line:
                    raise ValueError("it ends before its pixels do")
        shape = (rows.stop - rows.start, width, *self._samples)
        return np.frombuffer(content, self._dtype).reshape(shape)
