"""Depth maps that phones store with portraits."""

from pathlib import Path

from ..errors import DefocusError, FileError, reason
from .formats import StrPath, detect_format
from .picture import Picture


def read_depth_map(path: StrPath) -> Picture:
    """Read the depth map that phones store with a portrait.

    Parameters
    ----------
    path : path
        A HEIC or HEIF file.

    Returns
    -------
    Picture
        (Y, X) float32 of the size of the photograph, upright: 0 far, 1 near, in units of their own.
        It is a guide for painting a map, and no radius of blur.

    Raises
    ------
    FileError
        If it cannot be read, or holds none.
    OptionError
        If the extra ``heic`` is not installed.

    Examples
    --------
    >>> read_depth_map("no such file.heic")
    Traceback (most recent call last):
    ...
    napari_defocus.errors.FileError: no such file.heic cannot be read: No such file or directory
    """
    path = Path(path)
    file_format = detect_format(path)
    if file_format.name != "HEIC":
        raise FileError(f"{path} is a {file_format.name} file; depth maps are read from HEIC files")
    file_format.check_installed(path)
    from .heic import read_depth_levels

    try:
        levels = read_depth_levels(path)
    except DefocusError:
        raise
    except Exception as error:  # a damaged file can raise any exception in a decoder
        raise FileError(f"{path} is damaged or truncated: {reason(error)}") from error
    if levels is None:
        raise FileError(f"{path} holds no depth map; phones store one with a portrait")
    return levels
