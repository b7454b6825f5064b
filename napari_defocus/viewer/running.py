"""One job at a time in a thread: its progress, its end, and how to cancel it."""

import atexit
from collections.abc import Callable, Generator
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import DefocusError, OptionError
from ..inference.engine import Progress
from .activity import ActivityBar

if TYPE_CHECKING:
    from napari.qt.threading import GeneratorWorker

T = TypeVar("T")
Steps = Generator[Progress, None, T]


def start_worker(steps: Callable[[], Steps[T]]) -> "GeneratorWorker[Progress, None, T]":
    """Make a worker that runs `steps` in a thread; connect to it, then call its ``start``.

    Errors and warnings become notifications. A RuntimeError, which napari's generator workers take
    for a deleted window and swallow, is turned into a DefocusError.
    """
    from napari.qt.threading import create_worker

    worker: GeneratorWorker[Progress, None, T] = create_worker(
        _guarded, steps, _start_thread=False, _ignore_errors=True
    )
    _stop_workers_at_exit()
    worker.errored.connect(_show_error)
    worker.warned.connect(_show_warning)
    return worker


@cache
def _stop_workers_at_exit() -> None:
    """Let threads come to rest before Python ends, once for all.

    napari does so when its event loop ends; a script may end without having run one.
    """
    from napari.qt.threading import WorkerBase

    atexit.register(WorkerBase.await_workers)


def _show_error(error: Exception) -> None:
    """Notify of an error, unless napari has: whether its workers do depends on the Qt binding."""
    from napari.utils.notifications import notification_manager

    shown = (getattr(record, "exception", None) for record in notification_manager.records)
    if all(other is not error for other in shown):
        notification_manager.receive_error(type(error), error, error.__traceback__)


def _show_warning(warning: tuple[Any, ...]) -> None:
    from napari.utils.notifications import notification_manager

    notification_manager.receive_warning(*warning)  # shows the same one only once


def _guarded(steps: Callable[[], Steps[T]]) -> Steps[T]:
    try:
        return (yield from steps())
    except RuntimeError as error:
        raise DefocusError(f"the computation failed: {error}") from error


class Running(Generic[T]):
    """Runs one job at a time and reports on it in the window's thread.

    Parameters
    ----------
    on_progress : callable
        Called with (done, total); `total` is 0 while it is unknown.
    on_result : callable
        Called with the result, unless the job was cancelled or failed.
    on_end : callable
        Called with how it ended: "done", "cancelled" or "failed".
    """

    def __init__(
        self,
        *,
        on_progress: Callable[[int, int], None],
        on_result: Callable[[T], None],
        on_end: Callable[[str], None],
    ) -> None:
        self._on_progress, self._on_result, self._on_end = on_progress, on_result, on_end
        self._run: _Run[T] | None = None

    @property
    def busy(self) -> bool:
        """Whether a job is running."""
        return self._run is not None

    def start(
        self, steps: Callable[[], Steps[T]], description: str
    ) -> "GeneratorWorker[Progress, None, T]":
        """Start a job.

        Parameters
        ----------
        steps : callable
            Takes no argument; yields Progress and returns the result. Runs in a thread.
        description : str
            What napari's activity dock calls it.

        Returns
        -------
        napari.qt.threading.GeneratorWorker
            Started.

        Raises
        ------
        OptionError
            If a job is running already.
        """
        if self.busy:
            raise OptionError("a run is under way; wait for its end or cancel it first")
        self._run = _Run(start_worker(steps), ActivityBar(description, self.cancel), self)
        self._run.worker.start()
        return self._run.worker

    def cancel(self, *_: Any) -> None:
        """Stop the running job: nothing more is heard of it, and another may start at once.

        Its thread comes to rest at its next step.
        """
        if self._run is not None:
            self._run.worker.quit()
            self.end("cancelled")

    def abandon(self, *_: Any) -> None:
        """Stop the running job and report nothing at all: its widget has gone."""
        self._on_end = _ignore
        self.cancel()

    def advance(self, progress: Progress) -> None:
        """Report progress of the running job."""
        self._on_progress(progress.done, progress.total)

    def receive(self, result: T) -> None:
        """Report the result of the running job."""
        self._on_result(result)

    def end(self, how: str) -> None:
        """Report the end of the running job."""
        if self._run is not None:
            run, self._run = self._run, None
            run.bar.close()
            self._on_end(how)


class _Run(Generic[T]):
    """One run; what it signals after its end is ignored."""

    def __init__(
        self,
        worker: "GeneratorWorker[Progress, None, T]",
        bar: ActivityBar,
        running: Running[T],
    ) -> None:
        self.worker, self.bar, self._running = worker, bar, running
        self._failed = False
        worker.yielded.connect(self._advance)
        worker.returned.connect(self._receive)
        worker.errored.connect(self._fail)
        worker.aborted.connect(self._abort)
        worker.finished.connect(self._end)

    @property
    def _current(self) -> bool:
        return self._running._run is self

    def _advance(self, progress: Progress) -> None:
        if self._current:
            self._running.advance(progress)
            self.bar.advance(progress.done, progress.total)  # last: lets the window handle events

    def _receive(self, result: T) -> None:
        if self._current:
            self._running.receive(result)

    def _fail(self, _: Exception) -> None:
        self._failed = True

    def _abort(self) -> None:
        if self._current:  # stopped by napari: the window closes
            self._running.end("cancelled")

    def _end(self) -> None:
        if self._current:
            self._running.end("failed" if self._failed else "done")


def _ignore(*_: Any) -> None:
    pass
