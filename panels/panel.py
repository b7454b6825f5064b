"""Pictures side by side under their titles, with an enlarged detail of each below."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from napari_defocus.defocus_map import DefocusMap
from napari_defocus.errors import ImageError
from napari_defocus.map_colors import color_limit, paint_map, radius_colormap
from napari_defocus.map_statistics import sure_radii

_GAP = 12
_TITLE = 30
_BAR = 10
_FOOT = 36
_INK = (32, 32, 32)
_PAPER = (255, 255, 255)
_FRAME = (255, 64, 160)


@dataclass(frozen=True)
class Column:
    """One picture of a panel.

    Parameters
    ----------
    title : str
        Stands above it.
    picture : (Y, X, 3) uint8 array
        sRGB.
    limit : float, optional
        For a painted defocus map, the radius in pixels of the last color; draws a color bar.
    signed : bool
        Whether that bar begins at ``-limit`` instead of 0.
    """

    title: str
    picture: npt.NDArray[np.uint8]
    limit: float | None = None
    signed: bool = False


def compose(
    columns: Sequence[Column], *, detail: tuple[int, int, int] | None = None, width: int = 400
) -> npt.NDArray[np.uint8]:
    """Lay pictures of one size side by side.

    Parameters
    ----------
    columns : sequence of Column
        At least one; all pictures have the same height and width.
    detail : (y, x, side), optional
        Corner and side, in pixels, of a square that is shown enlarged below each picture and
        framed in it.
    width : int
        Of one column in pixels.

    Returns
    -------
    (Y, X, 3) uint8 array
        The panel.

    Raises
    ------
    ImageError
        If there is no picture or their sizes differ.

    Examples
    --------
    >>> gray = np.full((20, 40, 3), 128, np.uint8)
    >>> compose([Column("before", gray), Column("after", gray)], width=100).shape
    (116, 236, 3)
    """
    shapes = {column.picture.shape for column in columns}
    if len(shapes) != 1:
        raise ImageError(
            f"pictures of a panel have the shapes {sorted(shapes)}; it takes one shape"
        )
    painted = [_draw_column(column, detail, width) for column in columns]
    gap = np.full((painted[0].shape[0], _GAP, 3), _PAPER, np.uint8)
    parts = [gap]
    for column_picture in painted:
        parts += [column_picture, gap]
    return np.concatenate(parts, axis=1)


def compose_result(
    image: npt.NDArray[Any],
    defocus: DefocusMap,
    sharp: npt.NDArray[Any],
    reference: npt.NDArray[Any] | None = None,
    *,
    width: int = 400,
) -> npt.NDArray[np.uint8]:
    """Lay input, defocus map, confidence, deblurred picture and reference side by side.

    Parameters
    ----------
    image, sharp, reference : (Y, X) or (Y, X, C) uint8, uint16 or float array
        Display-encoded, over the whole range of their data type, floats in [0, 1]; of colors, the
        first three channels are shown.
    defocus : DefocusMap
        (Y, X).
    width : int
        Of one picture in the panel.

    Returns
    -------
    (Y, X, 3) uint8 array
        The panel; below, the square that deblurring changed most, enlarged.

    Raises
    ------
    ImageError
        If the pictures differ in size.

    Examples
    --------
    >>> image, sharp = np.zeros((40, 80), np.uint16), np.full((40, 80), 65535, np.uint16)
    >>> radius = np.full((40, 80), 2.5, np.float32)
    >>> defocus = DefocusMap(radius, confidence=radius / 5, signed=False, model="single")
    >>> compose_result(image, defocus, sharp, width=100).shape
    (228, 460, 3)
    """
    before, after = to_picture(image), to_picture(sharp)
    columns = [
        Column("input", before),
        *map_columns(defocus),
        Column("deblurred", after),
    ]
    if reference is not None:
        columns.append(Column("reference", to_picture(reference)))
    side = max(8, min(before.shape[:2]) // 4)
    detail = busiest_square(before, after, side) if before.shape == after.shape else None
    return compose(columns, detail=detail, width=width)


def map_columns(
    defocus: DefocusMap, title: str = "defocus map (gray: unsure)", limit: float | None = None
) -> list[Column]:
    """Return a defocus map and its confidence as two columns.

    Parameters
    ----------
    defocus : DefocusMap
        (Y, X). Radii are painted gray where the confidence is below 0.25, so that deblurring
        changes nothing there.
    title : str
        Stands above the radii.
    limit : float, optional
        Radius in pixels of the last color; by default chosen from the radii that are not gray.

    Examples
    --------
    >>> radius = np.full((40, 80), 2.5, np.float32)
    >>> defocus = DefocusMap(radius, confidence=radius / 5, signed=False, model="single")
    >>> [column.title for column in map_columns(defocus, "map")]
    ['map', 'confidence']
    """
    sure = sure_radii(*defocus)
    if limit is None:
        limit = color_limit(sure)
    painted = paint_map(sure, signed=defocus.signed, limit=limit)
    return [
        Column(title, painted, limit, defocus.signed),
        Column("confidence", paint_unit(defocus.confidence)),
    ]


def save_panel(
    path: Path,
    columns: Sequence[Column],
    *,
    compared: tuple[int, int] | None = None,
    width: int = 360,
) -> None:
    """Write a panel to a file, with the detail in which two of its pictures differ most.

    Parameters
    ----------
    path : Path
        A picture file; missing folders are made.
    columns : sequence of Column
        At least one.
    compared : (before, after), optional
        Positions of these two pictures in `columns`; by default no detail is shown.
    width : int
        Of one column in pixels.
    """
    detail = None
    if compared is not None:
        before, after = (columns[index].picture for index in compared)
        detail = busiest_square(before, after, max(8, min(before.shape[:2]) // 4))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(compose(columns, detail=detail, width=width)).save(path)


def to_picture(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return an image as 8-bit RGB, as a screen shows it.

    Parameters
    ----------
    image : (Y, X) or (Y, X, C) uint8, uint16 or float array
        Gray, or colors of which the first three channels are taken; floats in [0, 1].

    Returns
    -------
    (Y, X, 3) uint8 array
        NaN becomes black.

    Examples
    --------
    >>> to_picture(np.array([[0, 65535]], np.uint16)).tolist()
    [[[0, 0, 0], [255, 255, 255]]]
    """
    top = np.iinfo(image.dtype).max if np.issubdtype(image.dtype, np.integer) else 1
    unit = image.astype(np.float32) / top
    if unit.ndim == 2:
        return paint_unit(unit)
    colors = unit[..., :3] if unit.shape[-1] >= 3 else np.repeat(unit[..., :1], 3, axis=-1)
    return _to_bytes(colors)


