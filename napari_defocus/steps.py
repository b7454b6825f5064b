"""Work in steps: generators that yield their progress and return their result."""

from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, TypeVar

R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")


def run_to_end(
    steps: Generator[Any, None, R], progress: Callable[[int, int], object] | None = None
) -> R:
    """Run steps to their end and return their result; whatever `progress` raises ends the work.

    Examples
    --------
    >>> def count():
    ...     yield "one"
    ...     return 2
    >>> run_to_end(count())
    2
    """

    def report(step: Any) -> None:
        if progress is not None:
            progress(step.done, step.total)

    reports = convert_steps(steps, report)
    with closing(reports):
        while True:
            try:
                next(reports)
            except StopIteration as stop:
                result: R = stop.value
                return result


def convert_steps(steps: Generator[S, None, R], convert: Callable[[S], T]) -> Generator[T, None, R]:
    """Yield in place of each step what `convert` makes of it, and return the result of the steps.

    Examples
    --------
    >>> def count():
    ...     yield 1
    ...     yield 2
    ...     return "three"
    >>> list(convert_steps(count(), float))
    [1.0, 2.0]
    """
    with closing(steps):
        while True:
            try:
                step = next(steps)
            except StopIteration as stop:
                result: R = stop.value
                return result
            yield convert(step)
