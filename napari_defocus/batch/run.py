"""Do a plan, file by file; one run at a time in a folder."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import FileError, reason
from ..inference.engine import Progress
from ..io.atomic import find_leftovers, remove
from .plan import Plan
from .report import write_report
from .work import Outcome, work

_LOCK_NAME = ".napari-defocus-batch.lock"


@dataclass(frozen=True)
class Event:
    """What happens to a file of the plan.

    Parameters
    ----------
    index : int
        Which.
    done, total : int
        How far it is, in pixels of work.
    outcome : Outcome, optional
        What came of it, once it is finished.
    """

    index: int
    done: int
    total: int
    outcome: Outcome | None = None


def run_plan(plan: Plan) -> Generator[Event, None, list[Outcome]]:
    """Write the plan down and do it, yielding after every tile and every file.

    Closing the generator ends the work at its last tile; what was finished stays finished, and the
    same plan goes on from there. A report is written in the end, however that comes.

    Parameters
    ----------
    plan : Plan
        What is to be done.

    Yields
    ------
    Event

    Returns
    -------
    list of Outcome
        One a file.

    Raises
    ------
    FileError
        If the folder cannot be written to, or another run works in it.
    """
    with session(plan) as (fingerprint, outcomes):
        for index, item in enumerate(plan.items):
            yield Event(index, 0, 0)
            steps = work(item, plan.settings, fingerprint)
            outcomes[index] = yield from watched(steps, index)
            yield Event(index, 1, 1, outcomes[index])
    return list(outcomes.values())


@contextmanager
def session(plan: Plan) -> Iterator[tuple[str, dict[int, Outcome]]]:
    """Hold a plan's folder, write the plan down, and report in the end, however that comes.

    Parameters
    ----------
    plan : Plan
        What is to be done.

    Yields
    ------
    fingerprint : str
        What `Settings.fingerprint` says.
    outcomes : dict of int to Outcome
        To be filled with what comes of the files, by their number.

    Raises
    ------
    FileError
        If the folder cannot be written to, or another run works in it.
    """
    outcomes: dict[int, Outcome] = {}
    with _alone_in(plan.folder):
        plan.write()
        _prepare_folders(plan)
        try:
            yield plan.settings.fingerprint(), outcomes
        finally:
            write_report(plan, outcomes)


def _prepare_folders(plan: Plan) -> None:
    """Make those of the results, and remove what a process that was killed had not finished.

    They are made only now: a folder that vanishes later was unmounted or removed, and what is
    written to another one of its name would be lost. Where one cannot be made, its files fail.
    """
    folders = {plan.folder, *(path.parent for item in plan.items for path in item.results.values())}
    for folder in folders:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            for leftover in find_leftovers(folder):
                remove(leftover)


def watched(
    steps: Generator[Progress, None, Outcome], index: int
) -> Generator[Event, None, Outcome]:
    """Tell of each step on a file, of which number it is in the plan."""
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome
        yield Event(index, step.done, step.total)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder; the lock of a process that was killed is none.

    Raises
    ------
    FileError
        If another run holds it, or it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / _LOCK_NAME, timeout=0, thread_local=False):
            yield
    except Timeout:
        raise FileError(f"another run works in {folder}; wait for its end") from None
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{folder} cannot be written to: {reason(error)}") from error
