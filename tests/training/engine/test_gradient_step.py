"""Too little memory for the batch: parts of it, one after the other, and the same weights."""

import logging
from pathlib import Path

import pytest
import torch

from training.engine.fit import FitOptions, fit
from training.errors import TrainingError
from training.tasks.estimators import EstimatorTask

from .conftest import assert_close, limited, records, resource, weights

MEBIBYTE = 2**20
#: More than earlier tests may have left in the heap, from where it would be had for nothing.
EACH = 2**11 * MEBIBYTE
OPTIONS = FitOptions(steps=3, batch=4, report_seconds=0)


class Hungry(EstimatorTask):
    """Asks for two gibibytes a sample, never touched."""

    def losses(self, name, rng, progress):
        torch.empty(len(rng) * EACH, dtype=torch.uint8)
        return super().losses(name, rng, progress)


def address_space():
    """What this process has in use, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


@pytest.fixture
def room(fabric, make_task, tmp_path):
    """Limits memory to that in use and some samples' more."""
    if not hasattr(resource, "RLIMIT_AS") or torch.cuda.is_available():
        pytest.skip("memory cannot be limited here")
    fit(fabric, make_task(), tmp_path / "warm", OPTIONS, {})
    return lambda samples: limited(resource.RLIMIT_AS, int(address_space() + samples * EACH))


def test_parts_of_the_batch_that_fit_give_the_weights_of_the_whole(
    fabric, make_task, room, tmp_path, caplog
):
    fit(fabric, make_task(), tmp_path / "plain", OPTIONS, {})
    with room(3.5), caplog.at_level(logging.WARNING):
        fit(fabric, make_task(Hungry), tmp_path / "short", OPTIONS, {})
    assert caplog.messages == ["out of memory: going on with 2 samples at once"]
    assert_close(weights(tmp_path / "short"), weights(tmp_path / "plain"), atol=1e-5)
    for short, plain in zip(records(tmp_path / "short"), records(tmp_path / "plain"), strict=True):
        assert short == pytest.approx(plain, abs=1e-5)


def test_a_single_sample_that_does_not_fit_ends_the_run_with_a_sentence(
    fabric, make_task, room, tmp_path
):
    with room(0.5), pytest.raises(TrainingError, match="single sample; choose smaller crops"):
        fit(fabric, make_task(Hungry), tmp_path, OPTIONS, {})


def test_other_errors_are_not_taken_for_a_lack_of_memory(fabric, make_task, tmp_path):
    class Broken(EstimatorTask):
        def losses(self, name, rng, progress):
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        fit(fabric, make_task(Broken), tmp_path, OPTIONS, {})
