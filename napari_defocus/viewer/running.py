"""One job at a time in a thread: its progress, its end, and how to cancel it."""

from collections.abc import Callable, Generator
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
    worker.errored.connect(_show_error)
    worker.warned.connect(_show_warning)
    return worker


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
        self._worker: GeneratorWorker[Progress, None, T] | None = None
        self._bar: ActivityBar | None = None
        self._ending = "done"

    @property
    def busy(self) -> bool:
        """Whether a job is running."""
        return self._worker is not None

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
        worker = start_worker(steps)
        self._worker, self._ending = worker, "done"
        worker.yielded.connect(self._advance)
        worker.returned.connect(self._receive)
        worker.errored.connect(self._fail)
        worker.aborted.connect(self._abort)
        worker.finished.connect(self._end)
        self._bar = ActivityBar(description, self.cancel)
        worker.start()
        return worker

    def cancel(self) -> None:
        """Stop the running job at its next step; nothing happens if none is running."""
        if self._worker is not None:
            self._worker.quit()

    def abandon(self) -> None:
        """Stop the running job and report nothing more about it: its widget has gone."""
        self.cancel()
        self._on_progress, self._on_result, self._on_end = _ignore, _ignore, _ignore

    def _advance(self, progress: Progress) -> None:
        self._on_progress(progress.done, progress.total)
        if self._bar is not None:  # last: it lets the window handle events, the end among them
            self._bar.advance(progress.done, progress.total)

    def _receive(self, result: T) -> None:
        self._on_result(result)

    def _fail(self, _: Exception) -> None:
        self._ending = "failed"

    def _abort(self) -> None:
        self._ending = "cancelled"

    def _end(self) -> None:
        self._worker = None
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        self._on_end(self._ending)


def _ignore(*_: Any) -> None:
    pass
