"""Structure that persists from plane to plane, unlike noise, however smooth that is."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..array_types import FloatArray
from .tiles import Tiles, degrees_of_freedom

Floats = npt.NDArray[np.float64]

#: Standard deviations by which the correlation of neighboring planes must exceed that of noise, and
#: its least value.
_DEVIATIONS, _LEAST = 5.0, 0.1


class Persistence:
    """Correlation of the coarse structure of neighboring planes in tiles that are judged.

    A scene shows the same at a coarse scale in neighboring planes, even out of focus. Noise that is
    correlated over several pixels looks like structure in one plane, but not like that of the next.

    Parameters
    ----------
    stacks : tuple of int
        Shape of the axes along which stacks lie.
    planes : int
        Planes of each stack.
    """

    def __init__(self, stacks: tuple[int, ...], planes: int) -> None:
        self._planes = planes
        self._shared = np.zeros(stacks, bool)
        self._before: dict[tuple[int, ...], tuple[FloatArray, npt.NDArray[np.bool_]]] = {}

    def add(self, stack: tuple[int, ...], plane: int, tiles: Tiles) -> None:
        """Compare a plane with the one before it in its stack that shows anything."""
        if tiles.coarse.any():
            judged = np.isfinite(tiles.radius)
            if stack in self._before:
                coarse, other = self._before[stack]
                either = judged | other
                self._shared[stack] |= _is_alike(tiles.coarse[either], coarse[either])
            self._before[stack] = tiles.coarse, judged
        if plane == self._planes - 1:
            self._before.pop(stack, None)

    @property
    def persists(self) -> npt.NDArray[np.bool_]:
        """Whether neighboring planes of each stack show the same, or a stack has one plane."""
        return self._shared | (self._planes == 1)


def _is_alike(first: FloatArray, second: FloatArray) -> bool:
    """Return whether tiles (N, blocks) of two planes are correlated more than noise can be."""
    degrees = len(first) * degrees_of_freedom(first)
    if degrees == 0:
        return False
    scale = [np.sqrt(np.square(part).sum(dtype=np.float64)) for part in (first, second)]
    if min(scale) == 0:
        return False
    correlation = float(np.vdot(first.astype(np.float64), second)) / (scale[0] * scale[1])
    return bool(correlation > max(_LEAST, _DEVIATIONS / math.sqrt(degrees)))
