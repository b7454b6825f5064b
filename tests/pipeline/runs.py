"""Runs of pipeline stages in memory or on disk, and their progress."""

import numpy as np

from napari_defocus.inference.storage import MemoryStorage
from napari_defocus.options import Options
from napari_defocus.pipeline.levels import ImageLevels
from napari_defocus.pipeline.plane import PlaneRun
from napari_defocus.pipeline.progress import ProgressMeter


def plane_run(downscale="auto", expected=1, storage=None):
    options = Options(device="cpu", downscale=downscale)
    return PlaneRun(options, ProgressMeter(expected), storage or MemoryStorage())


def levels_of(image, run):
    return ImageLevels(image, run.storage)


def drain_steps(steps):
    """Return the result as one array, and every progress."""
    progress = []
    while True:
        try:
            progress.append(next(steps))
        except StopIteration as stop:
            return (None if stop.value is None else np.asarray(stop.value[:, :, :])), progress
