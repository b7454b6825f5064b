"""Camera raw files, developed by LibRaw to pictures of 16 bits (needs the extra ``raw``)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from ..array_types import Array
from ..errors import FileError, OptionError, reason
from ..image.encoding import encode
from . import exif
from .formats import StrPath
from .limits import check_memory
from .picture import Metadata, Picture, turn_upright
from .regular_file import open_regular

_SRGB = (2.4, 12.92)  # power and slope, in LibRaw's terms
_WHITE = 65535
#: Value from which on a pixel may be clipped; below 65535, as mixing colors lowers clipped ones.
_CLIPPED = 60000
#: EXIF orientations by LibRaw's flags: 1 flips X, 2 flips Y, 4 swaps X and Y.
_ORIENTATIONS = (1, 2, 4, 3, 5, 8, 6, 7)
_DUAL_PIXEL = (".cr2", ".cr3")
#: Smallest and largest ratio of brightness between a frame and one of its halves.
_MIN_RATIO, _MAX_RATIO = 1.5, 3.0

Values = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class DualPixel:
    """Views of the two halves of a dual-pixel sensor.

    Parameters
    ----------
    left, right : Picture
        (Y, X, 3) uint16, sRGB values, each as bright as the photograph. They are oriented as the
        sensor, whose pixels are split along X, and carry no metadata.
    orientation : int
        EXIF orientation of the photograph, 1 to 8.
    """

    left: Picture
    right: Picture
    orientation: int

    def upright(self, plane: Array) -> Array:
        """Turn a result (..., Y, X) of the views to the orientation of the photograph."""
        return turn_upright(plane, self.orientation, color=False)


class _NoSuchFrame(FileError):
    """A raw file holds fewer pictures."""


def read_raw(path: StrPath, *, frame: int = 0) -> Picture:
    """Read a camera raw file, developed with the camera's white balance and nothing else.

    Parameters
    ----------
    path : path
        A file that LibRaw supports, such as CR2, CR3, NEF, ARW, DNG, RAF, ORF or RW2.
    frame : int
        Index of the picture in a file of several. In Canon's dual-pixel raw files, 0 is the
        photograph, the sum of both halves of the pixels, and 1 is one half alone.

    Returns
    -------
    Picture
        (Y, X, 3) uint16, upright, sRGB values. EXIF, without the maker's note, is read from files
        that are laid out as TIFF.

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
        with open_regular(path) as file:
            check_memory(path, os.fstat(file.fileno()).st_size)
            blob = exif.read_from_tiff(file)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason(error)}") from error
    with _open_frame(path, frame) as raw:
        data = _develop(raw, gamma=_SRGB)
    return Picture(data, "YXS", Metadata(exif=_picture_exif(blob, data.shape[1], data.shape[0])))


def read_dual_pixel(path: StrPath) -> DualPixel | None:
    """Read the views of both halves of the pixels from a Canon dual-pixel raw file.

    Frame 0 of such a file is the sum of both halves, frame 1 is one of them; their difference in
    linear light is the other. In a burst, or if frame 1 is not about half as bright, frame 1 is
    another photograph, and there are no views.

    Parameters
    ----------
    path : path
        A file that LibRaw supports. Only CR2 and CR3 files can hold views.

    Returns
    -------
    DualPixel or None
        None if the file does not hold one photograph and one half of it.

    Raises
    ------
    OptionError
        If the extra ``raw`` is not installed.
    FileError
        If the file cannot be read or is damaged.

    Notes
    -----
    Frame 1 is exposed one stop less and does not clip where frame 0 does, as the authors of LibRaw
    measured [1]_; frame 0 holds the sum of the left and right photodiodes, and the difference of
    the frames holds the other side [2]_. Neither source says which side frame 1 is. Here it is
    taken for the left view, so the sign of radii estimated from the views is uncertain: it
    separates the two sides of the plane of focus, but near and far may be exchanged.

    References
    ----------
    .. [1] https://www.rawdigger.com/howtouse/Canon-dual-pixel-technology
    .. [2] https://www.laszlopusztai.net/2016/08/30/dual-pixel-raw-and-kuuvik-capture/

    Examples
    --------
    >>> read_dual_pixel("photo.jpg") is None
    True
    """
    path = Path(path)
    if path.suffix.lower() not in _DUAL_PIXEL or _has_frame(path, 2):
        return None
    try:
        with _open_frame(path, 1) as raw:
            half = _light(raw)
    except _NoSuchFrame:
        return None
    with _open_frame(path, 0) as raw:
        orientation = _ORIENTATIONS[raw.sizes.flip]
        whole = _light(raw)
    views = _views(whole, half)
    if views is None:
        return None
    left, right = (Picture(_to_srgb(view), "YXS") for view in views)
    return DualPixel(left, right, orientation)


