"""Read an image file of any kind that is known."""

from pathlib import Path

from ..errors import DefocusError, FileError
from .files import Format, StrPath, reason, recognise
from .picture import Picture


def read_picture(path: StrPath) -> Picture:
    """Read an image with all that its file says about it.

    What kind of file it is follows from its content, not from its name. TIFF may be plain, tiled,
    compressed, BigTIFF, OME-TIFF or an ImageJ hyperstack; of several series the first is read.
    Pictures that their EXIF or TIFF orientation asks to be turned are turned, and their metadata
    say so. Palettes become RGB, inverted grey becomes grey, transparency an alpha channel.

    Parameters
    ----------
    path : path
        A TIFF, PNG or JPEG file; or a camera's raw file, with the extra ``raw``.

    Returns
    -------
    Picture
        Pixels (..., Y, X) or, if the file says they are colours, (..., Y, X, 3 or 4), in the
        file's own data type and values.

    Raises
    ------
    FileError
        If the file is missing, empty, damaged, truncated, too large for this machine's memory (or,
        as PNG or JPEG, above 500 megapixels), or holds anything but grey or RGB pixels.

    Examples
    --------
    >>> read_picture("no such file.tif")
    Traceback (most recent call last):
    ...
    napari_defocus.errors.FileError: no such file.tif cannot be read: No such file or directory
    """
    path = Path(path)
    kind = recognise(path)
    try:
        return _read(path, kind)
    except DefocusError:
        raise
    except MemoryError as error:
        raise FileError(f"{path} does not fit into memory; crop or split it first") from error
    except Exception as error:  # decoders let any kind through for a damaged file
        raise FileError(f"{path} is damaged or truncated: {reason(error)}") from error


def _read(path: Path, kind: Format) -> Picture:
    # Each reader's libraries are imported only where they are needed.
    if kind == "TIFF":
        from .tiff_read import read_tiff

        return read_tiff(path)
    if kind == "PNG":
        from .png import read_png

        return read_png(path)
    if kind == "raw":
        from .raw import read_raw

        return read_raw(path)
    from .jpeg import read_jpeg

    return read_jpeg(path)
