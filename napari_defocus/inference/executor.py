"""Tiles that others compute: the workers of an executor, such as a cluster's."""

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
    """Workers that tiles are given to.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        Its workers have this package installed, and take functions and arrays.
    size : int
        How many tiles are given away at a time.
    """

    executor: Executor
    size: int


_AT_WORK: ContextVar[TileExecutor | None] = ContextVar("crew", default=None)


def current_executor() -> TileExecutor | None:
    """Return the crew that the present step's tiles are for, if there is one."""
    return _AT_WORK.get()


def run_with_executor(
    crew: TileExecutor, steps: Generator[StepT, None, ResultT]
) -> Generator[StepT, None, ResultT]:
    """Take steps whose tiles a crew computes; between them, nothing is different.

    Parameters
    ----------
    crew : TileExecutor
        Who computes.
    steps : generator
        Steps of a job, or what is made of them.

    Yields
    ------
    object
        What `steps` yields.

    Returns
    -------
    object
        What `steps` returns.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import numpy as np
    >>> from napari_defocus import EstimateJob, Views
    >>> image = np.random.default_rng(0).random((64, 48), np.float32)
    >>> steps = EstimateJob(Views(image)).steps()
    >>> with ThreadPoolExecutor(2) as executor:
    ...     for step in run_with_executor(TileExecutor(executor, 2), steps):
    ...         pass
    """
    try:
        while True:
            token = _AT_WORK.set(crew)
            try:
                step = next(steps)
            except StopIteration as stop:
                result: ResultT = stop.value
                return result
            finally:
                _AT_WORK.reset(token)
            yield step
    finally:
        steps.close()
