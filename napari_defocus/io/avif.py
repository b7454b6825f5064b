"""AVIF files: pixels of 8, 10 or 12 bits by imagecodecs, and metadata from the file's boxes."""

from pathlib import Path
from typing import BinaryIO

import imagecodecs
import numpy as np

from ..array_types import Array
from ..errors import FileError
from .alpha import with_straight_alpha
from .isobmff import Items, add_metadata, boxes, extract_still, read_items
from .limits import LARGEST_METADATA, LARGEST_PICTURE
from .picture import Picture
from .regular_file import read_regular
from .stills import check_still, check_still_fits, make_metadata, make_still, samples_of

_QUALITY = 95
_SPEED = 9  # a tenth of the time of speed 6, for files as large
_LARGEST_SIDE = 32768  # pixels that libavif reads
_SRGB = (1, 13)  # primaries and transfer function, as ITU-T H.273 numbers them


def read_avif(path: Path) -> Picture:
    """Read the still picture of an AVIF file and turn it upright."""
    content = read_regular(path, 2 * LARGEST_PICTURE + LARGEST_METADATA)
    items = read_items(content)
    bits = _bits(items)
    check_still(path, items.size(), 4 * (2 if bits > 8 else 1), len(content))
    ignored = _ignored(content, items)
    if _has_frames(content):  # imagecodecs 2026.3 overruns its memory where it reads one of them
        content = extract_still(items)
    data = np.asarray(imagecodecs.avif_decode(content))
    if data.shape[1::-1] != items.size():
        raise ValueError(f"it holds {data.shape[1]} x {data.shape[0]} pixels, not as it says")
    metadata, orientation = make_metadata(
        items.size(),
        items.orientation(),
        blob=items.exif(),
        xmp=items.xmp(),
        icc=items.profile(),
        png=() if items.profile() else items.color_chunks(),
        white=float((1 << bits) - 1) if bits > 8 else None,
    )
    return make_still(data, metadata, orientation, ignored)


def _bits(items: Items) -> int:
    """Return the bits of a value, from the configuration of the decoder."""
    body = items.items[items.primary].property(b"av1C")
    if body is None:
        grid = (to for kind, to in items.items[items.primary].references if kind == b"dimg")
        parts = [items.items[number] for to in grid for number in to if number in items.items]
        body = next((part.property(b"av1C") for part in parts), None)
    if body is None or len(body) < 3:
        raise ValueError("it does not say how its picture is coded")
    return (12 if body[2] & 0x20 else 10) if body[2] & 0x40 else 8


def _has_frames(content: bytes) -> bool:
    return any(name == b"moov" for name, _, _ in boxes(content))


def _ignored(content: bytes, items: Items) -> str:
    """Return what a file holds beside its picture, in words."""
    auxiliary = [item.property(b"auxC") or b"" for item in items.items.values()]
    parts = {
        "frames behind the first": _has_frames(content),
        "a depth map": any(b":depth" in body for body in auxiliary),
        "a gain map": any(item.kind == b"tmap" for item in items.items.values()),
    }
    return ", ".join(words for words, is_there in parts.items() if is_there)


def check_avif(picture: Picture, path: Path) -> None:
    """Raise a FileError if AVIF cannot hold a picture."""
    check_still_fits(picture, path)
    height, width = picture.data.shape[:2]
    is_gray = picture.axes == "YX"
    if is_gray and picture.data.dtype == np.uint16 and _target_bits(picture) == 0:
        raise FileError(
            f"{path} cannot hold uint16 values; AVIF holds 12 bits, write a .jxl or .tif"
        )
    if max(height, width) > _LARGEST_SIDE:
        raise FileError(f"{path} cannot hold {width} x {height} pixels; write a .jxl or .tif")


def write_avif(file: BinaryIO, picture: Picture, path: Path) -> None:
    """Write gray or color of 8 bits, or of 10 or 12, at quality 95 with full color resolution.

    Colors of 16 bits are rounded to 12, as they are display values; gray of more than 12 bits holds
    measurements and is refused.
    """
    check_avif(picture, path)
    metadata = picture.metadata
    data = samples_of(with_straight_alpha(picture))
    bits = 8
    if data.dtype == np.uint16:
        bits = _target_bits(picture) or 12
        data = _to_bits(data, bits, round(metadata.white or 65535))
    chunks = dict(metadata.png)
    primaries, transfer = tuple(chunks[b"cICP"][:2]) if b"cICP" in chunks else _SRGB
    is_color = data.ndim == 3 and data.shape[-1] > 2
    content = imagecodecs.avif_encode(
        data,
        level=_QUALITY,
        speed=_SPEED,
        bitspersample=bits,
        pixelformat="444" if is_color else None,
    )
    file.write(add_metadata(bytes(content), metadata, (primaries, transfer)))


def _target_bits(picture: Picture) -> int:
    """Return 10 or 12 if the white that the file declares is that of so many bits, else 0."""
    return {1023: 10, 4095: 12}.get(round(picture.metadata.white or 0), 0)


def _to_bits(data: Array, bits: int, white: int) -> Array:
    """Return values of which `white` is the largest of `bits` bits, and alpha likewise."""
    largest = (1 << bits) - 1
    if white == largest:
        return np.minimum(data, largest).astype(np.uint16)
    wide = np.minimum(data, white).astype(np.int64)
    return ((wide * largest + white // 2) // white).astype(np.uint16)
