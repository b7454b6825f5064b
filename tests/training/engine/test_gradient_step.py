"""Gradient steps with too little memory for the whole batch."""

import logging
from pathlib import Path

import pytest
import torch

from training.engine.fit import FitOptions, fit
from training.errors import TrainingError
from training.trainings.estimators import EstimatorTraining

from .conftest import assert_close, limited, records, resource, weights

MEBIBYTE = 2**20
#: More than earlier tests may have left free in the heap, which the limit does not count.
EACH = 2**11 * MEBIBYTE
OPTIONS = FitOptions(steps=3, batch=4, report_seconds=0)


class Hungry(EstimatorTraining):
    """Training that allocates two gibibytes a sample, without using them."""

    def losses(self, name, rng, progress):
        torch.empty(len(rng) * EACH, dtype=torch.uint8)
        return super().losses(name, rng, progress)


def address_space():
    """Return the size of this process's address space in bytes."""
    return (
        int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        * resource.getpagesize()
    )


@pytest.fixture
def memory_for(fabric, make_training, tmp_path):
    """Return a function that limits memory to that in use plus that of some samples."""
    if not hasattr(resource, "RLIMIT_AS") or torch.cuda.is_available():
        pytest.skip("memory cannot be limited here")
    fit(fabric, make_training(), tmp_path / "warm", OPTIONS, {})
    return lambda samples: limited(resource.RLIMIT_AS, int(address_space() + samples * EACH))


def test_parts_of_the_batch_give_the_weights_of_the_whole(
    fabric, make_training, memory_for, tmp_path, caplog
):
    fit(fabric, make_training(), tmp_path / "plain", OPTIONS, {})
    with memory_for(3.5), caplog.at_level(logging.WARNING):
        fit(fabric, make_training(Hungry), tmp_path / "short", OPTIONS, {})
    assert caplog.messages == ["out of memory: going on with 2 samples at once"]
    assert_close(weights(tmp_path / "short"), weights(tmp_path / "plain"), atol=1e-5)
    for short, plain in zip(records(tmp_path / "short"), records(tmp_path / "plain"), strict=True):
        assert short == pytest.approx(plain, abs=1e-5)


def test_a_single_sample_that_does_not_fit_ends_the_run(
    fabric, make_training, memory_for, tmp_path
):
    with memory_for(0.5), pytest.raises(TrainingError, match="single sample; choose smaller crops"):
        fit(fabric, make_training(Hungry), tmp_path, OPTIONS, {})


def test_other_errors_are_raised(fabric, make_training, tmp_path):
    class Broken(EstimatorTraining):
        def losses(self, name, rng, progress):
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        fit(fabric, make_training(Broken), tmp_path, OPTIONS, {})
