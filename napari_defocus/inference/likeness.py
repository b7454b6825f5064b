"""What counts as the same surface: nearly the same radius, and the same color."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..arrays import FloatArray
from .scaling import averaged

if TYPE_CHECKING:
    from ..networks.descriptor import Task

#: What counts as nearly the same radius, as a Gaussian's standard deviation: in pixels, by what an
#: estimator sees, and more for large radii. Two views tell small radii apart that one image cannot.
ALIKE: dict[Task, float] = {"single": 0.1, "dual": 0.03}
_GROWTH = 0.07
#: What counts as the same color, likewise, in display-encoded values from 0 to 1.
_SAME_COLOR = 0.02
_COLORS = 3


def alike_within(radius: FloatArray, alike: float) -> FloatArray:
    """Return the variance in square pixels of what counts as nearly the same as each radius.

    Examples
    --------
    >>> float(alike_within(np.float32(10), alike=0.3))
    1.0
    """
    return np.asarray(np.square(alike + _GROWTH * np.abs(radius)))


def hues(views: FloatArray, cell: int) -> FloatArray:
    """Return the mean color (3, y, x) of cells of the image or of both views.

    Parameters
    ----------
    views : (1, 3 or 6, Y, X) float32 array
        Display-encoded; gray is three equal channels.
    cell : int
        Side of a cell in pixels.

    Returns
    -------
    float32 array
        In such units that a squared difference, summed over the channels, is what it takes off the
        logarithm of a weight.

    Examples
    --------
    >>> hues(np.ones((6, 4, 8), np.float32), 2).shape
    (3, 2, 4)
    """
    cells = averaged(views, cell)
    colors = cells.reshape(-1, min(len(cells), _COLORS), *cells.shape[1:]).mean(0)
    scaled = colors / np.float32(_SAME_COLOR * (2 * _COLORS) ** 0.5)
    return np.broadcast_to(scaled, (_COLORS, *scaled.shape[1:]))