def _views(whole: Values, half: Values) -> tuple[Values, Values] | None:
    """Return both halves in linear light, as bright as the whole; None if `half` is not a half."""
    if whole.shape != half.shape:
        return None
    bright, dim = (
        float(np.sum(frame, where=whole < _CLIPPED, dtype=float)) for frame in (whole, half)
    )
    if not _MIN_RATIO * dim < bright < _MAX_RATIO * dim:
        return None
    levels = np.rint(np.arange(_WHITE + 1) * (bright / dim))
    left = np.minimum(levels, _WHITE).astype(np.uint16)[half]
    right = 2 * whole.astype(np.int32) - left
    return left, np.clip(right, 0, _WHITE).astype(np.uint16)


def _to_srgb(light: Values) -> Values:
    levels = encode(np.arange(_WHITE + 1, dtype=np.float32) / np.float32(_WHITE))
    values: Values = np.rint(_WHITE * levels).astype(np.uint16)[light]
    return values


def _light(raw: Any) -> Values:
    """Develop a frame to linear light, oriented as the sensor, in units that all frames share."""
    return _develop(raw, gamma=(1, 1), user_flip=0, adjust_maximum_thr=0.0)


def _develop(raw: Any, **options: Any) -> Values:
    developed = raw.postprocess(output_bps=16, use_camera_wb=True, no_auto_bright=True, **options)
    return np.asarray(developed, np.uint16)


def _has_frame(path: Path, frame: int) -> bool:
    try:
        with _open_frame(path, frame):
            return True
    except _NoSuchFrame:
        return False


@contextmanager
def _open_frame(path: Path, frame: int) -> Iterator[Any]:
    """Open a frame of a raw file; turn the errors of LibRaw into FileErrors."""
    rawpy = _library(path)
    try:
        with open_regular(path) as file, rawpy.RawPy() as raw:  # LibRaw cannot open every file name
            for step in (lambda: raw.open_buffer(file), raw.unpack):
                raw.set_unpack_params(shot_select=frame)  # formats choose the frame at either step
                step()
            check_memory(path, 6 * raw.sizes.raw_width * raw.sizes.raw_height)
            yield raw
    except rawpy.LibRawRequestForNonexistentImageError as error:
        raise _NoSuchFrame(f"{path} has no frame {frame}") from error
    except rawpy.LibRawError as error:
        words = error.args[0].decode() if error.args else "LibRaw does not say why"
        raise FileError(f"{path} is damaged, or no raw file: {words}") from error
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason(error)}") from error


def _library(path: Path) -> ModuleType:
    try:
        import rawpy
    except ImportError as error:
        raise OptionError(
            f'{path} is a camera raw file; reading it needs more: pip install "napari-defocus[raw]"'
        ) from error
    return rawpy


def _picture_exif(blob: bytes | None, width: int, height: int) -> bytes | None:
    """Return the EXIF of the developed picture."""
    upright = None if blob is None else exif.make_upright(blob, width, height)[1]
    return None if upright is None else exif.drop_maker_note(upright)
