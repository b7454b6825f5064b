"""Estimators learn rendered radii, or what a teacher finds without them."""

import pytest
import torch

from training.data.rng import SampleRNG
from training.engine.task import TrainingProgress
from training.tasks.estimators import EstimatorOptions, EstimatorTask

from .conftest import cameras, terms


def made(file, *, dual, teacher=None, **seen):
    torch.manual_seed(0)
    views = dual or teacher is not None
    draw, held_out = cameras(file, views=views, **seen)
    return EstimatorTask(EstimatorOptions(), draw, held_out, dual=dual, teacher=teacher)


@pytest.mark.parametrize("dual", [False, True])
def test_a_teacher_stands_in_for_the_rendered_radii(pool_file, unlabeled_file, estimators, dual):
    teacher = estimators["dual"]
    taught, untold = (made(f, dual=dual, teacher=teacher) for f in (pool_file, unlabeled_file))
    assert terms(taught, "estimator") == terms(untold, "estimator")
    assert terms(taught, "estimator") != terms(made(pool_file, dual=dual), "estimator")
    averages = {"estimator": taught.network.eval()}
    with torch.no_grad():
        assert taught.validate(averages) == untold.validate(averages)


def test_the_teacher_itself_has_little_to_learn(pool_file, estimators):
    taught = made(pool_file, dual=True, teacher=estimators["dual"])
    untrained = terms(taught, "estimator")["radius"]
    taught.network = estimators["dual"]
    assert terms(taught, "estimator")["radius"] < 0.3 * untrained


def test_one_image_is_taught_the_size_of_all_blur(pool_file, estimators):
    photos = cameras(pool_file, views=True)[0](SampleRNG.from_key(5, samples=range(2)))
    single, _ = made(pool_file, dual=False)._truth(photos)
    both, _ = made(pool_file, dual=True)._truth(photos)
    assert both.min() < 0 < both.max()
    assert torch.equal(both, photos.radius)
    assert torch.equal(single, photos.blur)


@pytest.mark.parametrize("dual", [False, True])
def test_all_of_the_network_learns(pool_file, dual):
    task = made(pool_file, dual=dual)
    task.losses("estimator", SampleRNG.from_key(5, samples=range(2)), TrainingProgress(0, 0))[
        "total"
    ].backward()
    assert all(p.grad.isfinite().all() for p in task.network.parameters())


def test_figures_are_those_of_the_shipped_estimator(pool_file, estimators):
    task = made(pool_file, dual=False, count=16, enlarged_share=0.5)  # small radii and large ones
    with torch.no_grad():
        untrained = task.validate({"estimator": task.network.eval()})
        figures = task.validate({"estimator": estimators["single"]})
    assert figures["within"] > untrained["within"]
    assert figures["mae_sure"] < figures["mae"] < figures["mae_unsure"]
