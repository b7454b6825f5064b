"""Images that are written window by window, and appear once they are whole."""

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
        To be filled, sliced like NumPy's.
    """

    array: Any

    def complete(self) -> Iterator[None]:
        """Write what follows from the pixels, once all are there; yields now and then."""


@contextmanager
def open_streaming(
    path: StrPath, picture: Picture, *, overwrite: bool = False
) -> Iterator[StreamingWriter]:
    """Write an image window by window, in memory that does not grow with it.

    Parameters
    ----------
    path : path
        ``.zarr`` or ``.ome.zarr``, for OME-Zarr with smaller copies; ``.tif`` or ``.tiff``.
    picture : Picture
        Of the shape, data type and metadata that it is to have; its pixels do not matter.
    overwrite : bool
        Replace what is there.

    Yields
    ------
    StreamingWriter
        Fill its array, then run through what `complete` gives. The image appears under its name
        when the context ends, or not at all if something was raised.

    Raises
    ------
    FileError
        If it exists, cannot hold such an image, or cannot be written.
    OptionError
        If zarr is not installed.
    """
    path = Path(path)
    kind = target_format(path)
    if kind == "zarr":
        from .zarr_write import ZarrImage

        check_zarr(picture, path)
        with atomic_folder(path, overwrite=overwrite) as folder:
            yield ZarrImage(folder, picture, path.name)
    elif kind == "TIFF":
        from .tiff_write import TiffImage

        as_ome = path.stem.lower().endswith(".ome")
        with scratch_folder(path.parent) as folder, atomic_file(path, overwrite=overwrite) as file:
            yield TiffImage(file, folder, picture, as_ome=as_ome)
    else:
        raise FileError(f"{path} cannot be written window by window; write a .tif or .zarr")


def check_zarr(picture: Picture, path: Path) -> None:
    """Refuse colors, for which OME-Zarr has no place."""
    if picture.axes.endswith("S"):
        raise FileError(f"{path} cannot hold colors, as OME-Zarr does not; write a .tif")
