"""Photographs of a small pool, with and without their radii, and the shipped estimators."""

from functools import partial

import numpy as np
import pytest

from napari_defocus.models import find_model, load_network
from training.data.pool import Pool
from training.data.rng import SampleRNG
from training.data.sensor import SensorOptions, photograph
from training.engine.training import TrainingProgress
from training.trainings.samplers import FixedSceneBatches, SceneSampler

CROP = 48


@pytest.fixture(scope="session")
def unlabeled_file(pool_file, tmp_path_factory):
    """Pool of the same scenes whose radii are NaN."""
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


def samplers(file, *, views, crop=CROP, count=4, enlarged_share=0.0):
    """Return a sampler of random crops, and fixed photographs for validation.

    Without `enlarged_share`, photographs keep their size, so that tests know their radii.
    """
    pool = Pool(file)
    expose = partial(photograph, options=SensorOptions(enlarged_share=enlarged_share), views=views)
    return SceneSampler(pool, crop, expose), FixedSceneBatches(pool, expose, count=count)


def losses(training, network, *, spent=0.5, step=3, samples=2):
    """Return losses as numbers, of the same samples every time."""
    rng, progress = SampleRNG.from_key(5, samples=range(samples)), TrainingProgress(step, spent)
    return {key: value.item() for key, value in training.losses(network, rng, progress).items()}
