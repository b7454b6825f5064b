"""Window: a box in the data of a layer."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Box in the data of a layer, one range for each axis except color channels.

    Parameters
    ----------
    start, stop : tuple of int
        First index and end index (exclusive) of each axis.
    """

    start: tuple[int, ...]
    stop: tuple[int, ...]

    @property
    def slices(self) -> tuple[slice, ...]:
        """Slices of the data; color channels, if any, stay whole."""
        return tuple(slice(a, b) for a, b in zip(self.start, self.stop, strict=True))

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of pixels along each axis."""
        return tuple(b - a for a, b in zip(self.start, self.stop, strict=True))

    def relative_to(self, outer: "Window") -> "Window":
        """Return the same box in indices of `outer`, which contains it."""
        return Window(
            tuple(a - o for a, o in zip(self.start, outer.start, strict=True)),
            tuple(b - o for b, o in zip(self.stop, outer.start, strict=True)),
        )

    def expand(self, margin: int, shape: Sequence[int]) -> "Window":
        """Return the box with a margin added in Y and X, clipped to data of `shape`."""
        start, stop = list(self.start), list(self.stop)
        for axis in (-2, -1):
            start[axis] = max(0, start[axis] - margin)
            stop[axis] = min(shape[axis], stop[axis] + margin)
        return Window(tuple(start), tuple(stop))

    def align(self, step: int) -> "Window":
        """Return the box begun at multiples of `step` in Y and X, at or before its beginning."""
        *planes, row, column = self.start
        return Window((*planes, row - row % step, column - column % step), self.stop)
