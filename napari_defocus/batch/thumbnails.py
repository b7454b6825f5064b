"""Small pictures of the files of a batch, for its report: before, after, and the map."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DefocusError
from ..io import open_picture
from ..map_colors import color_limit, paint_map
from ..map_statistics import sure_radii
from ..map_units import recorded_factor
from .item import Item

#: Longest sides in pixels: of a thumbnail, and of what is read of a file to make one.
_SIDE, _READ_SIDE = 240, 2048
#: Share of the values of real numbers and microscopes that become black, and white.
_CLIPPED = 0.2  # percent
Plane = npt.NDArray[Any]


@dataclass(frozen=True)
class Thumbnail:
    """A small picture.

    Parameters
    ----------
    title : str
        What it shows.
    path : pathlib.Path
        The file that it shows.
    address : str
        The picture itself, as an address for HTML.
    """

    title: str
    path: Path
    address: str


def thumbnails(item: Item) -> list[Thumbnail]:
    """Return pictures of a file and of its results, without those that cannot be shown.

    Image and result are shown with the same black and white, which are those of the image.

    Parameters
    ----------
    item : Item
        The file.
    """
    before = _read_plane(item.source)
    after = _read_plane(item.results["sharp"]) if "sharp" in item.results else None
    scale = before if before is not None else after
    pictures: list[tuple[str, Path, Plane | None]] = [("before", item.source, before)]
    if "sharp" in item.results:
        pictures.append(("after", item.results["sharp"], after))
    shown = [
        Thumbnail(title, path, _as_address(_to_picture(plane, scale)))
        for title, path, plane in pictures
        if plane is not None and scale is not None
    ]
    if "radius" in item.results and (painted := _paint_map(item)) is not None:
        title, picture = painted
        shown.append(Thumbnail(title, item.results["radius"], _as_address(picture)))
    return shown


def _paint_map(item: Item) -> tuple[str, npt.NDArray[np.uint8]] | None:
    """Return the map in colors, gray where it is not sure, with the range of its colors."""
    radius = _read_plane(item.results["radius"])
    confidence = _read_plane(item.results["confidence"])
    if radius is None or confidence is None or radius.shape != confidence.shape:
        return None
    sure = sure_radii(radius, confidence)
    signed, limit = bool((radius < 0).any()), color_limit(sure)
    unit = "µm" if recorded_factor(item.results["radius"]) != 1 else "px"
    title = f"blur radius, {-limit if signed else 0:.3g} to {limit:.3g} {unit}"
    return title, paint_map(sure, signed=signed, limit=limit)


def _read_plane(path: Path) -> Plane | None:
    """Return the first plane of a file, large ones with fewer pixels; None if it is unreadable."""
    try:
        picture = open_picture(path)
        plane = picture.data
        while plane.ndim > (3 if picture.channel_axis == -1 else 2):
            plane = plane[0]
        step = -(-max(plane.shape[:2]) // _READ_SIDE)
        return np.asarray(plane[::step, ::step])
    except (DefocusError, MemoryError):
        return None


def _to_picture(plane: Plane, scale: Plane) -> npt.NDArray[np.uint8]:
    """Return a plane, gray or RGB(A), as a picture with the black and white of another one.

    Values of 8 bits stay as they are. Values that are not finite become 0.
    """
    if plane.ndim == 3:
        plane = plane[..., :3] if plane.shape[-1] >= 3 else plane[..., 0]
    if plane.dtype == np.uint8:
        return plane
    finite = scale[np.isfinite(scale)].astype(float) / 2  # so that high - low is finite
    if not finite.size:
        return np.zeros(plane.shape[:2], np.uint8)
    low, high = np.percentile(finite, (_CLIPPED, 100 - _CLIPPED))
    halves = np.where(np.isfinite(plane), plane, np.nan).astype(float) / 2
    unit = np.nan_to_num(np.clip((halves - low) / ((high - low) or 1), 0, 1))
    levels: npt.NDArray[np.uint8] = np.rint(unit * 255).astype(np.uint8)
    return levels


def _as_address(picture: npt.NDArray[np.uint8]) -> str:
    from PIL import Image

    small = Image.fromarray(picture)
    small.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
