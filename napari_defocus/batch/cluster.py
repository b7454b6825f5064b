"""Runs of a plan on the workers of a dask cluster, file by file or tile by tile."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from logging import CRITICAL
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import dask.config
from dask.system import CPU_COUNT

from ..errors import OptionError
from ..inference.executor import TileExecutor, run_with_executor
from ..steps import run_to_end
from .item import Item
from .plan import Plan
from .process import Outcome, Session, process_file
from .run import Event, as_events, open_session, with_store_ranges

if TYPE_CHECKING:
    from distributed import Client, Future

#: Seconds between looks at the cluster; the work can be canceled at each.
_POLL_SECONDS = 0.5
#: Retries of a task that failed on a worker. Tasks of a dead worker are reassigned by dask itself.
_RETRIES = 2


@contextmanager
def connect(address: str | None, workers: int | None) -> Iterator[Client]:
    """Connect to a cluster, or start one on this machine.

    Parameters
    ----------
    address : str, optional
        Address of a dask scheduler, such as ``tcp://10.0.0.5:8786``. Its workers need this package,
        and must reach the files under the same names.
    workers : int, optional
        Number of worker processes to start on this machine instead.

    Yields
    ------
    distributed.Client

    Raises
    ------
    OptionError
        If both are given, the extra ``cluster`` is not installed, or no scheduler answers.
    """
    if address is not None and workers is not None:
        raise OptionError("cluster and workers are both given; they exclude each other")
    try:
        from distributed import Client
    except ImportError as error:
        raise OptionError(
            'a cluster needs the package distributed: pip install "napari-defocus[cluster]"'
        ) from error
    try:
        client = (
            Client(
                n_workers=workers,
                threads_per_worker=1,
                env=_share_of_cores(workers),
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # another run may have 8787
                set_as_default=False,  # dask arrays of the caller go on where they were
                silence_logs=CRITICAL,  # outcomes of the files say what went wrong
            )
            if address is None
            else Client(address, set_as_default=False)
        )
    except (OSError, ValueError) as error:
        raise OptionError(f"no dask scheduler answers at {address}: {error}") from error
    with client:
        yield client


def _share_of_cores(workers: int | None) -> dict[str, str]:
    """Return the environment variables by which workers on this machine share its cores."""
    if workers is None or "OMP_NUM_THREADS" in os.environ:
        return {}
    return {"OMP_NUM_THREADS": str(max(1, CPU_COUNT // workers))}


def run_on_cluster(plan: Plan, client: Client) -> Generator[Event, None, list[Outcome]]:
    """Carry out a plan on the workers of a cluster.

    Each worker gets whole files. Where there are fewer files than workers, the files are done one
    after the other, and the tiles of each are shared out. When a worker dies, another one does
    its work again.

    Parameters
    ----------
    plan : Plan
        Files, results and settings.
    client : distributed.Client
        Connection to the cluster.

    Yields
    ------
    Event
        When a file is finished, and a few times a second.

    Returns
    -------
    list of Outcome
        One a file.

    Raises
    ------
    FileError
        As for `run.run_plan`.
    """
    workers = len(client.nthreads())
    run = _run_by_tiles if len(plan.items) < workers else _run_by_files
    with open_session(plan) as (session, outcomes):
        session = yield from with_store_ranges(plan, session)
        yield from run(plan, client, session, outcomes)
    return [outcomes[index] for index in range(len(plan.items))]


def _run_by_tiles(
    plan: Plan, client: Client, session: Session, outcomes: dict[int, Outcome]
) -> Generator[Event, None, None]:
    dask_executor = client.get_executor(retries=_RETRIES, pure=False)
    executor = TileExecutor(dask_executor, 1 + sum(client.nthreads().values()))
    for index, item in enumerate(plan.items):
        yield Event(index, 0, 0)
        steps = as_events(process_file(item, session), index)
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"}):
            outcomes[index] = yield from run_with_executor(executor, steps)
        yield Event(index, 1, 1, outcomes[index])


def _run_by_files(
    plan: Plan, client: Client, session: Session, outcomes: dict[int, Outcome]
) -> Generator[Event, None, None]:
    pending = {
        client.submit(_process, item, session, pure=False, retries=_RETRIES): i
        for i, item in enumerate(plan.items)
    }
    done: SimpleQueue[Future] = SimpleQueue()
    for future in pending:
        future.add_done_callback(done.put)
    try:
        while pending:
            try:
                future = done.get(timeout=_POLL_SECONDS)
            except Empty:
                yield Event(next(iter(pending.values())), 0, 0)
                continue
            index = pending.pop(future)
            outcomes[index] = _outcome_of(plan.items[index], future)
            yield Event(index, 1, 1, outcomes[index])
    finally:
        client.cancel(list(pending))


def _process(item: Item, session: Session) -> Outcome:
    # a lazy image that is read on the worker would otherwise be computed by the cluster, which
    # gives this worker the next file meanwhile, and so on
    with dask.config.set(scheduler="synchronous"):
        return run_to_end(process_file(item, session))


def _outcome_of(item: Item, future: Future) -> Outcome:
    error = future.exception()
    if error is None:
        outcome: Outcome = future.result()
        return outcome
    return Outcome("failed", 0, message=f"{item.source}: the cluster gave up: {error}")