def paint_unit(values: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Paint values in [0, 1], such as a confidence, as gray: black is 0, white is 1.

    Parameters
    ----------
    values : (...) float array
        Values outside [0, 1] get the nearest end; NaN is painted black.

    Returns
    -------
    (..., 3) uint8 array
        Gray as three equal channels.

    Examples
    --------
    >>> paint_unit(np.array([0.0, 1.0])).tolist()
    [[0, 0, 0], [255, 255, 255]]
    """
    gray = _to_bytes(np.asarray(values, np.float32))
    return np.repeat(gray[..., None], 3, axis=-1)


def busiest_square(
    before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8], side: int
) -> tuple[int, int, int]:
    """Return the square in which two pictures differ most.

    Parameters
    ----------
    before, after : (Y, X, 3) uint8 array
        Pictures of one size.
    side : int
        Side of the square in pixels; at most the picture's shorter side is taken.

    Returns
    -------
    (y, x, side) : tuple of int
        Its corner and side.

    Examples
    --------
    >>> before = np.zeros((64, 96, 3), np.uint8)
    >>> after = before.copy()
    >>> after[40:, 64:] = 255
    >>> busiest_square(before, after, 16)
    (40, 64, 16)
    """
    side = min(side, *before.shape[:2])
    change = np.abs(before.astype(np.float64) - after).mean(axis=-1)
    total = np.pad(change.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    sums = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    y, x = np.unravel_index(np.argmax(np.round(sums, 6)), sums.shape)
    return int(y), int(x), side


def _draw_column(
    column: Column, detail: tuple[int, int, int] | None, width: int
) -> npt.NDArray[np.uint8]:
    picture = Image.fromarray(column.picture)
    height = round(picture.height * width / picture.width)
    total = _TITLE + height + _FOOT + (width + _GAP if detail else 0)
    sheet = Image.new("RGB", (width, total), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((0, _TITLE // 2), column.title, _INK, ImageFont.load_default(17), anchor="lm")
    sheet.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (0, _TITLE))
    below = _TITLE + height + _BAR // 2
    if column.limit is not None:
        _draw_bar(sheet, below, column.limit, column.signed)
    if detail is not None:
        y, x, side = detail
        ratio = width / picture.width
        frame = [x * ratio, _TITLE + y * ratio, (x + side) * ratio, _TITLE + (y + side) * ratio]
        draw.rectangle(frame, outline=_FRAME, width=2)
        crop = picture.crop((x, y, x + side, y + side))
        enlarged = crop.resize((width, width), Image.Resampling.BICUBIC)
        sheet.paste(enlarged, (0, total - width - _GAP))
    return np.asarray(sheet)


def _draw_bar(sheet: Image.Image, top: int, limit: float, signed: bool) -> None:
    colors = radius_colormap(signed=signed).lut(256)[None, :, :3]
    bar = Image.fromarray(_to_bytes(colors))
    sheet.paste(bar.resize((sheet.width, _BAR)), (0, top))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    low = f"{-limit:.0f} px" if signed else "0 px"
    draw.text((0, top + _BAR + 1), low, _INK, font)
    draw.text((sheet.width, top + _BAR + 1), f"{limit:.0f} px", _INK, font, anchor="ra")


def _to_bytes(values: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Scale values from [0, 1] to [0, 255]; NaN becomes 0."""
    levels: npt.NDArray[np.uint8] = np.rint(np.clip(np.nan_to_num(values), 0, 1) * 255).astype(
        np.uint8
    )
    return levels
