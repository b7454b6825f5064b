"""Planes beside a plane of a stack."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Neighbors:
    """Planes beside each plane of an image along one of its axes; none without such an axis.

    Parameters
    ----------
    place : int, optional
        Place of the axis among those before Y and X, without channels.
    leading : tuple of int
        Lengths of these axes.

    Examples
    --------
    >>> stack = Neighbors(1, (5, 20))
    >>> stack.steps, stack.existing((3, 0)), stack.index((3, 0), 1)
    ((0, -1, 1), [0, 1], (3, 1))
    >>> Neighbors(None, (5, 20)).existing((3, 7))
    [0]
    """

    place: int | None
    leading: tuple[int, ...]

    @property
    def steps(self) -> tuple[int, ...]:
        """Distances of the planes that belong together; the plane itself is first."""
        return (0,) if self.place is None else (0, -1, 1)

    def existing(self, index: tuple[int, ...]) -> list[int]:
        """Return those of the distances at which there is a plane."""
        return [step for step in self.steps if self._exists(index, step)]

    def index(self, index: tuple[int, ...], step: int) -> tuple[int, ...]:
        """Return the index of the plane at a distance."""
        if self.place is None:
            return index
        return (*index[: self.place], index[self.place] + step, *index[self.place + 1 :])

    def _exists(self, index: tuple[int, ...], step: int) -> bool:
        return self.place is None or 0 <= index[self.place] + step < self.leading[self.place]
