"""Training learns, keeps to its time, and leaves weights the plugin loads."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from napari_defocus.models import find_model, load_network
from napari_defocus.networks import build
from training.deblurring import deblurring_loss, deblurring_validation
from training.estimators import estimator_loss, estimator_validation
from training.export import export
from training.fit import FitOptions, fit
from training.losses import confidence_loss, fourier_loss, radius_loss

SHORT = FitOptions(steps=30)


@pytest.mark.parametrize("dual", [False, True])
def test_an_estimator_learns(pool, tmp_path, dual):
    torch.manual_seed(0)
    network = build("dual-estimator" if dual else "single-estimator", {})
    validate = estimator_validation(pool, dual=dual)
    before = validate(network.eval())["mae"]
    average = fit(
        network, estimator_loss(pool, dual=dual, batch=4, crop=48), validate, tmp_path, SHORT
    )
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert log[-1]["mae"] < before
    saved = torch.load(tmp_path / "average.pt", weights_only=True)
    assert all(torch.equal(saved[key], value) for key, value in average.state_dict().items())


def test_the_generator_trains_and_is_exported(pool, tmp_path):
    estimator = build("single-estimator", {}).eval()
    fit(
        build("generator", {}),
        deblurring_loss(pool, estimator, batch=2, crop=48),
        deblurring_validation(pool, estimator),
        tmp_path,
        SHORT,
    )
    card = export(tmp_path, "photo-faithful", tmp_path, recipe={}, figures={})
    network = load_network(find_model(card.path, "deblur"))
    saved = torch.load(tmp_path / "average.pt", weights_only=True)
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, saved[key].half().float())


def test_a_radius_counts_less_where_it_is_large():
    near = radius_loss(torch.tensor([1.0]), torch.tensor([0.0]))
    far = radius_loss(torch.tensor([21.0]), torch.tensor([20.0]))
    assert far < near


def test_confidence_is_rewarded_for_being_right():
    radius, truth = torch.tensor([1.0, 5.0]), torch.tensor([1.2, 1.0])
    knowing = confidence_loss(torch.tensor([0.9, 0.1]), radius, truth)
    boasting = confidence_loss(torch.tensor([0.9, 0.9]), radius, truth)
    assert knowing < boasting


def test_fourier_loss_is_zero_only_for_equal_images():
    image = torch.rand(1, 3, 16, 16)
    assert fourier_loss(image, image) == 0
    assert fourier_loss(image, image.roll(1, -1)) > 0


def test_same_seed_same_first_steps(pool):
    def first_loss():
        torch.manual_seed(0)
        network: nn.Module = build("single-estimator", {})
        loss = estimator_loss(pool, dual=False, batch=2, crop=32)
        return loss(network, np.random.default_rng(0)).item()

    assert first_loss() == first_loss()
