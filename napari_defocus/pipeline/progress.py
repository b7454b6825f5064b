"""Progress of work in several stages."""

from __future__ import annotations

from collections.abc import Generator
from typing import cast

from ..array_types import FloatArray
from ..inference.engine import Progress


class ProgressMeter:
    """Sum of the progress of several stages, in pixels of work.

    Parameters
    ----------
    expected : int
        Pixels of all stages that are planned from the start.
    """

    def __init__(self, expected: int) -> None:
        self.done = 0
        self.expected = expected
        self._reported = 0

    def measure(
        self, steps: Generator[Progress, None, FloatArray], pixels: int, *, planned: bool
    ) -> Generator[Progress, None, FloatArray]:
        """Pass on a stage's result, and its progress as part of the whole.

        Parameters
        ----------
        steps : generator
            The stage.
        pixels : int
            Size of the stage.
        planned : bool
            Whether `expected` holds the stage already; if not, its pixels are added.
        """
        self.expected += 0 if planned else pixels
        while True:
            try:
                step = next(steps)
            except StopIteration as stop:
                self.done += pixels
                return cast(FloatArray, stop.value)
            # tiles that are halved on the way must not make the progress fall back
            self._reported = max(self._reported, self.done + pixels * step.done // step.total)
            yield Progress(self._reported, self.expected)

    def plan(self, pixels: int) -> None:
        """Add pixels to the work that is expected."""
        self.expected += pixels

    def skip(self, pixels: int) -> None:
        """Take pixels off the work that is expected."""
        self.expected -= pixels
