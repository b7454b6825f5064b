"""Speed beside busy programs, with threads that spin shortly and always while they wait.

``python benchmarks/busy.py [PROGRAMS]`` starts that many programs of one thread each, by default
three. The map of a photograph, and its map and sharper picture, are computed alone and beside them.
Every measurement is taken in turn with the others, three times; medians are printed.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from measure import measure
from napari_defocus.torch_threads import AS_IS, SWITCH
from speed import map_and_deblur_photo, map_photo

_ROUNDS = 3
_POLICIES = {"spin shortly": {}, "always spin": {SWITCH: AS_IS}}


def main() -> None:
    programs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for name, call in {"map": map_photo, "map and deblur": map_and_deblur_photo}.items():
        report(name, call, programs)


def report(name: str, call: Callable[[], Any], programs: int) -> None:
    """Print the times of a call alone and beside busy programs."""
    cases = [(policy, count) for policy in _POLICIES for count in (0, programs)]
    seconds: dict[tuple[str, int], list[float]] = {case: [] for case in cases}
    for _ in range(_ROUNDS):
        for policy, count in cases:
            with busy_programs(count), threads_that(policy):
                seconds[policy, count].append(measure(call, repeats=1).seconds)
    medians = {case: statistics.median(times) for case, times in seconds.items()}
    for policy in _POLICIES:
        alone, beside = medians[policy, 0], medians[policy, programs]
        print(
            f"{name}, waiting threads that {policy}: {alone:.2f} s alone, {beside:.2f} s beside "
            f"{programs} busy programs, time x{beside / alone:.2f}"
        )
    print(f"{name}, shortly to always, alone: time x{_ratio(seconds):.3f}")


def _ratio(seconds: dict[tuple[str, int], list[float]]) -> float:
    pairs = zip(*(seconds[policy, 0] for policy in _POLICIES), strict=True)
    return statistics.median(shortly / always for shortly, always in pairs)


@contextmanager
def busy_programs(count: int) -> Iterator[None]:
    """Keep programs of one thread busy while the block runs."""
    command = [sys.executable, "-c", "while True: pass"]
    programs = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


@contextmanager
def threads_that(policy: str) -> Iterator[None]:
    """Set the environment in which processes are started meanwhile."""
    before = dict(os.environ)
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        os.environ.pop(name, None)
    os.environ.update(_POLICIES[policy])
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    main()
