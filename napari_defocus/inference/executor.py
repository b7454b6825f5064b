"""Executors whose workers compute tiles, such as those of a cluster."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Executor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

StepT = TypeVar("StepT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class TileExecutor:
    """Executor whose workers compute tiles.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        Executor; its workers have this package installed.
    size : int
        Number of tiles that are submitted at a time.
    """

    executor: Executor
    size: int


_CURRENT: ContextVar[TileExecutor | None] = ContextVar("executor", default=None)


def current_executor() -> TileExecutor | None:
    """Return the executor that computes the tiles of the running step; None without one."""
    return _CURRENT.get()


def run_with_executor(
    executor: TileExecutor, steps: Generator[StepT, None, ResultT]
) -> Generator[StepT, None, ResultT]:
    """Run the steps of a job while an executor computes their tiles.

    Only these steps use the executor: code that runs between them is not affected.

    Parameters
    ----------
    executor : TileExecutor
        Executor that computes the tiles.
    steps : generator
        Steps of a job.

    Yields
    ------
    object
        Values that `steps` yields.

    Returns
    -------
    object
        Result of `steps`.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import numpy as np
    >>> from napari_defocus import EstimateJob, Views
    >>> image = np.random.default_rng(0).random((64, 48), np.float32)
    >>> steps = EstimateJob(Views(image)).steps()
    >>> with ThreadPoolExecutor(2) as threads:
    ...     for step in run_with_executor(TileExecutor(threads, 2), steps):
    ...         pass
    """
    try:
        while True:
            token = _CURRENT.set(executor)
            try:
                step = next(steps)
            except StopIteration as stop:
                result: ResultT = stop.value
                return result
            finally:
                _CURRENT.reset(token)
            yield step
    finally:
        steps.close()
