"""Planes beside a plane of a stack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np


@dataclass(frozen=True)
class Neighbors:
    """Planes beside each plane of an image along one of its axes.

    Parameters
    ----------
    place : int
        Place of the axis among those before Y and X, without channels.
    leading : tuple of int
        Lengths of these axes.

    Examples
    --------
    >>> stack = Neighbors(1, (5, 20))
    >>> stack.existing((3, 0)), stack.around((3, 0))
    ([0, 1], [(3, 0), (3, 1)])
    >>> list(Neighbors(0, (2, 2)).order())
    [(0, 0), (1, 0), (0, 1), (1, 1)]
    """

    place: int
    leading: tuple[int, ...]

    #: Distances of the planes that belong together; the plane itself is first.
    steps: ClassVar[tuple[int, ...]] = (0, -1, 1)

    def order(self) -> Iterator[tuple[int, ...]]:
        """Return the index of every plane, those of each stack one after another."""
        others = [length for axis, length in enumerate(self.leading) if axis != self.place]
        for index in np.ndindex(*others):
            for plane in range(self.leading[self.place]):
                yield (*index[: self.place], plane, *index[self.place :])

    def existing(self, index: tuple[int, ...]) -> list[int]:
        """Return those of the distances at which there is a plane."""
        length = self.leading[self.place]
        return [step for step in self.steps if 0 <= index[self.place] + step < length]

    def around(self, index: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return the index of a plane, and those of its neighbors."""
        before, own, after = index[: self.place], index[self.place], index[self.place + 1 :]
        return [(*before, own + step, *after) for step in self.existing(index)]
