"""HEIC and HEIF files of phones and cameras, by pillow-heif (needs the extra ``heic``)."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .isobmff import Items, read_items
from .limits import LARGEST_METADATA, LARGEST_PICTURE
from .picture import Metadata, Picture
from .regular_file import read_regular
from .stills import ASSOCIATED_ALPHA, check_still, make_metadata, make_still

_DEPTH = 2  # a representation: distance, not its inverse
_AUXILIARY = {
    b"hdrgainmap": "a gain map",
    b"portraiteffectsmatte": "a matte of the person",
    b"semantic": "mattes of hair, skin or sky",
}


def read_heic(path: Path) -> Picture:
    """Read the picture of a HEIF file, upright.

    Values of 10 and 12 bits become the upper bits of uint16, as pillow-heif gives them.
    """
    items, file = _open(path)
    metadata, _ = make_metadata(
        items.size(),
        blob=items.exif(),
        xmp=items.xmp(),
        icc=items.profile(),
        png=() if items.profile() else items.color_chunks(),
        storage=ASSOCIATED_ALPHA if "a" in file.mode else None,
        white=_white(file),
    )
    data = np.array(file)  # a copy: pillow-heif frees its pixels together with the file
    return make_still(data, metadata, 1, _ignored(file, items))  # libheif has turned it


def read_depth_levels(path: Path) -> Picture | None:
    """Read the depth map of a portrait, at the size of the photograph; None if there is none.

    Returns
    -------
    Picture or None
        (Y, X) float32, upright: 0 far, 1 near.
    """
    _, file = _open(path)
    maps = file.info["depth_images"]
    if not maps:
        return None
    levels = np.asarray(maps[0]).astype(np.float32)
    near = levels / np.float32(255 if maps[0].mode == "L" else 65535)
    if (maps[0].info.get("metadata") or {}).get("representation_type") == _DEPTH:
        near = 1 - near
    enlarged = Image.fromarray(near).resize(file.size, Image.Resampling.BILINEAR)
    return Picture(np.asarray(enlarged), "YX", Metadata())


def _open(path: Path) -> tuple[Items, Any]:
    """Return the items of a file, and the file as pillow-heif opens it."""
    import pillow_heif

    content = read_regular(path, 2 * LARGEST_PICTURE + LARGEST_METADATA)
    items = read_items(content)
    check_still(path, items.size(), 8, len(content))
    return items, pillow_heif.open_heif(io.BytesIO(content), convert_hdr_to_8bit=False)


def _white(file: Any) -> float | None:
    bits = file.info["bit_depth"]
    return float(((1 << bits) - 1) << (16 - bits)) if 8 < bits < 16 else None


def _ignored(file: Any, items: Items) -> str:
    """Return what a file holds beside its picture, in words."""
    parts = []
    if file.info["depth_images"]:
        parts.append("a depth map, which napari_defocus.io.read_depth_map reads")
    kinds = b" ".join(item.property(b"auxC") or b"" for item in items.items.values())
    parts += [words for name, words in _AUXILIARY.items() if name in kinds]
    if len(file) > 1:
        parts.append("a further image" if len(file) == 2 else f"{len(file) - 1} further images")
    return ", ".join(parts)
