"""Phases of a run, and the time that is left of them."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TypeVar

from ...inference.engine import Progress
from ...steps import convert_steps

R = TypeVar("R")

#: Seconds and share of a phase after which its end is foretold.
_LEAST_SECONDS, _LEAST_SHARE = 1.5, 0.02
#: Seconds below which no number is named, for what follows the last tile takes longer.
_FINISHING = 2.0


@dataclass(frozen=True)
class PhaseProgress(Progress):
    """Progress within a named phase of a run.

    Parameters
    ----------
    phase : str
        Name, such as "1/2 map".
    """

    phase: str = ""


def in_phase(steps: Generator[Progress, None, R], phase: str) -> Generator[Progress, None, R]:
    """Pass steps on as those of a phase; phases within it are named after it."""

    def rename(step: Progress) -> PhaseProgress:
        inner = step.phase if isinstance(step, PhaseProgress) else _unnamed(step)
        name = ": ".join(part for part in (phase, inner) if part)
        if isinstance(step, PhaseProgress):
            return replace(step, phase=name)
        return PhaseProgress(step.done, step.total, name)

    return (yield from convert_steps(steps, rename))


def _unnamed(step: Progress) -> str:
    """Return what a step without a name is: only reading has no total."""
    return "" if step.total else "reading"


class TimeLeft:
    """Text for the progress of a run: its phase, and how long that will take at its speed so far.

    Parameters
    ----------
    clock : callable
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._phase: str | None = None  # none has begun
        self._start = 0.0
        self._first = 0

    def describe(self, progress: Progress) -> str:
        """Return the text for a step."""
        phase = progress.phase if isinstance(progress, PhaseProgress) else _unnamed(progress)
        if not progress.total:
            self._phase = None
            return f"{phase}…"
        now = self._clock()
        if phase != self._phase or progress.done < self._first:
            self._phase, self._start, self._first = phase, now, progress.done
        return " · ".join([phase or "computing", *self._left(progress, now - self._start)]) + "…"

    def _left(self, progress: Progress, elapsed: float) -> list[str]:
        done, total = progress.done - self._first, progress.total - self._first
        if done <= 0 or elapsed < _LEAST_SECONDS or done < _LEAST_SHARE * total:
            return []
        seconds = elapsed * (total - done) / done
        if seconds < _FINISHING:
            return ["finishing"]
        return [f"about {describe_seconds(seconds)} left"]


def describe_seconds(seconds: float) -> str:
    """Return a duration as far as it can be foretold.

    Examples
    --------
    >>> [describe_seconds(each) for each in (0.3, 7.2, 43, 500)]
    ['1 s', '7 s', '45 s', '8 min']
    """
    if seconds >= 90:
        return f"{seconds / 60:.0f} min"
    return f"{max(1, round(seconds)) if seconds < 20 else 5 * round(seconds / 5)} s"
