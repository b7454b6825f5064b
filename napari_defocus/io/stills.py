"""Pictures of a single plane, gray or color, as formats for photographs hold them."""

from pathlib import Path
from typing import Any

import numpy as np

from ..array_types import Array
from ..errors import FileError
from . import exif
from .limits import LARGEST_RATIO, check_claim, check_memory, check_pixels
from .picture import Metadata, Picture, Storage, turn_upright

_DEFLATE, _ASSOCIATED = 8, 1
#: Storage of a picture whose colors are multiplied by alpha.
ASSOCIATED_ALPHA = Storage(_DEFLATE, extrasample=_ASSOCIATED)
#: Bytes of EXIF and of XMP that are read.
LARGEST_BLOB = 1 << 24
_EXIF = b"Exif\0\0"


def check_still(
    path: Path, size: tuple[int, int], pixel: int, held: int, ratio: float = LARGEST_RATIO
) -> None:
    """Refuse a picture that claims more pixels than its bytes can hold, or than memory can.

    Parameters
    ----------
    path : pathlib.Path
        The file, for messages.
    size : tuple of int
        Width and height that it claims.
    pixel : int
        Bytes of a decoded pixel.
    held : int
        Bytes of the file.
    ratio : float
        Ratio by which blank pixels are compressed.
    """
    width, height = size
    if width < 1 or height < 1:
        raise ValueError(f"it claims {width} x {height} pixels")
    check_pixels(path, width, height)
    check_claim(path, width * height * pixel, held, ratio)
    check_memory(path, width * height * pixel)


def make_metadata(
    size: tuple[int, int],
    orientation: int | None = None,
    *,
    blob: bytes | None = None,
    xmp: bytes | None = None,
    **fields: Any,
) -> tuple[Metadata, int]:
    """Return the metadata of the upright picture, and the orientation of the stored pixels.

    Parameters
    ----------
    size : tuple of int
        Width and height as stored.
    orientation : int, optional
        EXIF orientation of the stored pixels, where the container has its own word for it.
    blob : bytes, optional
        EXIF.
    xmp : bytes, optional
        XMP packet.
    **fields
        Other fields of `Metadata`.
    """
    stated = 1
    if blob is not None:
        stated, blob = exif.make_upright(blob.removeprefix(_EXIF), *size)
    if xmp:
        xmp = exif.make_xmp_upright(xmp)
    return Metadata(exif=blob, xmp=xmp or None, **fields), orientation or stated


def make_still(data: Array, metadata: Metadata, orientation: int, ignored: str = "") -> Picture:
    """Return the upright picture of decoded pixels.

    Parameters
    ----------
    data : (Y, X) or (Y, X, 1 to 4) array
        Gray, gray and alpha, RGB, or RGB and alpha.
    metadata : Metadata
        Metadata of the upright picture.
    orientation : int
        EXIF orientation of `data`.
    ignored : str
        What the file holds beside it, in words.
    """
    if data.ndim not in (2, 3) or (data.ndim == 3 and not 1 <= data.shape[-1] <= 4):
        raise ValueError(f"its pixels are an array of shape {data.shape}")
    data = turn_upright(data, orientation, color=data.ndim == 3)
    if data.ndim == 3 and data.shape[-1] < 3:
        gray, *alpha = np.ascontiguousarray(np.moveaxis(data, -1, 0))
        return Picture(gray, "YX", metadata, alpha[0] if alpha else None, ignored)
    return Picture(data, "YXS" if data.ndim == 3 else "YX", metadata, ignored=ignored)


def check_still_fits(picture: Picture, path: Path) -> None:
    """Raise a FileError for a stack, and for values that are not unsigned of 8 or 16 bits."""
    if picture.axes not in ("YX", "YXS"):
        raise FileError(f"{path} cannot hold a stack of axes {picture.axes}; write a .tif")
    if picture.data.dtype not in (np.uint8, np.uint16):
        name = path.suffix[1:].upper()
        raise FileError(
            f"{path} cannot hold {picture.data.dtype} values; {name} holds uint8 and uint16, "
            "write a .tif"
        )


def samples_of(picture: Picture) -> Array:
    """Return the pixels of a picture with its alpha, if it has any, as a last sample."""
    if picture.alpha is None:
        return np.ascontiguousarray(picture.data)
    return np.stack([picture.data, picture.alpha], axis=-1)


def to_full_range(data: Array, white: float | None) -> Array:
    """Return colors (Y, X, 3 or 4) with white at the largest value of the type; alpha stays.

    Examples
    --------
    >>> to_full_range(np.array([[[0, 1023, 4095]]], np.uint16), 4095.0).tolist()
    [[[0, 16372, 65535]]]
    """
    if white is None:
        return data
    full, level = int(np.iinfo(data.dtype).max), round(white)
    scaled = data.copy()
    colors = np.minimum(data[..., :3], level).astype(np.int64)
    scaled[..., :3] = (colors * full + level // 2) // level
    return scaled
