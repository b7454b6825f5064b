"""Pictures of results beside what they should be."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from napari_defocus import DefocusMap
from napari_defocus.colors import largest_radius, paint_map, paint_unit
from napari_defocus.panel import Column, busiest_square, compose

_UNSURE = 0.25
_WIDTH = 360


def map_columns(defocus: DefocusMap, name: str, limit: float | None = None) -> list[Column]:
    """Radius, gray where the confidence is below 0.25, and confidence.

    Parameters
    ----------
    defocus : DefocusMap
        (Y, X).
    name : str
        Title of the first column.
    limit : float, optional
        Radius in px of the last color; by default the map's largest.
    """
    sure = np.where(defocus.confidence < _UNSURE, np.nan, defocus.radius)
    if limit is None:
        limit = largest_radius(sure)
    painted = paint_map(sure, signed=defocus.signed, limit=limit)
    return [
        Column(name, painted, limit, defocus.signed),
        Column("confidence (map gray < 0.25)", paint_unit(defocus.confidence)),
    ]


def save_panel(
    path: Path, columns: Sequence[Column], changed: tuple[int, int] | None = None
) -> None:
    """Write pictures side by side; below, the square where two of them differ most."""
    detail = None
    if changed is not None:
        before, after = (columns[index].picture for index in changed)
        detail = busiest_square(before, after, max(8, min(before.shape[:2]) // 4))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(compose(columns, detail=detail, width=_WIDTH)).save(path)
