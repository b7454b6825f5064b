"""Runs in a thread of which only the one that was asked for last counts."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from ...inference.engine import Progress
from .runner import Steps, Worker

T = TypeVar("T")


def _ignore(*_: Any) -> None:
    pass


class LatestRun(Generic[T]):
    """Runs one job at a time; a new one stops the one in progress, and starts when that has ended.

    Parameters
    ----------
    on_progress : callable, optional
        Called with a Progress.
    on_error : callable, optional
        Called with the error of a run that failed.
    on_end : callable, optional
        Called when a run has ended that was neither stopped nor replaced.
    """

    def __init__(
        self,
        *,
        on_progress: Callable[[Progress], object] = _ignore,
        on_error: Callable[[Exception], object] = _ignore,
        on_end: Callable[[], object] = _ignore,
    ) -> None:
        self._on_progress, self._on_error, self._on_end = on_progress, on_error, on_end
        self._worker: Worker[T] | None = None
        self._next: tuple[Callable[[], Steps[T]], Callable[[T], object]] | None = None
        self._stopped = False

    @property
    def worker(self) -> Worker[T] | None:
        """The worker in progress, if any."""
        return self._worker

    def request(self, steps: Callable[[], Steps[T]], on_result: Callable[[T], object]) -> None:
        """Run steps as soon as possible.

        Parameters
        ----------
        steps : callable
            Generator function without arguments that yields Progress and returns the result.
        on_result : callable
            Called with the result, unless the run is stopped or replaced before.
        """
        self._next = steps, on_result
        if self._worker is None:
            self._start()
        else:
            self._worker.quit()

    def stop(self, *_: Any) -> None:
        """Stop the run in progress; its result does not count."""
        self._next, self._stopped = None, True
        if self._worker is not None:
            self._worker.quit()

    @property
    def _counts(self) -> bool:
        return self._next is None and not self._stopped

    def _start(self) -> None:
        assert self._next is not None
        (steps, on_result), self._next, self._stopped = self._next, None, False

        def receive(result: T) -> None:
            if self._counts:
                on_result(result)

        worker = self._worker = Worker(steps)
        worker.yielded.connect(self._advance)
        worker.returned.connect(receive)
        worker.errored.connect(self._fail)
        worker.finished.connect(self._end)
        worker.start()

    def _advance(self, progress: Progress) -> None:
        if self._counts:
            self._on_progress(progress)

    def _fail(self, error: Exception) -> None:
        if self._counts:
            self._on_error(error)

    def _end(self) -> None:
        self._worker = None
        if self._next is not None:
            self._start()
        elif not self._stopped:
            self._on_end()
