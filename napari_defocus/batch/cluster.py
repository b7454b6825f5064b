"""A plan on the workers of a dask cluster, file by file or tile by tile."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import dask.config

from ..errors import OptionError
from ..inference.executor import TileExecutor, run_with_executor
from .plan import Item, Plan
from .run import Event, session, watched
from .settings import Settings
from .work import Outcome, work

if TYPE_CHECKING:
    from distributed import Client, Future

#: Seconds between looks at the cluster, at which the work can be cancelled.
_PATIENCE = 0.5
#: How often what failed on a worker is tried again. What a dead one left, dask gives to others.
_RETRIES = 2


@contextmanager
def connected(address: str | None, workers: int | None) -> Iterator[Client]:
    """Connect to a cluster, or start one on this machine.

    Parameters
    ----------
    address : str, optional
        Of a dask scheduler, such as ``tcp://10.0.0.5:8786``. Its workers need this package, and
        files under the same names.
    workers : int, optional
        How many processes to start here instead.

    Yields
    ------
    distributed.Client

    Raises
    ------
    OptionError
        If both are given, the extra ``cluster`` is not installed, or nobody answers.
    """
    if address is not None and workers is not None:
        raise OptionError("cluster and workers are both given; they exclude each other")
    try:
        from distributed import Client
    except ImportError as error:
        raise OptionError(
            "working on a cluster needs more: pip install 'napari-defocus[cluster]'"
        ) from error
    try:
        client = (
            Client(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # another run may have 8787
                set_as_default=False,  # dask arrays of the caller go on where they were
            )
            if address is None
            else Client(address, set_as_default=False)
        )
    except (OSError, ValueError) as error:
        raise OptionError(f"no dask scheduler answers at {address}: {error}") from error
    with client:
        yield client


def run_on_cluster(plan: Plan, client: Client) -> Generator[Event, None, list[Outcome]]:
    """Do what `run.run_plan` does on the workers of a cluster.

    Files are given to workers as a whole; where there are fewer of them than workers, tile by tile.
    What a worker leaves undone when it dies is done by another one.

    Parameters
    ----------
    plan : Plan
        What is to be done.
    client : distributed.Client
        Of the cluster.

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
        As `run.run_plan`.
    """
    workers = len(client.nthreads())
    by = _tile_by_tile if len(plan.items) < workers else _file_by_file
    with session(plan) as (fingerprint, outcomes):
        yield from by(plan, client, fingerprint, outcomes)
    return [outcomes[index] for index in range(len(plan.items))]


def _tile_by_tile(
    plan: Plan, client: Client, fingerprint: str, outcomes: dict[int, Outcome]
) -> Generator[Event, None, None]:
    executor = client.get_executor(retries=_RETRIES, pure=False)
    crew = TileExecutor(executor, 1 + sum(client.nthreads().values()))
    for index, item in enumerate(plan.items):
        yield Event(index, 0, 0)
        steps = watched(work(item, plan.settings, fingerprint), index)
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"}):
            outcomes[index] = yield from run_with_executor(crew, steps)
        yield Event(index, 1, 1, outcomes[index])


def _file_by_file(
    plan: Plan, client: Client, fingerprint: str, outcomes: dict[int, Outcome]
) -> Generator[Event, None, None]:
    waiting = {
        client.submit(_do, item, plan.settings, fingerprint, pure=False, retries=_RETRIES): index
        for index, item in enumerate(plan.items)
    }
    finished: SimpleQueue[Future] = SimpleQueue()
    for future in waiting:
        future.add_done_callback(finished.put)
    try:
        while waiting:
            try:
                future = finished.get(timeout=_PATIENCE)
            except Empty:
                yield Event(next(iter(waiting.values())), 0, 0)
                continue
            index = waiting.pop(future)
            outcomes[index] = _outcome(plan.items[index], future)
            yield Event(index, 1, 1, outcomes[index])
    finally:
        client.cancel(list(waiting))


def _do(item: Item, settings: Settings, fingerprint: str) -> Outcome:
    steps = work(item, settings, fingerprint)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome


def _outcome(item: Item, future: Future) -> Outcome:
    error = future.exception()
    if error is None:
        outcome: Outcome = future.result()
        return outcome
    return Outcome("failed", 0, message=f"{item.source}: the cluster gave up: {error}")
