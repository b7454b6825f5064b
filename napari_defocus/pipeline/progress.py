"""Progress of work that has several stages."""

from __future__ import annotations

from collections.abc import Generator

from ..array_types import FloatArray
from ..inference.engine import Progress
from ..steps import convert_steps


class ProgressMeter:
    """Sum of the progress of several stages, in pixels of work.

    Parameters
    ----------
    total : int
        Pixels of all stages that are known at the start.
    """

    def __init__(self, total: int) -> None:
        self.done = 0
        self.total = total
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
            Whether the stage is counted in `total` already; if not, its pixels are added.
        """
        self.total += 0 if planned else pixels

        def as_part(step: Progress) -> Progress:
            # the engine starts a tile anew when it halves it, but progress should not fall back
            self._reported = max(self._reported, self.done + pixels * step.done // step.total)
            return Progress(self._reported, self.total)

        result = yield from convert_steps(steps, as_part)
        self.done += pixels
        return result

    def skip(self, pixels: int) -> None:
        """Subtract pixels from the work that is expected."""
        self.total -= pixels
