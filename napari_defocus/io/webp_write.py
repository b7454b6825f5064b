"""WebP files: colors of 8 bits without loss, and films of stacks, by Pillow."""

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from ..array_types import Array
from ..errors import FileError
from .alpha import with_straight_alpha
from .picture import Metadata, Picture
from .stills import samples_of, to_full_range

_LARGEST_SIDE = 16383  # pixels
#: Quality of a film's pictures, and milliseconds that each is shown.
_QUALITY, _DURATION = 90, 100
_EXIF = b"Exif\0\0"


def check_webp(picture: Picture, path: Path) -> None:
    """Raise a FileError if WebP cannot hold a picture, or a film of a stack."""
    axes, dtype = picture.axes, picture.data.dtype
    is_color = axes.endswith("YXS")
    if len(axes) > (4 if is_color else 3):
        raise FileError(f"{path} cannot hold a stack of axes {axes}; write a .tif")
    if axes == "YX":
        raise FileError(f"{path} cannot hold gray; WebP holds colors, write a .png or .tif")
    if dtype != np.uint8 and not (dtype == np.uint16 and is_color):
        better = ".png or .tif" if dtype == np.uint16 else ".tif"
        raise FileError(f"{path} cannot hold {dtype} values; WebP holds uint8, write a {better}")
    rows = axes.index("Y")
    height, width = picture.data.shape[rows : rows + 2]
    if max(height, width) > _LARGEST_SIDE:
        raise FileError(f"{path} cannot hold {width} x {height} pixels; write a .png or .tif")


def write_webp(file: BinaryIO, picture: Picture, path: Path) -> None:
    """Write colors of 8 bits without loss, or a stack as a film.

    A film goes through the stack to its end and back, endlessly, a picture every 0.1 s, at quality
    90. Colors of 16 bits are rounded to 8, as they are display values; gray of 16 bits holds
    measurements and is refused.
    """
    check_webp(picture, path)
    picture = with_straight_alpha(picture)
    options = _metadata_options(picture.metadata)
    if picture.axes == "YXS":
        still = Image.fromarray(_to_8_bits(samples_of(picture), picture.metadata.white))
        still.save(file, "WEBP", lossless=True, exact=True, **options)
        return
    white = picture.metadata.white
    first, *others = (Image.fromarray(_to_8_bits(each, white)) for each in picture.data)
    first.save(
        file,
        "WEBP",
        save_all=True,
        append_images=[*others, *others[-2::-1]],
        duration=_DURATION,
        loop=0,
        quality=_QUALITY,
        **options,
    )


def _to_8_bits(samples: Array, white: float | None) -> Array:
    if samples.dtype == np.uint8:
        return samples
    return ((to_full_range(samples, white).astype(np.uint32) * 255 + 32767) // 65535).astype(
        np.uint8
    )


def _metadata_options(metadata: Metadata) -> dict[str, Any]:
    """Return EXIF, color profile and XMP as options of Pillow's `save`."""
    options = {"icc_profile": metadata.icc, "xmp": metadata.xmp}
    if metadata.exif:
        options["exif"] = _EXIF + metadata.exif
    return {name: value for name, value in options.items() if value}
