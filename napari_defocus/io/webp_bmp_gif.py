"""WebP, BMP and GIF files, by Pillow: pixels, and what they hold of EXIF, XMP and color profile."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ..errors import FileError
from .picture import Picture, Resolution
from .quiet import without_warnings
from .regular_file import open_regular
from .stills import check_still, make_metadata, make_still

#: Modes of Pillow that are read, and those that pixels are converted to.
_MODES = {"1": "L", "L": "L", "LA": "LA", "P": "RGB", "PA": "RGBA", "RGB": "RGB", "RGBA": "RGBA"}


def read_webp(path: Path) -> Picture:
    """Read a WebP file, of an animated one the first frame."""
    return _read(path, WebPImageFile)


def read_bmp(path: Path) -> Picture:
    """Read a BMP file; palettes become colors."""
    return _read(path, BmpImageFile)


def read_gif(path: Path) -> Picture:
    """Read the first frame of a GIF file; its palette becomes colors, transparency alpha."""
    return _read(path, GifImageFile)


def _read(path: Path, kind: Any) -> Picture:
    with open_regular(path) as file, without_warnings():
        image = kind(file)  # `Image.open` would refuse 180 megapixels
        if image.mode not in _MODES:
            raise FileError(f"{path} holds {image.mode} colors; convert it to RGB first")
        check_still(path, image.size, 4, os.fstat(file.fileno()).st_size)
        mode = _MODES[image.mode]
        if "transparency" in image.info:
            mode = {"L": "LA", "RGB": "RGBA"}.get(mode, mode)
        info = dict(image.info)
        data = np.asarray(image if image.mode == mode else image.convert(mode))
        several = bool(getattr(image, "is_animated", False))
    dpi = info.get("dpi")
    metadata, orientation = make_metadata(
        image.size,
        blob=info.get("exif"),
        xmp=info.get("xmp"),
        icc=info.get("icc_profile"),
        text=_texts(info.get("comment")),
        resolution=Resolution(float(dpi[0]), float(dpi[1]), "inch") if dpi and all(dpi) else None,
    )
    return make_still(data, metadata, orientation, "frames behind the first" if several else "")


def _texts(comment: Any) -> dict[str, str]:
    return {"Comment": comment.decode(errors="replace")} if isinstance(comment, bytes) else {}
