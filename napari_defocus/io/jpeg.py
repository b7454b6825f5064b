"""JPEG files: pixels, EXIF, color profile, XMP, IPTC, comment and density.

Pillow reads and writes them; imagecodecs decodes those of more than 8 bits and lossless ones.
"""

import io
import os
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from ..array_types import Array
from ..errors import FileError
from . import exif
from .jpeg_segments import check_scans, frame_position, metadata_segments, scan_position
from .limits import JPEG_RATIO, LARGEST_METADATA, check_claim, check_memory, check_pixels
from .picture import JpegFrame, Metadata, Picture, Resolution, turn_upright
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
_LOSSLESS = 0xC3  # marker of a lossless frame
_JFIF, _ADOBE = 0xE0, 0xEE  # markers of segments that say how colors are stored
_END = b"\xff\xd9"
_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_GAIN_MAPS = (b"http://ns.adobe.com/hdr-gain-map/", b"http://ns.apple.com/HDRGainMap/")
_DEPTH_MAPS = (
    b"http://ns.google.com/photos/1.0/depthmap/",
    b"http://ns.google.com/photos/dd/1.0/",
    b"http://ns.apple.com/depthData/",
)


def read_jpeg(path: Path) -> Picture:
    """Read a JPEG file, of 8 to 16 bits a value or lossless, and turn it upright.

    Raises
    ------
    FileError
        If its colors are neither gray nor RGB.
    """
    with open_regular(path) as file:
        length = os.fstat(file.fileno()).st_size
        head = file.read(min(length, LARGEST_METADATA))
        scan = scan_position(head)
        file.seek(0)
        frame = _unusual_frame(head)
        image = _open(io.BytesIO(_with_usual_bits(head)) if frame else file)
        if image.mode not in ("L", "RGB"):
            raise FileError(f"{path} holds {image.mode} colors; convert it to RGB first")
        width, height = image.size
        check_pixels(path, width, height)
        size = width * height * len(image.getbands()) * (2 if frame and frame.bits > 8 else 1)
        held = length - scan
        check_claim(path, 2 * size, held, 2 * JPEG_RATIO)  # progressive ones take twice as much
        check_memory(path, 2 * size)
        file.seek(scan)
        pixels = file.read(min(held, 2 * size + LARGEST_METADATA))
        check_scans(pixels)
        data = _decode(head[:scan] + pixels, frame, (height, width)) if frame else np.asarray(image)
        metadata, orientation = _read_metadata(image)
    if frame:
        white = None if frame.bits in (8, 16) else float((1 << frame.bits) - 1)
        metadata = replace(metadata, jpeg=frame, white=white)
    color = data.ndim == 3
    data = turn_upright(data, orientation, color=color)
    return Picture(data, "YXS" if color else "YX", metadata, ignored=_ignored(image))


def _unusual_frame(head: bytes) -> JpegFrame | None:
    """Return the kind of a file whose values do not have 8 bits, or that is lossless."""
    position = frame_position(head)
    if position is None or not 2 <= head[position + 4] <= 16:
        return None
    frame = JpegFrame(head[position + 4], head[position + 1] == _LOSSLESS)
    return None if frame == JpegFrame(8, False) else frame


def _with_usual_bits(head: bytes) -> bytes:
    """Return a header that says 8 bits, for Pillow, which reads metadata of such files alone."""
    position = frame_position(head) or 0
    return head[: position + 4] + b"\x08" + head[position + 5 :]


def _decode(content: bytes, frame: JpegFrame, shape: tuple[int, int]) -> Array:
    """Decode the files that Pillow does not."""
    if content.rfind(_END) < 0:
        raise ValueError("its pixels have no end")
    if frame.lossless and frame.bits not in (8, 12, 16):  # which early versions of libjpeg refuse
        data = np.asarray(imagecodecs.ljpeg_decode(content))
    else:
        data = np.asarray(imagecodecs.jpeg8_decode(content))
    if data.shape[:2] != shape:
        raise ValueError(f"it holds {data.shape[1]} x {data.shape[0]} pixels, not as it says")
    return data


def _ignored(image: JpegImageFile) -> str:
    """Return what a file holds beside its picture, in words."""
    segments = [content for _, content in image.applist]
    xmp = image.info.get("xmp", b"") + b"".join(s for s in segments if s.startswith(_MORE_XMP))
    parts = {
        "pictures behind the first": "mp" in image.info,
        "a gain map": any(word in xmp for word in _GAIN_MAPS),
        "a depth map": any(word in xmp for word in _DEPTH_MAPS),
        "extended XMP": any(s.startswith(_MORE_XMP) for s in segments),
    }
    return ", ".join(words for words, is_there in parts.items() if is_there)


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
    accepted = dtype == np.uint8 or (dtype == np.uint16 and (color or picture.metadata.jpeg))
    if not accepted:
        better = ".png or .tif" if dtype == np.uint16 else ".tif"
        raise FileError(f"{path} cannot hold {dtype} values; JPEG holds uint8, write a {better}")
    if max(height, width) > _LARGEST_SIDE:
        raise FileError(f"{path} cannot hold {width} x {height} pixels; write a .png or .tif")


def write_jpeg(file: BinaryIO, picture: Picture, path: Path) -> None:
    """Write gray or color of 8 bits, at quality 95 with full color resolution.

    A picture from a lossless file, or from one of more than 8 bits, is written as such a file.
    Other color of 16 bits is rounded to 8, as it holds display values; gray of 16 bits holds
    measurements and is refused.
    """
    check_jpeg(picture, path)
    data = np.ascontiguousarray(picture.data)
    options = _metadata_options(picture.metadata)
    if picture.metadata.jpeg:
        sample = io.BytesIO()
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(sample, "JPEG", **options)
        file.write(_with_metadata(_encode(data, picture.metadata.jpeg), sample.getvalue()))
        return
    if data.dtype == np.uint16:
        white = round(picture.metadata.white or 65535)
        scaled = (np.minimum(data, white).astype(np.uint32) * 255 + white // 2) // white
        data = scaled.astype(np.uint8)
    image = Image.fromarray(data)
    image.save(file, "JPEG", quality=QUALITY, subsampling=0, **options)


def _encode(data: Array, frame: JpegFrame) -> bytes:
    """Return JPEG data of an unusual kind."""
    data = np.minimum(data, (1 << frame.bits) - 1).astype(data.dtype)
    if frame.lossless and data.dtype == np.uint16 and data.ndim == 2:  # of any number of bits
        return bytes(imagecodecs.ljpeg_encode(data, bitspersample=frame.bits))
    if frame.lossless:
        return bytes(imagecodecs.jpeg8_encode(data, lossless=True, bitspersample=frame.bits))
    return bytes(
        imagecodecs.jpeg8_encode(data, level=QUALITY, subsampling="444", bitspersample=frame.bits)
    )


def _with_metadata(content: bytes, sample: bytes) -> bytes:
    """Return JPEG data with the metadata of a sample, but with its own statement of colors."""
    start = 2
    while content[start + 1] in (_JFIF, _ADOBE):
        start += 2 + int.from_bytes(content[start + 2 : start + 4])
    segments = [part for part in metadata_segments(sample) if part[1] not in (_JFIF, _ADOBE)]
    return content[:start] + b"".join(segments) + content[start:]


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
