"""Training of the learnable blur kernel: alternation, losses, and the kernels that result."""

from dataclasses import replace

import pytest
import torch

from napari_defocus.io.pupil_file import read_bank
from napari_defocus.models import find_model, load_network
from napari_defocus.optics.bank import SharedPupilBank
from training.data.rng import SampleRNG
from training.engine.fit import FitOptions, fit
from training.engine.training import TrainingProgress
from training.trainings.lbk import BANK_NAME, LbkOptions, LbkTraining

from .conftest import losses, samplers

SMALL = LbkOptions(max_radius=6)
PUBLISHED = replace(SMALL, alternation="published")


def make(file, options=SMALL, reference=None):
    torch.manual_seed(0)
    return LbkTraining(options, *samplers(file, views=True), reference)


@pytest.fixture(scope="module")
def trained(fabric, pool_file, tmp_path_factory):
    """Run in which the kernels take large steps, with its training and all states of its bank."""
    folder = tmp_path_factory.mktemp("lbk")
    banks = []

    class Recorded(LbkTraining):
        def schedule(self, progress):
            banks.append({k: v.clone() for k, v in self.bank.state_dict().items()})
            return super().schedule(progress)

    torch.manual_seed(0)
    training = Recorded(replace(SMALL, kernel_rate=1.0), *samplers(pool_file, views=True))
    assert fit(fabric, training, folder, FitOptions(steps=12, batch=2), {})
    return folder, training, banks


def test_the_published_alternation_follows_its_epochs(pool_file):
    training = make(pool_file, PUBLISHED)
    kernels = {*range(10, 15), *range(20, 25)}
    for epoch in range(31):
        expected = ["kernels"] if epoch in kernels else ["estimator"]
        assert training.schedule(TrainingProgress(7, (epoch + 0.5) / 31)) == expected


def test_interleaved_kernels_step_first_and_then_every_fourth_time(pool_file):
    training = make(pool_file)
    assert {training.schedule(TrainingProgress(step, 0.05))[0] for step in range(8)} == {"kernels"}
    later = [training.schedule(TrainingProgress(step, 0.5))[0] for step in range(40, 48)]
    assert later == ["kernels", *["estimator"] * 3] * 2


@pytest.mark.parametrize("lbk_options", [SMALL, PUBLISHED], ids=["interleaved", "published"])
@pytest.mark.parametrize("network", ["estimator", "kernels"])
def test_losses_do_not_depend_on_true_radii(pool_file, unlabeled_file, lbk_options, network):
    labeled, unlabeled = (make(file, lbk_options) for file in (pool_file, unlabeled_file))
    assert losses(labeled, network) == losses(unlabeled, network)


def test_true_radii_count_if_they_have_a_weight(pool_file, unlabeled_file):
    options = replace(SMALL, radius_weight=1.0)
    labeled, unlabeled = (
        losses(make(file, options), "estimator") for file in (pool_file, unlabeled_file)
    )
    unsupervised = losses(make(pool_file), "estimator")
    assert labeled["reblur"] == unlabeled["reblur"] == unsupervised["reblur"]
    assert labeled["radius"] > 0
    assert unlabeled["radius"] == 0
    assert labeled["total"] > unlabeled["total"]


def test_each_network_has_gradients_of_its_losses(pool_file):
    training = make(pool_file, PUBLISHED)
    progress = TrainingProgress(3, 0.5)
    for name, module in {"estimator": training.estimator, "kernels": training.bank}.items():
        training.estimator.requires_grad_(name == "estimator")
        training.bank.requires_grad_(name == "kernels")
        training.losses(name, SampleRNG.from_key(5, samples=range(2)), progress)["total"].backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())


def test_kernels_stay_non_negative_and_of_unit_sum(trained):
    _, training, banks = trained
    moved = banks[-1]["scores"] - banks[0]["scores"]
    assert moved.abs().max() > 0.5
    for state in banks:
        training.bank.load_state_dict(state)
        for in_front in (False, True):
            left, right = training.bank.views(in_front=in_front)
            assert left.min() >= 0
            torch.testing.assert_close(left.sum((1, 2)), torch.ones(7))
            assert torch.equal(right, left.flip(-1))


def test_the_files_of_a_run_open_in_the_plugin_and_the_renderer(trained):
    folder, *_ = trained
    card = find_model(folder / "dual-pixel.safetensors", "dual")
    assert load_network(card)(torch.rand(1, 8, 64, 64)).shape == (1, 2, 64, 64)
    bank = read_bank(folder / BANK_NAME)
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    average = SharedPupilBank(6)
    average.load_state_dict(state["players"]["kernels"]["average"])
    torch.testing.assert_close(bank.views(in_front=True)[0], average.views(in_front=True)[0])


def test_figures_compare_with_true_radii_and_kernels_where_there_are_any(pool_file, unlabeled_file):
    lens = SharedPupilBank(6).plain()
    training = make(pool_file, reference=lens)
    averages = {"estimator": training.estimator.eval(), "kernels": training.bank}
    with torch.no_grad():
        figures = training.validate(averages)
        unlabeled = make(unlabeled_file).validate(averages)
    assert figures["kernel_least"] == pytest.approx(1, abs=1e-4)
    assert figures["mae_textured"] > 0
    assert unlabeled == {"reblur_error": figures["reblur_error"]}
