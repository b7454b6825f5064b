"""Worker threads: one job at a time, with progress, end and cancellation."""

import atexit
import warnings
from collections.abc import Callable, Generator
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

from napari.qt.threading import GeneratorWorker, WorkerBase

from ...errors import DefocusError, OptionError
from ...inference.engine import Progress
from .activity import ActivityEntry

T = TypeVar("T")
Steps = Generator[Progress, None, T]


class Worker(GeneratorWorker[Progress, None, T]):  # type: ignore[misc]  # napari has no types
    """Worker that runs steps in a thread; connect to it, then call its ``start``.

    Errors and warnings become notifications. A RuntimeError becomes a DefocusError, because
    napari's generator workers take it for a deleted Qt object and swallow it.

    It is made directly because napari's ``create_worker`` keeps every worker, and its image with
    it, until the window closes.

    Parameters
    ----------
    steps : callable
        Generator function without arguments that yields Progress and returns the result.
    """

    def __init__(self, steps: Callable[[], Steps[T]]) -> None:
        super().__init__(_translate_runtime_errors, steps)
        self.errored.connect(_show_error)
        self.warned.connect(_show_warning)
        self.finished.connect(_WARNING_FILTERS.release)

    def work(self) -> T:
        """Run the steps in the thread, and end them there too if they are stopped before."""
        try:
            result: T = super().work()
            return result
        finally:
            self._gen.close()

    def start(self) -> None:
        """Start the thread."""
        _stop_workers_at_exit()
        _WARNING_FILTERS.hold()
        super().start()


class _WarningFilters:
    """Python's warning filters, as they were before the first of several workers started.

    Each worker changes them for the whole process and then restores what it came upon. If another
    one had changed them before and ends first, they stay changed.
    """

    def __init__(self) -> None:
        self._workers = 0
        self._saved = warnings.catch_warnings()

    def hold(self) -> None:
        """Save the filters if no worker runs."""
        if self._workers == 0:
            self._saved = warnings.catch_warnings()
            self._saved.__enter__()
        self._workers += 1

    def release(self) -> None:
        """Restore the filters if no other worker runs."""
        self._workers -= 1
        if self._workers == 0:
            self._saved.__exit__(None, None, None)


_WARNING_FILTERS = _WarningFilters()


@cache
def _stop_workers_at_exit() -> None:
    """Make Python wait for all worker threads before it exits; later calls do nothing.

    napari waits when its event loop ends, but a script may exit without having run one.
    """
    atexit.register(WorkerBase.await_workers)


def _show_error(error: Exception) -> None:
    """Show an error, unless napari has shown it, which depends on the Qt binding.

    One of the user is shown without a traceback, which would tell nothing.
    """
    from napari.utils.notifications import (
        Notification,
        NotificationSeverity,
        notification_manager,
    )

    errors = (getattr(record, "exception", None) for record in notification_manager.records)
    if any(other is error for other in errors):
        return
    if isinstance(error, DefocusError) and not isinstance(error.__cause__, RuntimeError):
        note = Notification(str(error), severity=NotificationSeverity.ERROR)
        note.exception = error
        notification_manager.dispatch(note)
    else:
        notification_manager.receive_error(type(error), error, error.__traceback__)


def _show_warning(warning: tuple[Any, ...]) -> None:
    from napari.utils.notifications import notification_manager

    notification_manager.receive_warning(*warning)  # shows repeated warnings only once


def _translate_runtime_errors(steps: Callable[[], Steps[T]]) -> Steps[T]:
    try:
        return (yield from steps())
    except RuntimeError as error:
        raise DefocusError(f"the computation failed: {error}") from error


class Runner(Generic[T]):
    """Runs one job at a time in a thread and reports on it in the GUI thread.

    Parameters
    ----------
    on_progress : callable
        Called with a Progress; a total of 0 stands for unknown.
    on_result : callable
        Called with the result, unless the job was canceled or failed.
    on_end : callable
        Called with the way the job ended: "done", "canceled" or "failed".
    """

    def __init__(
        self,
        *,
        on_progress: Callable[[Progress], None],
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
        self,
        steps: Callable[[], Steps[T]],
        description: str,
        on_warning: Callable[[tuple[Any, ...]], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> Worker[T]:
        """Start a job.

        Parameters
        ----------
        steps : callable
            Generator function without arguments that yields Progress and returns the result; it
            runs in a thread.
        description : str
            Text in napari's activity dock, if the run lasts.
        on_warning : callable, optional
            Called with the arguments of ``warnings.showwarning`` for each warning.
        on_error : callable, optional
            Called with the error if the job fails.

        Returns
        -------
        Worker
            Already started.

        Raises
        ------
        OptionError
            If a job is running.
        """
        if self.busy:
            raise OptionError("a run is in progress; wait until it ends or cancel it first")
        worker = Worker(steps)
        if on_warning is not None:
            worker.warned.connect(on_warning)
        if on_error is not None:
            worker.errored.connect(on_error)
        self._run = _Run(worker, ActivityEntry(description, self.cancel), self)
        worker.start()
        return worker

    def cancel(self, *_: Any) -> None:
        """Stop the running job. It reports nothing more, and another one can start at once.

        Its thread stops at its next step.
        """
        if self._run is not None:
            self._run.worker.quit()
            self.end("canceled")

    def detach(self, on_result: Callable[[T], None], on_end: Callable[[str], None]) -> None:
        """Let the running job go on and report to others, because its widget is gone."""
        self._on_progress, self._on_result, self._on_end = _ignore, on_result, on_end

    def abandon(self, *_: Any) -> None:
        """Stop the running job and report nothing, because its widget is gone."""
        self._on_end = _ignore
        self.cancel()

    def advance(self, progress: Progress) -> None:
        """Report progress of the running job."""
        self._on_progress(progress)

    def receive(self, result: T) -> None:
        """Report the result of the running job."""
        self._on_result(result)

    def end(self, ending: str) -> None:
        """Report the end of the running job."""
        if self._run is not None:
            run, self._run = self._run, None
            run.entry.close()
            self._on_end(ending)


class _Run(Generic[T]):
    """One run; signals that arrive after its end are ignored.

    It is kept until its thread has ended: PySide refers weakly to objects whose methods are
    connected, and crashes if a signal is under way to one that is gone.
    """

    _living: ClassVar["set[_Run[Any]]"] = set()

    def __init__(
        self,
        worker: Worker[T],
        entry: ActivityEntry,
        runner: Runner[T],
    ) -> None:
        self.worker, self.entry, self._runner = worker, entry, runner
        self._failed = False
        self._living.add(self)
        worker.yielded.connect(self._advance)
        worker.returned.connect(self._receive)
        worker.errored.connect(self._fail)
        worker.aborted.connect(self._abort)
        worker.finished.connect(self._end)

    @property
    def _current(self) -> bool:
        return self._runner._run is self

    def _advance(self, progress: Progress) -> None:
        if self._current:
            self._runner.advance(progress)
            self.entry.show_share(progress.done, progress.total)

    def _receive(self, result: T) -> None:
        if self._current:
            self._runner.receive(result)

    def _fail(self, _: Exception) -> None:
        self._failed = True

    def _abort(self) -> None:
        if self._current:  # napari stops workers when the window closes
            self._runner.end("canceled")

    def _end(self) -> None:
        if self._current:
            self._runner.end("failed" if self._failed else "done")
        self._living.discard(self)


def _ignore(*_: Any) -> None:
    pass
