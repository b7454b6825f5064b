"""Readers of image files as arrays, which name, count and skip unreadable files."""

import logging
import struct
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from napari_defocus.errors import FileError
from napari_defocus.io import read_picture

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"})
_SMALLEST = 32
_DEEP_PNG = (b"\x89PNG\r\n\x1a\n", 24, 16)
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, struct.error, MemoryError)
_log = logging.getLogger(__name__)

Colors = NDArray[np.uint8] | NDArray[np.uint16]
Result = TypeVar("Result")
Item = TypeVar("Item")


def image_files(folder: Path) -> list[Path]:
    """List the image files of a folder, sorted."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def read_colors(path: Path) -> Colors:
    """Read an image in its full depth.

    Parameters
    ----------
    path : Path
        A TIFF, PNG, JPEG or WebP file of one picture of 8 or 16 bits.

    Returns
    -------
    (Y, X, 3) uint8 or uint16 array
        Display-encoded; gray becomes three equal channels, transparency is dropped.

    Raises
    ------
    ValueError
        If it is damaged, truncated, of another kind, or smaller than 32 px.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            pixels = _deep(path) if _is_deep(path) else _shallow(path)
    except (*_UNREADABLE, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if min(pixels.shape[:2]) < _SMALLEST:
        raise ValueError(
            f"{path} has {pixels.shape[0]} x {pixels.shape[1]} px; too few to train on"
        )
    return pixels


def readable(
    items: Iterable[Item], read: Callable[[Item], Result], broken: list[Item]
) -> Iterator[Result]:
    """Yield `read(item)` of each item; an item that raises a ValueError goes to `broken`."""
    for item in items:
        try:
            yield read(item)
        except ValueError as error:
            _log.warning("skipped: %s", error)
            broken.append(item)
    if broken:
        _log.warning("skipped %d in all", len(broken))


def to_unit(pixels: Colors) -> Tensor:
    """Return (Y, X, 3) values as a (3, Y, X) tensor in [0, 1]."""
    unit = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
    return torch.from_numpy(unit).permute(2, 0, 1)


def _is_deep(path: Path) -> bool:
    """Return whether Pillow would read the file in less than its full depth, or not at all."""
    with path.open("rb") as file:
        head = file.read(32)
    signature, at, bits = _DEEP_PNG
    return head.startswith(_TIFF) or (
        head.startswith(signature) and head[at : at + 1] == bytes([bits])
    )


def _shallow(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def _deep(path: Path) -> Colors:
    picture = read_picture(path)
    pixels = picture.data
    if picture.axes not in ("YX", "YXS") or pixels.dtype not in (np.uint8, np.uint16):
        raise FileError(f"axes {picture.axes} of {pixels.dtype}, not one picture of 8 or 16 bits")
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, -1)
    return np.ascontiguousarray(pixels[..., :3])
