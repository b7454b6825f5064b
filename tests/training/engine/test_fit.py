"""Training loop: learning, budget, reproducibility, and weights for the plugin."""

import itertools
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.models import find_model, load_network
from training.engine import fit as engine
from training.engine.fit import FitOptions, fit
from training.engine.training import half_cosine
from training.errors import TrainingError
from training.trainings.estimators import EstimatorTraining

from .conftest import assert_same, records, weights


class NotFinite(EstimatorTraining):
    """Training whose loss is not finite at one step."""

    def losses(self, name, rng, progress):
        terms = super().losses(name, rng, progress)
        return {k: v * torch.inf if progress.step == 1 else v for k, v in terms.items()}


def options(**changes):
    return FitOptions(**{"steps": 4, "batch": 2, "report_seconds": 0} | changes)


def contents(folder):
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def clock():
    """Clock that advances by a second each time it is read."""
    with pytest.MonkeyPatch.context() as patch:
        seconds = itertools.count()
        patch.setattr(engine, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
        yield


def learning(**changes):
    """Options of a run that is long enough to learn, and reports every tenth tick."""
    return options(steps=30, batch=4, report_seconds=10, **changes)


def assert_learns(run):
    first, *_, last = records(run)
    assert last["mae"] < first["mae"]


def test_an_estimator_learns_and_opens_in_the_plugin(fabric, make_training, tmp_path, clock):
    assert fit(fabric, make_training(), tmp_path, learning(), {"recipe of": "a test"})
    assert_learns(tmp_path)
    card = find_model(tmp_path / "single.safetensors", "single")
    assert card.recipe["recipe of"] == "a test"
    assert card.figures["mae"] == records(tmp_path)[-1]["mae"]
    average = weights(tmp_path, "average")
    for name, value in load_network(card).state_dict().items():
        torch.testing.assert_close(value, average[f"estimator.{name}"].half().float())


def test_the_seed_decides_the_weights(fabric, make_training, tmp_path):
    for name, seed in {"a": 0, "b": 0, "c": 1}.items():
        fit(fabric, make_training(), tmp_path / name, options(seed=seed), {})
    assert_same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert records(tmp_path / "a") == records(tmp_path / "b")
    assert records(tmp_path / "c") != records(tmp_path / "a")


@pytest.mark.slow  # that such runs are reproducible, below, is its sample
def test_an_estimator_learns_from_batches_drawn_from_one_stream(
    fabric, make_training, tmp_path, clock
):
    fit(fabric, make_training(), tmp_path, learning(draws="batch"), {})
    assert_learns(tmp_path)


def test_batches_drawn_from_one_stream_are_reproducible(fabric, make_training, tmp_path):
    for name in ("a", "b"):
        fit(fabric, make_training(), tmp_path / name, options(draws="batch"), {})
    assert_same(weights(tmp_path / "a"), weights(tmp_path / "b"))


def test_a_run_of_steps_that_minutes_ended_continues_to_the_same_end(
    fabric, make_training, tmp_path, clock
):
    assert fit(fabric, make_training(), tmp_path / "whole", options(), {})
    assert not fit(fabric, make_training(), tmp_path / "part", options(minutes=2 / 60), {})
    assert 0 < records(tmp_path / "part")[-1]["step"] < 4
    assert fit(fabric, make_training(), tmp_path / "part", options(), {})
    assert_same(weights(tmp_path / "part"), weights(tmp_path / "whole"))
    assert records(tmp_path / "part") == records(tmp_path / "whole")


def test_without_steps_the_minutes_are_the_budget(fabric, make_training, tmp_path, clock):
    assert fit(fabric, make_training(), tmp_path, options(steps=None, minutes=5 / 60), {})
    assert len(records(tmp_path)) in (4, 5)


def test_a_finished_run_is_not_changed(fabric, make_training, tmp_path):
    assert fit(fabric, make_training(), tmp_path, options(), {})
    before = contents(tmp_path)
    assert fit(fabric, make_training(), tmp_path, options(), {})
    assert contents(tmp_path) == before


def test_the_last_report_is_written_when_the_run_is_started_again(fabric, make_training, tmp_path):
    fit(fabric, make_training(), tmp_path, options(), {})
    whole = records(tmp_path)
    log = tmp_path / "log.jsonl"
    lines = log.read_text().splitlines()
    log.write_text("\n".join([*lines[:-1], lines[-1][:40]]))
    (tmp_path / "single.safetensors").unlink()
    assert fit(fabric, make_training(), tmp_path, options(), {})
    assert records(tmp_path) == whole
    load_network(find_model(tmp_path / "single.safetensors", "single"))


def test_a_step_that_is_not_finite_is_skipped_and_counted(fabric, make_training, tmp_path):
    fit(fabric, make_training(NotFinite), tmp_path, options(), {})
    assert all(value.isfinite().all() for value in weights(tmp_path).values())
    first, second, *_, last = records(tmp_path)
    assert last["estimator/skipped"] == 1
    assert second["estimator/total"] == first["estimator/total"]
    assert last["estimator/total"] != first["estimator/total"]


@pytest.mark.parametrize(
    "impossible", [{"steps": 0}, {"minutes": 0}, {"batch": 0}, {"threads": 0}, {"clip": -1}]
)
def test_impossible_budgets_are_named(impossible):
    [(name, value)] = impossible.items()
    with pytest.raises(TrainingError, match=f"{name} is {value}; more than 0"):
        FitOptions(**impossible)


@given(st.floats(0, 1))
def test_the_learning_rate_warms_up_then_falls_to_zero(spent):
    assert 0 <= half_cosine(spent) <= 1
    assert half_cosine(1) == pytest.approx(0)
    assert half_cosine(spent) <= half_cosine(0.02) or spent < 0.1
