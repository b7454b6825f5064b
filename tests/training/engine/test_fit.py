"""Training learns, keeps to its budget, and leaves weights that the plugin opens."""

import itertools
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.models import find_model, load_network
from training.engine import fit as engine
from training.engine.fit import FitOptions, fit
from training.engine.task import half_cosine
from training.errors import TrainingError
from training.tasks.estimators import EstimatorTask

from .conftest import assert_same, records, weights


class NotFinite(EstimatorTask):
    """Has a loss that is not finite at one step."""

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
def ticking():
    """A clock that is a second later each time one looks."""
    with pytest.MonkeyPatch.context() as patch:
        seconds = itertools.count()
        patch.setattr(engine, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
        yield


def test_an_estimator_learns_and_is_left_for_the_plugin(fabric, make_task, tmp_path):
    task = make_task()
    assert fit(fabric, task, tmp_path, options(steps=30, batch=4), {"recipe of": "a test"})
    told = records(tmp_path)
    assert told[-1]["mae"] < told[0]["mae"]
    card = find_model(tmp_path / "single.safetensors", "single")
    assert card.recipe["recipe of"] == "a test"
    assert card.figures["mae"] == told[-1]["mae"]
    average = weights(tmp_path, "average")
    for name, value in load_network(card).state_dict().items():
        torch.testing.assert_close(value, average[f"estimator.{name}"].half().float())


def test_the_same_seed_gives_the_same_weights_and_another_others(fabric, make_task, tmp_path):
    for name, seed in {"a": 0, "b": 0, "c": 1}.items():
        fit(fabric, make_task(), tmp_path / name, options(seed=seed), {})
    assert_same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert records(tmp_path / "a") == records(tmp_path / "b")
    assert records(tmp_path / "c") != records(tmp_path / "a")


def test_batches_drawn_at_once_teach_as_well_and_are_the_same_again(fabric, make_task, tmp_path):
    for name in ("a", "b"):
        fit(fabric, make_task(), tmp_path / name, options(steps=30, batch=4, draws="batch"), {})
    assert_same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    told = records(tmp_path / "a")
    assert told[-1]["mae"] < told[0]["mae"]


def test_minutes_end_a_run_of_steps_that_goes_on_to_the_same_end(
    fabric, make_task, tmp_path, ticking
):
    assert fit(fabric, make_task(), tmp_path / "whole", options(), {})
    assert not fit(fabric, make_task(), tmp_path / "part", options(minutes=2 / 60), {})
    assert 0 < records(tmp_path / "part")[-1]["step"] < 4
    assert fit(fabric, make_task(), tmp_path / "part", options(), {})
    assert_same(weights(tmp_path / "part"), weights(tmp_path / "whole"))
    assert records(tmp_path / "part") == records(tmp_path / "whole")


def test_without_steps_the_minutes_are_the_budget(fabric, make_task, tmp_path, ticking):
    assert fit(fabric, make_task(), tmp_path, options(steps=None, minutes=5 / 60), {})
    assert len(records(tmp_path)) in (4, 5)


def test_a_finished_run_is_left_alone(fabric, make_task, tmp_path):
    assert fit(fabric, make_task(), tmp_path, options(), {})
    before = contents(tmp_path)
    assert fit(fabric, make_task(), tmp_path, options(), {})
    assert contents(tmp_path) == before


def test_what_the_end_of_a_run_lacks_is_written_when_it_is_started_again(
    fabric, make_task, tmp_path
):
    fit(fabric, make_task(), tmp_path, options(), {})
    whole = records(tmp_path)
    log = tmp_path / "log.jsonl"
    lines = log.read_text().splitlines()
    log.write_text("\n".join([*lines[:-1], lines[-1][:40]]))
    (tmp_path / "single.safetensors").unlink()
    assert fit(fabric, make_task(), tmp_path, options(), {})
    assert records(tmp_path) == whole
    load_network(find_model(tmp_path / "single.safetensors", "single"))


def test_a_step_that_is_not_finite_is_left_out_and_told(fabric, make_task, tmp_path):
    fit(fabric, make_task(NotFinite), tmp_path, options(), {})
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
def test_the_learning_rate_stays_within_itself_and_ends_at_nothing(spent):
    assert 0 <= half_cosine(spent) <= 1
    assert half_cosine(1) == pytest.approx(0)
    assert half_cosine(spent) <= half_cosine(0.02) or spent < 0.1
