"""Time and memory of calls, each in a process of its own, so that nothing is warm or left over."""

import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measure:
    """Median seconds of the calls, peak of the process in megabytes, and the last result."""

    seconds: float
    megabytes: float
    value: Any


def measure(call: Callable[..., Any], *arguments: Any, repeats: int = 3) -> Measure:
    """Run ``call(*arguments)`` in a new process, `repeats` times after one to warm up.

    Returns
    -------
    Measure
        Its value is what the last call returned.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (call, arguments, repeats))


def _measure(call: Callable[..., Any], arguments: tuple[Any, ...], repeats: int) -> Measure:
    call(*arguments)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        value = call(*arguments)
        seconds.append(time.perf_counter() - start)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return Measure(statistics.median(seconds), peak, value)
