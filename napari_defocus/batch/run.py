"""Runs of a plan, file by file; one run at a time in a folder."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import FileError, reason
from ..inference.engine import Progress
from ..io.atomic import remove_leftovers
from ..provenance_record import sidecar_path
from ..steps import convert_steps
from .existing import check_inside, find_change
from .plan import Plan
from .process import Outcome, Session, process_file
from .report import write_report
from .stores import is_ours, measure_stores, prepare_stores, write_layouts

_LOCK_NAME = ".napari-defocus-batch.lock"


@dataclass(frozen=True)
class Event:
    """Progress on a file of the plan.

    Parameters
    ----------
    index : int
        Number of the file in the plan.
    done, total : int
        Pixels of work done, and in all; 0 and 0 when the file is begun.
    outcome : Outcome, optional
        The file's outcome, once it is finished.
    """

    index: int
    done: int
    total: int
    outcome: Outcome | None = None


def run_plan(plan: Plan) -> Generator[Event, None, list[Outcome]]:
    """Write the plan to its folder and carry it out, yielding after every tile and every file.

    Closing the generator stops the work after the present tile. Finished files stay finished, and
    the same plan goes on from there. A report is always written at the end, however the run ends.

    Parameters
    ----------
    plan : Plan
        Files, results and settings.

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
    ExistingFileError
        If `settings.existing` is "refuse", and a result was changed since a batch made it.
    """
    with open_session(plan) as (session, outcomes):
        session = yield from with_store_ranges(plan, session)
        for index, item in enumerate(plan.items):
            yield Event(index, 0, 0)
            steps = process_file(item, session)
            outcomes[index] = yield from as_events(steps, index)
            yield Event(index, 1, 1, outcomes[index])
    return list(outcomes.values())


@contextmanager
def open_session(plan: Plan) -> Iterator[tuple[Session, dict[int, Outcome]]]:
    """Lock a plan's folder and write the plan there; write the report when the session ends.

    Parameters
    ----------
    plan : Plan
        Files, results and settings.

    Yields
    ------
    session : Session
        What is the same for all files.
    outcomes : dict of int to Outcome
        To be filled by the caller with the outcomes of the files, by their number.

    Raises
    ------
    FileError
        If the folder cannot be written to, or another run works in it.
    ExistingFileError
        If `settings.existing` is "refuse", and a result was changed since a batch made it.
    """
    outcomes: dict[int, Outcome] = {}
    with _lock_folder(plan.folder):
        _refuse_changed_results(plan)
        plan.write()
        fingerprint = plan.settings.fingerprint()
        prepare_stores(plan, fingerprint)
        folders = _make_folders(plan)
        try:
            yield Session(plan.folder, plan.settings, fingerprint), outcomes
        finally:
            for folder in folders:  # of workers that died
                remove_leftovers(folder)
            write_layouts(plan)
            write_report(plan, outcomes)


def with_store_ranges(plan: Plan, session: Session) -> Generator[Event, None, Session]:
    """Measure the value ranges of plates and series; return the session that knows them."""
    steps = measure_stores(plan)
    ranges = yield from convert_steps(steps, lambda index: Event(index, 0, 0))
    return replace(session, ranges=ranges)


def _refuse_changed_results(plan: Plan) -> None:
    """Raise an ExistingFileError for a result that was changed since, unless it may be replaced.

    Results are read for this, so it is done here, where viewers do not wait for it.
    """
    if plan.settings.existing != "refuse":
        return
    for item in plan.items:
        for path in item.results.values():
            change = find_change(path)
            if change is not None:
                raise change.refusal()


def _make_folders(plan: Plan) -> set[Path]:
    """Make and return the folders of the results, without what killed processes left in them.

    No folder is made later: one that vanishes during the run was unmounted or removed, and results
    in a new folder of its name would be lost. Where a folder cannot be made, its files fail.
    """
    folders = {plan.folder}
    results = [
        path
        for item in plan.items
        for path, whole in zip(item.results.values(), item.whole.results.values(), strict=True)
        if item.store is None or is_ours(whole)
    ]
    paths = [*results, *map(sidecar_path, results), *_stores_of(plan)]
    for folder, path in {path.parent: path for path in paths}.items():
        with suppress(OSError):
            check_inside(path, plan.folder)
            folder.mkdir(parents=True, exist_ok=True)
            folders.add(folder)
    for folder in folders:
        remove_leftovers(folder)
    return folders


def _stores_of(plan: Plan) -> list[Path]:
    return [path for item in plan.items for path in item.whole.results.values()]


def as_events(
    steps: Generator[Progress, None, Outcome], index: int
) -> Generator[Event, None, Outcome]:
    """Turn the progress on a file into events that name its number in the plan."""
    return (yield from convert_steps(steps, lambda step: Event(index, step.done, step.total)))


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, which the system releases when a process is killed.

    Raises
    ------
    FileError
        If another run holds it, or the folder cannot be made or written to.
    """
    path = folder / _LOCK_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise FileError(f"{path} is not the lock of a batch; move it away")
        with FileLock(path, timeout=0, thread_local=False):
            yield
    except Timeout:
        raise FileError(f"another run works in {folder}; wait for its end") from None
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{folder} cannot be written to: {reason(error)}") from error
