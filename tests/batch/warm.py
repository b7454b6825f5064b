"""Script that runs batches in processes forked from a warm one, so that many kills cost little.

Every line of its input is a list of jobs in JSON, which run beside each other; every line of its
output is the list of the exit statuses of their processes: 0, or -9 if one was killed.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import imagecodecs
import tifffile
import torch
from PIL import Image

from napari_defocus.batch.cluster import connect, run_on_cluster
from napari_defocus.batch.plan import Plan, make_plan
from napari_defocus.batch.run import Event, run_plan
from napari_defocus.batch.settings import Settings
from napari_defocus.io import jpeg, png, tiff_read, tiff_write
from napari_defocus.networks import build

LOADED = (Image, build, imagecodecs, jpeg, png, tiff_read, tiff_write, tifffile)
TOUCHES = ("open", "os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir")


class KillSwitch:
    """Kills this process at one of its touches of a folder, once it is armed."""

    def __init__(self, folder: str, touches: int | None) -> None:
        self.folder, self.touches = folder, touches
        self.armed = False
        sys.addaudithook(self._count)

    def _count(self, event: str, about: tuple[Any, ...]) -> None:
        if not self.armed or self.touches is None or event not in TOUCHES:
            return
        if str(about[0]).startswith(self.folder):
            self.touches -= 1
            if self.touches < 0:
                os.kill(os.getpid(), signal.SIGKILL)


def run(
    inputs: Sequence[str],
    out: str,
    settings: dict[str, Any],
    files: int = 0,
    touches: int | None = None,
    workers: int | None = None,
) -> None:
    """Run a batch, to be killed `touches` touches of its results after `files` files were done.

    With workers it is killed after so many events instead.
    """
    plan = make_plan(inputs, out, Settings.from_json(settings))
    switch = KillSwitch(out, None if workers else touches)
    switch.armed = not files
    done = 0
    for count, event in enumerate(events(plan, workers)):
        done += event.outcome is not None and event.outcome.state == "done"
        switch.armed = switch.armed or done >= files
        if workers and count == touches:
            os.kill(os.getpid(), signal.SIGKILL)


def events(plan: Plan, workers: int | None) -> Iterator[Event]:
    """Run a plan in this process, or on workers of its own."""
    if workers is None:
        yield from run_plan(plan)
        return
    with connect(None, workers) as client:
        yield from run_on_cluster(plan, client)


def main() -> None:
    torch.set_num_threads(1)
    for line in sys.stdin:
        children = [start(job) for job in json.loads(line)]
        statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        print(json.dumps(statuses), flush=True)


def start(job: dict[str, Any]) -> int:
    """Start a job in a process forked from this one; return its number."""
    child = os.fork()
    if child == 0:
        run(**job)
        os._exit(0)
    return child


if __name__ == "__main__":
    main()
