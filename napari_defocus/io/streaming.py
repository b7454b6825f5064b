"""Writing of large images window by window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from ..errors import FileError
from .atomic import atomic_file, atomic_folder, scratch_folder
from .formats import StrPath, target_format
from .picture import Picture


class StreamingWriter(Protocol):
    """An image that is being written.

    Parameters
    ----------
    array : array
        Pixels to fill, indexed like a NumPy array.
    """

    array: Any

    def complete(self) -> Iterator[None]:
        """Finish the file once `array` is filled; yield several times meanwhile."""


@contextmanager
def open_streaming(
    path: StrPath, picture: Picture, *, overwrite: bool = False
) -> Iterator[StreamingWriter]:
    """Write an image window by window, in little memory.

    Parameters
    ----------
    path : path
        ``.zarr`` or ``.ome.zarr``, for OME-Zarr with smaller copies; ``.tif`` or ``.tiff``.
    picture : Picture
        Shape, data type and metadata of the image; its pixels do not matter.
    overwrite : bool
        Replace an existing file.

    Yields
    ------
    StreamingWriter
        Fill its array, then exhaust `complete`. The image appears under its name when the context
        ends, or not at all if anything was raised.

    Raises
    ------
    FileError
        If it exists, cannot hold such an image, or cannot be written.
    OptionError
        If zarr is not installed.
    """
    path = Path(path)
    file_format = target_format(path)
    if file_format.is_folder:
        from .zarr_write import StreamingZarr

        check_zarr(picture, path)
        with atomic_folder(path, overwrite=overwrite) as folder:
            yield StreamingZarr(folder, picture, path.name)
    elif file_format.is_streamed:
        from .tiff_write import StreamingTiff

        with scratch_folder(path.parent) as folder, atomic_file(path, overwrite=overwrite) as file:
            yield StreamingTiff(file, folder, picture, path)
    else:
        raise FileError(f"{path} cannot be written window by window; write a .tif or .zarr")


def check_zarr(picture: Picture, path: Path) -> None:
    """Raise a FileError for colors, which OME-Zarr cannot hold."""
    if picture.axes.endswith("S"):
        raise FileError(f"{path} cannot hold colors, as OME-Zarr does not; write a .tif")
