"""A map in cells of 8 x 8 pixels, coarse enough to compare far surroundings."""

from __future__ import annotations

import numpy as np

from ..arrays import FloatArray
from .room import Planes, Room
from .scaling import averaged, level_shape

#: Pixels of the image along a side of a cell.
CELL = 8
_LEAST_WEIGHT = 1e-4


def in_cells(found: Planes, room: Room) -> tuple[FloatArray, FloatArray]:
    """Return the radius of each cell, the confident pixels weighing more, and its weight.

    Parameters
    ----------
    found : (2, Y, X) float32 array
        Radius in pixels and confidence.
    room : Room
        How large a part is taken at a time.

    Returns
    -------
    radius, weight : (y, x) float32 array
        Weighted mean, and the mean weight: the square of the confidence.

    Examples
    --------
    >>> radius, weight = in_cells(np.ones((2, 16, 24), np.float32), Room())
    >>> radius.shape, float(radius.max())
    ((2, 3), 1.0)
    """
    cells = np.empty((2, *level_shape(found.shape, CELL)), np.float32)
    for block in room.blocks(found.shape, CELL):
        radius, confidence = found[:, *block.slices]
        weight = np.square(confidence) + np.float32(_LEAST_WEIGHT)
        part = averaged(np.stack([radius * weight, weight]), CELL)
        cells[:, *block.shrunk(CELL).slices] = part
    return cells[0] / cells[1], cells[1]
