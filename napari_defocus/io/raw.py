"""Cameras' raw files, developed by LibRaw to a picture of 16 bits (the extra ``raw``)."""

from pathlib import Path
from types import ModuleType

import numpy as np

from ..errors import FileError, OptionError
from . import exif
from .files import StrPath, check_memory
from .picture import Metadata, Picture

_SRGB = (2.4, 12.92)  # power and slope, in LibRaw's terms


def read_raw(path: StrPath, *, frame: int = 0) -> Picture:
    """Read a camera's raw file, developed with the camera's white balance and nothing else.

    Parameters
    ----------
    path : path
        A file that LibRaw knows, such as CR2, CR3, NEF, ARW, DNG, RAF, ORF or RW2.
    frame : int
        Which of its pictures, where there are several. In Canon's dual-pixel raw files, 0 is the
        photograph, of both halves of the pixels, and 1 is that of one half alone.

    Returns
    -------
    Picture
        (Y, X, 3) uint16, upright, sRGB values. Of a file that is laid out as a TIFF file, what its
        EXIF says, but for the maker's note.

    Raises
    ------
    OptionError
        If the extra ``raw`` is not installed.
    FileError
        If the file cannot be read, is damaged, or has no such frame.

    Examples
    --------
    >>> read_raw("no such file.dng")
    Traceback (most recent call last):
    ...
    napari_defocus.errors.FileError: no such file.dng cannot be read: No such file or directory
    """
    path = Path(path)
    try:
        check_memory(path, path.stat().st_size)
        with path.open("rb") as file:
            blob = exif.of_tiff(file)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from error
    data = _developed(path, frame)
    return Picture(data, "YXS", Metadata(exif=_suitable(blob, data.shape[1], data.shape[0])))


def _developed(path: Path, frame: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint16]]":
    rawpy = _library(path)
    with path.open("rb") as file, rawpy.RawPy() as raw:  # a name may be no text for LibRaw
        try:
            for open_it in (lambda: raw.open_buffer(file), raw.unpack):
                raw.set_unpack_params(shot_select=frame)  # some kinds are chosen from at either
                open_it()
            check_memory(path, 6 * raw.sizes.raw_width * raw.sizes.raw_height)
            developed = raw.postprocess(
                output_bps=16, use_camera_wb=True, no_auto_bright=True, gamma=_SRGB
            )
        except rawpy.LibRawRequestForNonexistentImageError as error:
            raise FileError(f"{path} has no frame {frame}") from error
        except rawpy.LibRawError as error:
            words = error.args[0].decode() if error.args else "LibRaw does not say why"
            raise FileError(f"{path} is damaged, or no raw file: {words}") from error
    return np.asarray(developed, np.uint16)


def _library(path: Path) -> ModuleType:
    try:
        import rawpy
    except ImportError as error:
        raise OptionError(
            f"{path} is a camera's raw file; reading it needs more: "
            "pip install 'napari-defocus[raw]'"
        ) from error
    return rawpy


def _suitable(blob: bytes | None, width: int, height: int) -> bytes | None:
    """What EXIF says of the developed picture."""
    upright = None if blob is None else exif.upright(blob, width, height)[1]
    return None if upright is None else exif.without_maker_note(upright)
