"""Progress of work in several stages."""

from __future__ import annotations

from collections.abc import Generator
from typing import cast

from ..array_types import FloatArray
from ..inference.engine import Progress


class ProgressMeter:
    """Adds up the progress of the stages of some work, in pixels.

    Parameters
    ----------
    expected : int
        Pixels of all stages that are planned from the start.
    """

    def __init__(self, expected: int) -> None:
        self.done = 0
        self.expected = expected
        self.told = 0

    def measure(
        self, steps: Generator[Progress, None, FloatArray], pixels: int, *, planned: bool
    ) -> Generator[Progress, None, FloatArray]:
        """Pass on a stage's result, and its progress as part of the whole.

        Parameters
        ----------
        steps : generator
            The stage.
        pixels : int
            Its size.
        planned : bool
            Whether it was expected from the start; if not, it adds to what is.
        """
        self.expected += 0 if planned else pixels
        while True:
            try:
                step = next(steps)
            except StopIteration as stop:
                self.done += pixels
                return cast(FloatArray, stop.value)
            # where tiles are halved on the way, it would fall back
            self.told = max(self.told, self.done + pixels * step.done // step.total)
            yield Progress(self.told, self.expected)

    def plan_tiles(self, pixels: int) -> None:
        """Plan more work than was planned from the start."""
        self.expected += pixels

    def skip(self, pixels: int) -> None:
        """Leave out planned work."""
        self.expected -= pixels
