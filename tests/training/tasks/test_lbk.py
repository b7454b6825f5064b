"""The learnable blur kernel: no radius is looked at, and the kernels stay kernels."""

from dataclasses import replace

import pytest
import torch

from napari_defocus.models import find_model, load_network
from napari_defocus.optics.bank import SharedPupilBank
from training.data.lenses import read_bank
from training.data.rng import SampleRNG
from training.engine.fit import FitOptions, fit
from training.engine.task import TrainingProgress
from training.tasks.lbk import BANK_NAME, LbkOptions, LbkTask

from .conftest import cameras, terms

SMALL = LbkOptions(max_radius=6)
PUBLISHED = replace(SMALL, alternation="published")


def made(file, options=SMALL, planted=None):
    torch.manual_seed(0)
    return LbkTask(options, *cameras(file, views=True), planted)


@pytest.fixture(scope="module")
def trained(fabric, pool_file, tmp_path_factory):
    """A run in which the kernels take large steps, and the states of its bank on the way."""
    folder = tmp_path_factory.mktemp("lbk")
    banks = []

    class Watched(LbkTask):
        def schedule(self, progress):
            banks.append({k: v.clone() for k, v in self.bank.state_dict().items()})
            return super().schedule(progress)

    torch.manual_seed(0)
    task = Watched(replace(SMALL, kernel_rate=1.0), *cameras(pool_file, views=True))
    assert fit(fabric, task, folder, FitOptions(steps=12, batch=2), {})
    return folder, task, banks


def test_turns_follow_the_published_epochs(pool_file):
    task = made(pool_file, PUBLISHED)
    kernels = {*range(10, 15), *range(20, 25)}
    for epoch in range(31):
        expected = ["kernels"] if epoch in kernels else ["estimator"]
        assert task.schedule(TrainingProgress(7, (epoch + 0.5) / 31)) == expected


def test_interleaved_the_kernels_begin_and_then_step_every_fourth_time(pool_file):
    task = made(pool_file)
    assert {task.schedule(TrainingProgress(step, 0.05))[0] for step in range(8)} == {"kernels"}
    later = [task.schedule(TrainingProgress(step, 0.5))[0] for step in range(40, 48)]
    assert later == ["kernels", *["estimator"] * 3] * 2


@pytest.mark.parametrize("how", [SMALL, PUBLISHED], ids=["interleaved", "published"])
@pytest.mark.parametrize("turn", ["estimator", "kernels"])
def test_learning_looks_at_no_radius(pool_file, unlabeled_file, how, turn):
    known, unknown = (made(file, how) for file in (pool_file, unlabeled_file))
    assert terms(known, turn) == terms(unknown, turn)


def test_rendered_radii_may_be_shown_beside_the_reblurring(pool_file, unlabeled_file):
    told = replace(SMALL, radius_weight=1.0)
    known, unknown = (terms(made(file, told), "estimator") for file in (pool_file, unlabeled_file))
    assert known["reblur"] == unknown["reblur"] == terms(made(pool_file), "estimator")["reblur"]
    assert known["radius"] > 0
    assert unknown["radius"] == 0
    assert known["total"] > unknown["total"]


def test_a_turn_teaches_its_player(pool_file):
    task = made(pool_file, PUBLISHED)
    progress = TrainingProgress(3, 0.5)
    for turn, module in {"estimator": task.estimator, "kernels": task.bank}.items():
        task.estimator.requires_grad_(turn == "estimator")
        task.bank.requires_grad_(turn == "kernels")
        task.losses(turn, SampleRNG.from_key(5, samples=range(2)), progress)["total"].backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())


def test_kernels_stay_non_negative_and_of_unit_sum_while_they_are_trained(trained):
    _, task, banks = trained
    moved = banks[-1]["scores"] - banks[0]["scores"]
    assert moved.abs().max() > 0.5
    for state in banks:
        task.bank.load_state_dict(state)
        for in_front in (False, True):
            left, right = task.bank.views(in_front=in_front)
            assert left.min() >= 0
            torch.testing.assert_close(left.sum((1, 2)), torch.ones(7))
            assert torch.equal(right, left.flip(-1))


def test_what_a_run_leaves_opens_with_the_plugin_and_the_renderer(trained):
    folder, *_ = trained
    card = find_model(folder / "dual-pixel.safetensors", "dual")
    assert load_network(card)(torch.rand(1, 8, 64, 64)).shape == (1, 2, 64, 64)
    bank = read_bank(folder / BANK_NAME)
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    own = SharedPupilBank(6)
    own.load_state_dict(state["players"]["kernels"]["average"])
    torch.testing.assert_close(bank.views(in_front=True)[0], own.views(in_front=True)[0])


def test_figures_compare_with_radii_and_a_planted_lens_where_they_are_known(
    pool_file, unlabeled_file
):
    lens = SharedPupilBank(6).plain()
    known = made(pool_file, planted=lens)
    averages = {"estimator": known.estimator.eval(), "kernels": known.bank}
    with torch.no_grad():
        figures = known.validate(averages)
        without = made(unlabeled_file).validate(averages)
    assert figures["kernel_least"] == pytest.approx(1, abs=1e-4)
    assert figures["mae_textured"] > 0
    assert without == {"reblur_error": figures["reblur_error"]}
