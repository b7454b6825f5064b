"""Training of estimators on rendered radii, or on those of a teacher."""

import pytest
import torch

from training.data.rng import SampleRNG
from training.engine.training import TrainingProgress
from training.trainings.estimators import EstimatorOptions, EstimatorTraining

from .conftest import losses, samplers


def make(file, *, dual, teacher=None, **sampling):
    torch.manual_seed(0)
    views = dual or teacher is not None
    sampler, held_out = samplers(file, views=views, **sampling)
    return EstimatorTraining(EstimatorOptions(), sampler, held_out, dual=dual, teacher=teacher)


@pytest.mark.parametrize("dual", [False, True])
def test_radii_of_a_teacher_replace_the_rendered_ones(pool_file, unlabeled_file, estimators, dual):
    teacher = estimators["dual"]
    taught, unlabeled = (make(f, dual=dual, teacher=teacher) for f in (pool_file, unlabeled_file))
    assert losses(taught, "estimator") == losses(unlabeled, "estimator")
    assert losses(taught, "estimator") != losses(make(pool_file, dual=dual), "estimator")
    averages = {"estimator": taught.network.eval()}
    with torch.no_grad():
        assert taught.validate(averages) == unlabeled.validate(averages)


def test_the_teacher_itself_has_little_to_learn(pool_file, estimators):
    taught = make(pool_file, dual=True, teacher=estimators["dual"])
    untrained = losses(taught, "estimator")["radius"]
    taught.network = estimators["dual"]
    assert losses(taught, "estimator")["radius"] < 0.3 * untrained


def test_one_image_teaches_the_radius_of_all_blur(pool_file, estimators):
    photos = samplers(pool_file, views=True)[0](SampleRNG.from_key(5, samples=range(2)))
    single, _ = make(pool_file, dual=False)._truth(photos)
    both, _ = make(pool_file, dual=True)._truth(photos)
    assert both.min() < 0 < both.max()
    assert torch.equal(both, photos.radius)
    assert torch.equal(single, photos.blur)


@pytest.mark.parametrize("dual", [False, True])
def test_all_parameters_have_a_gradient(pool_file, dual):
    training = make(pool_file, dual=dual)
    training.losses("estimator", SampleRNG.from_key(5, samples=range(2)), TrainingProgress(0, 0))[
        "total"
    ].backward()
    assert all(p.grad.isfinite().all() for p in training.network.parameters())


def test_the_shipped_estimator_has_better_figures_than_an_untrained_one(pool_file, estimators):
    training = make(
        pool_file, dual=False, count=16, enlarged_share=0.5
    )  # small radii and large ones
    with torch.no_grad():
        untrained = training.validate({"estimator": training.network.eval()})
        figures = training.validate({"estimator": estimators["single"]})
    assert figures["within"] > untrained["within"]
    assert figures["mae_sure"] < figures["mae"] < figures["mae_unsure"]
