"""Cameras' raw files, developed by LibRaw to a picture of 16 bits (the extra ``raw``)."""

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

_SRGB = (2.4, 12.92)  # power and slope, in LibRaw's terms
_WHITE = 65535
#: Light from which on a frame may be clipped: mixing colors moves what is.
_CLIPPED = 60000
#: EXIF orientations by LibRaw's: 1 flips X, 2 flips Y, 4 swaps X and Y.
_ORIENTATIONS = (1, 2, 4, 3, 5, 8, 6, 7)
_DUAL_PIXEL = (".cr2", ".cr3")
#: By how many times a frame outshines one of its halves, at least and at most.
_LEAST, _MOST = 1.5, 3.0

Values = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class DualPixel:
    """What the two halves of a sensor's pixels saw.

    Parameters
    ----------
    left, right : Picture
        (Y, X, 3) uint16, sRGB values, each as bright as the photograph; as the sensor lay, whose
        pixels are halved along X, and so without metadata.
    orientation : int
        That of the photograph, 1 to 8 as in EXIF.
    """

    left: Picture
    right: Picture
    orientation: int

    def upright(self, plane: Array) -> Array:
        """Turn what was found of the views, (..., Y, X), as the photograph is turned."""
        return turn_upright(plane, self.orientation, color=False)


class _NoSuchFrame(FileError):
    """A raw file does not hold as many pictures."""


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
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason(error)}") from error
    with _unpacked(path, frame) as raw:
        data = _developed(raw, gamma=_SRGB)
    return Picture(data, "YXS", Metadata(exif=_suitable(blob, data.shape[1], data.shape[0])))


def read_dual_pixel(path: StrPath) -> DualPixel | None:
    """Read the views of both halves of the pixels from a Canon dual-pixel raw file.

    Frame 0 of such a file is the sum of both halves, frame 1 is one of them: the other is what
    remains, in linear light. Of a burst, or where frame 1 is not about half as bright, it is
    another photograph, and there are no such views.

    Parameters
    ----------
    path : path
        A file that LibRaw knows. Views are looked for in CR2 and CR3 only.

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
    the frames the side that is missing [2]_. Neither says which side frame 1 is. Here it is taken
    for the left view, so the sign of radii estimated from the views is not certain: it tells the
    two sides of the plane of focus apart, but near and far may be the wrong way round.

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
        with _unpacked(path, 1) as raw:
            half = _light(raw)
    except _NoSuchFrame:
        return None
    with _unpacked(path, 0) as raw:
        orientation = _ORIENTATIONS[raw.sizes.flip]
        whole = _light(raw)
    views = _views(whole, half)
    if views is None:
        return None
    left, right = (Picture(_displayed(view), "YXS") for view in views)
    return DualPixel(left, right, orientation)


def _views(whole: Values, half: Values) -> tuple[Values, Values] | None:
    """Both halves in linear light, as bright as the whole; None if `half` is none of them."""
    if whole.shape != half.shape:
        return None
    bright, dim = (
        float(np.sum(frame, where=whole < _CLIPPED, dtype=float)) for frame in (whole, half)
    )
    if not _LEAST * dim < bright < _MOST * dim:
        return None
    levels = np.rint(np.arange(_WHITE + 1) * (bright / dim))
    one = np.minimum(levels, _WHITE).astype(np.uint16)[half]
    other = 2 * whole.astype(np.int32) - one
    return one, np.clip(other, 0, _WHITE).astype(np.uint16)


def _displayed(light: Values) -> Values:
    levels = encode(np.arange(_WHITE + 1, dtype=np.float32) / np.float32(_WHITE))
    shown: Values = np.rint(_WHITE * levels).astype(np.uint16)[light]
    return shown


def _light(raw: Any) -> Values:
    """Develop a frame to linear light, as the sensor lay, in units that all frames share."""
    return _developed(raw, gamma=(1, 1), user_flip=0, adjust_maximum_thr=0.0)


def _developed(raw: Any, **how: Any) -> Values:
    developed = raw.postprocess(output_bps=16, use_camera_wb=True, no_auto_bright=True, **how)
    return np.asarray(developed, np.uint16)


def _has_frame(path: Path, frame: int) -> bool:
    try:
        with _unpacked(path, frame):
            return True
    except _NoSuchFrame:
        return False


@contextmanager
def _unpacked(path: Path, frame: int) -> Iterator[Any]:
    """Open a frame of a file, and say what is wrong in one sentence."""
    rawpy = _library(path)
    try:
        with path.open("rb") as file, rawpy.RawPy() as raw:  # a name may be no text for LibRaw
            for open_it in (lambda: raw.open_buffer(file), raw.unpack):
                raw.set_unpack_params(shot_select=frame)  # some kinds are chosen from at either
                open_it()
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
            f"{path} is a camera's raw file; reading it needs more: "
            "pip install 'napari-defocus[raw]'"
        ) from error
    return rawpy


def _suitable(blob: bytes | None, width: int, height: int) -> bytes | None:
    """What EXIF says of the developed picture."""
    upright = None if blob is None else exif.upright(blob, width, height)[1]
    return None if upright is None else exif.without_maker_note(upright)
