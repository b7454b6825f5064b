"""Overhead of a batch over the computation, and gain by workers: ``make bench``.

Only the ratios can be compared between machines, and only those of one run.
"""

import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

import napari_defocus
from measure import measure

PHOTO = Path(napari_defocus.__file__).parent / "samples" / "canyon-wren.jpg"
FILES = 12
SIDE = 256


def main() -> None:
    alone = measure(processor_seconds, compute, repeats=1).value
    batch = measure(processor_seconds, run_here, repeats=1).value
    print(
        f"{FILES} files of {SIDE}x{SIDE}, one core: {alone:.2f} s alone, {batch:.2f} s as a batch"
    )
    print(f"  time of the batch, as a multiple of the images alone: {batch / alone:.2f}")
    seconds = {workers: run_on(workers) for workers in (1, 2)}
    print(f"  speed of 2 workers, as a multiple of 1: {seconds[1] / seconds[2]:.2f}")


def processor_seconds(work: Callable[[], None]) -> float:
    """Return the seconds of one core that some work takes, whatever else the machine does."""
    import torch

    torch.set_num_threads(1)
    start = time.process_time()
    work()
    return time.process_time() - start


def compute() -> None:
    """Map and deblur the pictures, which are in memory."""
    from napari_defocus.io import read_picture

    with photographs() as folder:
        pictures = [read_picture(path).data for path in sorted(folder.iterdir())]
    for image in pictures:
        defocus = napari_defocus.estimate_defocus(image, channel_axis=-1)
        napari_defocus.deblur(image, defocus, channel_axis=-1)


def run_here() -> None:
    """Do the same to files, as a batch: read, check, write, report."""
    from napari_defocus.batch.run import run_plan

    with photographs() as folder, tempfile.TemporaryDirectory() as out:
        drain(run_plan(make_batch_plan(folder, out)))


def run_on(workers: int) -> float:
    """Return the seconds of the second of two batches; in the first, workers load the networks."""
    from napari_defocus.batch.cluster import connect, run_on_cluster

    with connect(None, workers) as client, photographs() as folder:
        for _ in range(2):
            with tempfile.TemporaryDirectory() as out:
                start = time.perf_counter()
                drain(run_on_cluster(make_batch_plan(folder, out), client))
                seconds = time.perf_counter() - start
    return seconds


@contextmanager
def photographs() -> Iterator[Path]:
    """Cut the sample photograph into the pictures of a folder."""
    with tempfile.TemporaryDirectory() as folder, Image.open(PHOTO) as photo:
        for number in range(FILES):
            left, top = number % 4 * 40, number // 4 * 40
            part = photo.crop((left, top, left + SIDE, top + SIDE))
            part.save(Path(folder) / f"{number}.png")
        yield Path(folder)


def make_batch_plan(folder: Path, out: str) -> Any:
    from napari_defocus.batch.plan import make_plan
    from napari_defocus.batch.settings import Settings

    return make_plan([folder], out, Settings())


def drain(events: Generator[Any, None, Any]) -> None:
    """Run to the end, and check that every file was done."""
    states = {event.outcome.state for event in events if event.outcome is not None}
    if states != {"done"}:
        raise SystemExit(f"some files were not done: {states}")


if __name__ == "__main__":
    main()
