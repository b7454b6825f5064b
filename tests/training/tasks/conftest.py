"""Photographs of a small pool, with and without their radii, and the shipped estimators."""

from functools import partial

import numpy as np
import pytest

from napari_defocus.models import find_model, load_network
from training.data.pool import Pool
from training.data.rng import SampleRNG
from training.data.sensor import SensorOptions, photograph
from training.engine.task import TrainingProgress
from training.tasks.samplers import FixedSceneBatches, SceneSampler

CROP = 48


@pytest.fixture(scope="session")
def unlabeled_file(pool_file, tmp_path_factory):
    """The same scenes, their radii not a number."""
    scenes = np.load(pool_file)
    scenes["pictures"][:, 9] = np.nan
    path = tmp_path_factory.mktemp("unlabeled") / "scenes.npy"
    np.save(path, scenes)
    return path


@pytest.fixture(scope="session")
def estimators():
    return {
        task: load_network(find_model(name, task))
        for task, name in {"single": "single", "dual": "dual-pixel"}.items()
    }


def cameras(file, *, views, crop=CROP, count=4, enlarged_share=0.0):
    """What a task takes to look at: random crops, and some fixed photographs.

    Pictures are enlarged as far as their radii allow, on which hardly anything here may depend.
    """
    pool = Pool(file)
    expose = partial(photograph, options=SensorOptions(enlarged_share=enlarged_share), views=views)
    return SceneSampler(pool, crop, expose), FixedSceneBatches(pool, expose, count=count)


def terms(task, turn, *, spent=0.5, step=3, samples=2):
    """Loss terms as numbers, of the same samples every time."""
    rng = SampleRNG.from_key(5, samples=range(samples))
    return {k: v.item() for k, v in task.losses(turn, rng, TrainingProgress(step, spent)).items()}
