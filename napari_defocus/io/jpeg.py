"""JPEG files, by Pillow: pixels, EXIF, color profile, XMP, IPTC, comment and density."""

import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from ..errors import FileError
from . import exif
from .jpeg_segments import check_scans, scan_position
from .limits import JPEG_RATIO, LARGEST_METADATA, check_claim, check_memory, check_pixels
from .picture import Metadata, Picture, Resolution, turn_upright
from .quiet import without_warnings
from .regular_file import open_regular

QUALITY = 95
_LARGEST_SIDE = 65535  # pixels
_LARGEST_SEGMENT = 65533  # bytes
_LARGEST_XMP = _LARGEST_SEGMENT - len(b"http://ns.adobe.com/xap/1.0/\0")
_EXIF = b"Exif\0\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_IPTC_RESOURCE = 1028  # number of Photoshop's resource that holds IPTC records
_APP13 = 0xED  # marker of the segment with Photoshop's resources


def read_jpeg(path: Path) -> Picture:
    """Read a JPEG file and turn it upright.

    Raises
    ------
    FileError
        If its colors are neither gray nor RGB.
    """
    with open_regular(path) as file:
        length = os.fstat(file.fileno()).st_size
        scan = scan_position(file.read(min(length, LARGEST_METADATA)))
        file.seek(0)
        image = _open(file)
        if image.mode not in ("L", "RGB"):
            raise FileError(f"{path} holds {image.mode} colors; convert it to RGB first")
        width, height = image.size
        check_pixels(path, width, height)
        size = width * height * len(image.getbands())
        held = length - scan
        check_claim(path, 2 * size, held, 2 * JPEG_RATIO)  # progressive ones take twice as much
        check_memory(path, 2 * size)
        file.seek(scan)
        check_scans(file.read(min(held, 2 * size + LARGEST_METADATA)))
        data = np.asarray(image)
        metadata, orientation = _read_metadata(image)
        several = "mp" in image.info
    color = data.ndim == 3
    data = turn_upright(data, orientation, color=color)
    ignored = "pictures behind the first" if several else ""
    return Picture(data, "YXS" if color else "YX", metadata, ignored=ignored)


def _open(file: BinaryIO) -> JpegImageFile:
    """Parse the segments; `Image.open` would warn of 90 megapixels and refuse 180."""
    with without_warnings():  # damaged EXIF does not harm the pixels
        return JpegImageFile(file)


def check_jpeg(picture: Picture, path: Path) -> None:
    """Raise a FileError if JPEG cannot hold a picture."""
    height, width = picture.data.shape[:2]
    dtype, color = picture.data.dtype, picture.axes == "YXS"
    if picture.axes not in ("YX", "YXS"):
        raise FileError(f"{path} cannot hold a stack of axes {picture.axes}; write a .tif")
    if picture.alpha is not None or (color and picture.data.shape[-1] == 4):
        raise FileError(f"{path} cannot hold an alpha channel; write a .png or .tif")
    if dtype != np.uint8 and not (dtype == np.uint16 and color):
        better = ".png or .tif" if dtype == np.uint16 else ".tif"
        raise FileError(f"{path} cannot hold {dtype} values; JPEG holds uint8, write a {better}")
    if max(height, width) > _LARGEST_SIDE:
        raise FileError(f"{path} cannot hold {width} x {height} pixels; write a .png or .tif")


def write_jpeg(file: BinaryIO, picture: Picture, path: Path) -> None:
    """Write gray or color of 8 bits, at quality 95 with full color resolution.

    Color of 16 bits is rounded to 8, as it holds display values; gray of 16 bits holds
    measurements and is refused.
    """
    check_jpeg(picture, path)
    data = picture.data
    if data.dtype == np.uint16:
        data = ((data.astype(np.uint32) + 128) // 257).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(data))
    options = _metadata_options(picture.metadata)
    image.save(file, "JPEG", quality=QUALITY, subsampling=0, **options)


def _metadata_options(metadata: Metadata) -> dict[str, Any]:
    """Return the metadata that fit into segments, as options of Pillow's `save`."""
    options: dict[str, Any] = {}
    if metadata.resolution and (per_inch := metadata.resolution.per_inch()):
        options["dpi"] = tuple(min(max(round(value), 1), 65535) for value in per_inch)
    if metadata.icc:
        options["icc_profile"] = metadata.icc
    if blob := _shorten_exif(metadata.exif):
        options["exif"] = _EXIF + blob
    if metadata.xmp and len(metadata.xmp) <= _LARGEST_XMP:
        options["xmp"] = metadata.xmp
    if metadata.iptc:
        options["extra"] = _iptc_segment(metadata.iptc)
    comment = metadata.text.get("Comment") or metadata.text.get("Description")
    if comment:
        options["comment"] = comment.encode()[:_LARGEST_SEGMENT]
    return options


def _read_metadata(image: JpegImageFile) -> tuple[Metadata, int]:
    """Return the metadata of the upright picture, and the orientation of the stored pixels."""
    info = image.info
    orientation, blob = 1, info.get("exif")
    if blob:
        orientation, blob = exif.make_upright(blob.removeprefix(_EXIF), *image.size)
    xmp = info.get("xmp")
    if xmp and orientation != 1:
        xmp = exif.make_xmp_upright(xmp)
    comment = info.get("comment")
    resolution = _resolution(info)
    if resolution and orientation in (5, 6, 7, 8):
        resolution = Resolution(resolution.y, resolution.x, resolution.unit)
    return Metadata(
        exif=blob,
        icc=info.get("icc_profile"),
        xmp=xmp,
        iptc=info.get("photoshop", {}).get(_IPTC_RESOURCE),
        text={"Comment": comment.decode(errors="replace")} if comment else {},
        resolution=resolution,
    ), orientation


def _resolution(info: dict[Any, Any]) -> Resolution | None:
    x, y = info.get("jfif_density", (0, 0))
    unit = info.get("jfif_unit", 0)
    if unit == 2 and x and y:
        return Resolution(x, y, "centimeter")
    dpi = info.get("dpi")
    return Resolution(float(dpi[0]), float(dpi[1]), "inch") if dpi and all(dpi) else None


def _shorten_exif(blob: bytes | None) -> bytes | None:
    """Return EXIF that fits into one segment, if need be without the maker's note."""
    limit = _LARGEST_SEGMENT - len(_EXIF)
    if blob and len(blob) > limit:
        blob = exif.drop_maker_note(blob)
    return blob if blob and len(blob) <= limit else None


def _iptc_segment(iptc: bytes) -> bytes:
    """Return a segment with IPTC records as a resource of Photoshop's, empty if they are too long.

    Pillow reads this segment, but has no option to write it.
    """
    head = b"8BIM" + struct.pack(">HHI", _IPTC_RESOURCE, 0, len(iptc))
    body = _PHOTOSHOP + head + iptc + bytes(len(iptc) % 2)
    if len(body) > _LARGEST_SEGMENT:
        return b""
    return struct.pack(">BBH", 0xFF, _APP13, len(body) + 2) + body
