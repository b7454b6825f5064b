"""Reading of image files in any supported format."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import DefocusError, FileError, reason
from .formats import FORMATS, StrPath, UnknownKindError, detect_format, import_function
from .limits import check_memory
from .picture import Picture
from .series import split_region, split_series

#: Number of values from which on a TIFF file is read lazily.
LARGE = 100_000_000


def read_picture(path: StrPath) -> Picture:
    """Read an image with its metadata.

    The format follows from the content of the file, not from its name. TIFF may be plain, tiled,
    compressed, BigTIFF, OME-TIFF or an ImageJ hyperstack; of several series the first is read.
    Pictures are turned upright as their EXIF or TIFF orientation says, and their metadata are
    adapted. Palettes become RGB, inverted gray becomes gray, transparency an alpha channel.

    Parameters
    ----------
    path : path
        A file of any format in `napari_defocus.io.formats.FORMATS`, or the folder of a zarr array
        or OME-Zarr image, ``.zarr``. An image in a file of several is ``scan.lif/2``, a level of a
        slide ``slide.svs/1``, and behind it ``/left,top,width,height`` or ``/tissue`` is a region.
        A file of an unknown suffix is tried with readers of napari's plugins, which run their code.

    Returns
    -------
    Picture
        Pixels (..., Y, X) or, in color, (..., Y, X, 3 or 4), with the data type and values of the
        file.

    Raises
    ------
    FileError
        If the file is missing, empty, damaged, truncated, too large for this machine's memory (or,
        as a photograph, above 500 megapixels), or holds anything but gray or RGB pixels.

    Examples
    --------
    >>> read_picture("no such file.tif")
    Traceback (most recent call last):
    ...
    napari_defocus.errors.FileError: no such file.tif cannot be read: No such file or directory
    """
    picture = open_picture(path, lazy_from=math.inf)
    if isinstance(picture.data, np.ndarray):
        return picture
    check_memory(Path(path), picture.data.nbytes)
    return replace(picture, data=picture.data.compute())


def count_images(path: Path) -> int:
    """Return how many images a file holds that can be given by their numbers, ``scan.lif/2``.

    It is 1 for a file that cannot be read, and for formats that hold one image each; those of a
    zarr store, levels of a slide, and further images of a TIFF file, such as thumbnails, do not
    count.
    """
    try:
        file_format = detect_format(path)
        if not (file_format.holds_series and file_format.is_installed()):
            return 1
        return open_picture(path, lazy_from=0).images
    except DefocusError:  # which is said when the file is read
        return 1


def open_picture(path: StrPath, *, lazy_from: float = LARGE) -> Picture:
    """Read an image like `read_picture`, but leave the pixels of a large one in its file.

    Parameters
    ----------
    path : path
        As for `read_picture`.
    lazy_from : float
        Number of values from which on the pixels of a TIFF file are a dask array; those of a zarr
        store always are. Without the extra ``zarr``, TIFF files are read into memory.

    Returns
    -------
    Picture
        Its pixels are a NumPy array, or a dask array that reads them when it is computed.

    Raises
    ------
    FileError
        As `read_picture`. Damaged pixels of a lazy picture raise it when they are computed.
    OptionError
        If it is a zarr store, and the extra ``zarr`` is not installed.
    """
    path, region = split_region(Path(path))
    path, series = split_series(path)
    try:
        file_format = detect_format(path)
    except UnknownKindError:
        picture_of_plugin = _read_with_plugins(path)
        if picture_of_plugin is None:
            raise
        return picture_of_plugin
    file_format.check_installed(path)
    options = {"lazy_from": lazy_from, "series": series, "region": region}
    if region is not None and "region" not in file_format.reader_options:
        raise FileError(f"{path} is no slide, so {region} of it cannot be read; give its own name")
    if series is not None and "series" not in file_format.reader_options:
        raise FileError(f"{path}/{series} is no image: {path} is a file of one; give its own name")
    try:
        taken = {name: options[name] for name in file_format.reader_options}
        picture: Picture = import_function(file_format.reader)(path, **taken)
        return picture
    except DefocusError:
        raise
    except MemoryError as error:
        raise FileError(f"{path} does not fit into memory; crop or split it first") from error
    except Exception as error:  # a damaged file can raise any exception in a decoder
        raise FileError(f"{path} is damaged or truncated: {reason(error)}") from error


def _read_with_plugins(path: Path) -> Picture | None:
    """Read a file whose suffix no format has by plugins of napari; None if none knows it."""
    if any(path.suffix.lower() in file_format.suffixes for file_format in FORMATS):
        return None
    from .plugin_files import read_with_plugins

    return read_with_plugins(path)
