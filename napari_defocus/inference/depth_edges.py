"""Where something near hides what lies behind, each of two views sees a part the other does not."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..arrays import FloatArray
from .cells import CELL, in_cells
from .pyramid import confidence_at
from .room import Room, Store
from .scaling import enlarged_part

#: How many times larger errors grow with each pixel that radii around differ by.
_GROWTH = np.float32(0.2)


def doubt_depth_edges(found: Store, room: Room) -> None:
    """Lower the confidence where radii within some 10 pixels differ.

    Parameters
    ----------
    found : (2, Y, X) float32 array
        Radius in pixels, and confidence, which is changed.
    room : Room
        How large a part is taken at a time.

    Examples
    --------
    >>> found = np.full((2, 64, 64), 0.9, np.float32)
    >>> found[0, :, 32:] = 6
    >>> doubt_depth_edges(found, Room())
    >>> found[1, 20, [4, 32, 60]].round(1).tolist()
    [0.9, 0.7, 0.9]
    """
    radius, _ = in_cells(found, room)
    growth = 1 + _GROWTH * _range(radius)[None]
    for block in room.blocks(found.shape, CELL):
        times = enlarged_part(growth, CELL, block)[0]
        found[1, *block.slices] = confidence_at(found[1, *block.slices], 1 / times)


def _range(cells: FloatArray) -> FloatArray:
    """How far each cell and those next to it differ."""
    around = sliding_window_view(np.pad(cells, 1, mode="edge"), (3, 3))
    apart: FloatArray = around.max((-2, -1)) - around.min((-2, -1))
    return apart
