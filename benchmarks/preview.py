"""Seconds until the live preview of 512 x 512 pixels answers, coarse and fine, and by amount.

``python benchmarks/preview.py`` runs the preview's jobs one after another, as the Deblur widget
does. Ratios can be compared between machines; seconds cannot.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from napari.layers import Image
from PIL import Image as Picture

import napari_defocus
from napari_defocus import Options
from napari_defocus.steps import run_to_end
from napari_defocus.viewer.deblurring.deblur_job import DeblurLayerJob
from napari_defocus.viewer.deblurring.preview_job import PreviewJob
from napari_defocus.viewer.deblurring.preview_size import coarseness
from napari_defocus.viewer.layers.image_source import image_source
from napari_defocus.viewer.layers.regions import whole_layer

SIDE = 512
PHOTO = Path(napari_defocus.__file__).parent / "samples" / "canyon-wren.jpg"
_REPEATS = 3

T = TypeVar("T")


def main() -> None:
    job = fine_job()
    run_to_end(replace(job, coarseness=8).steps())  # loads the networks
    print(f"{SIDE} x {SIDE}, fastest of {_REPEATS}: first answer, fine answer, ratio")
    for what, seconds in (("without a map", without_map(job)), ("with its map", with_map(job))):
        coarse, fine = (min(each) for each in zip(*seconds, strict=True))
        print(f"{what}: {coarse:.2f} s, {fine:.2f} s, x{coarse / fine:.2f}")
    mixture = run_to_end(replace(job, coarseness=8).steps()).mixture
    blends = [timed(lambda: run_to_end(mixture.steps(0.5)))[0] for _ in range(_REPEATS)]
    print(f"another amount: {1000 * min(blends):.0f} ms")


def fine_job() -> PreviewJob:
    """Return the job for a part of a photograph that holds the blurred and the sharp."""
    with Picture.open(PHOTO) as photo:
        pixels = np.asarray(photo)[300 : 300 + SIDE, 400 : 400 + SIDE]
    layer = Image(pixels, rgb=True)
    return PreviewJob(DeblurLayerJob(image_source(layer), Options()), whole_layer(layer))


def without_map(job: PreviewJob) -> Iterator[tuple[float, float]]:
    """Time both answers where the map is estimated for each of them."""
    factor = coarseness(job.inner.shape, job.step)
    for _ in range(_REPEATS):
        coarse, result = timed(lambda: run_to_end(replace(job, coarseness=factor).steps()))
        cache = result.cache
        fine, _ = timed(lambda c=cache: run_to_end(replace(job, cache=c).steps()))  # type: ignore[misc]
        yield coarse, coarse + fine


def with_map(job: PreviewJob) -> Iterator[tuple[float, float]]:
    """Time both answers after a change of settings, which needs no other map."""
    factor = coarseness(job.inner.shape, job.step)
    warm = replace(job, cache=run_to_end(job.steps()).cache)
    for _ in range(_REPEATS):
        coarse, _ = timed(lambda: run_to_end(replace(warm, coarseness=factor).steps()))
        fine, _ = timed(lambda: run_to_end(warm.steps()))
        yield coarse, coarse + fine


def timed(call: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
