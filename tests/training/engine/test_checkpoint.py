"""Checkpoints: written whole or not at all, and refused when damaged."""

import logging

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.engine.checkpoint import load_checkpoint, save_checkpoint, write_whole
from training.engine.fit import FitOptions, fit
from training.errors import TrainingError
from training.trainings.estimators import EstimatorTraining

from .conftest import assert_same, limited, resource, weights

CPU = torch.device("cpu")
STATE = {"step": 3, "players": {"a": {"module": {"w": torch.arange(9.0)}}}}
STEPS, FULL_AFTER = 5, 3


class FullDisk(EstimatorTraining):
    """Training during which, from a step on, no file can grow beyond 32 KiB."""

    def schedule(self, progress):
        if progress.step == FULL_AFTER:
            resource.setrlimit(resource.RLIMIT_FSIZE, (2**15, resource.RLIM_INFINITY))
        return super().schedule(progress)


def options(**changes):
    return FitOptions(**{"steps": STEPS, "batch": 2, "checkpoint_seconds": 0} | changes)


def test_a_state_is_read_as_it_was_written(tmp_path):
    assert load_checkpoint(tmp_path, CPU) is None
    save_checkpoint(tmp_path, STATE)
    again = load_checkpoint(tmp_path, CPU)
    assert again["step"] == 3
    assert torch.equal(again["players"]["a"]["module"]["w"], torch.arange(9.0))


@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_refused_in_one_sentence(tmp_path_factory, share):
    folder = tmp_path_factory.mktemp("cut")
    save_checkpoint(folder, STATE)
    path = folder / "checkpoint.pt"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(TrainingError, match=r"checkpoint\.pt is damaged") as error:
        load_checkpoint(folder, CPU)
    assert "\n" not in str(error.value)


def test_a_write_that_fails_leaves_the_previous_file_alone(tmp_path):
    path = tmp_path / "file"
    write_whole(path, b"before")
    with limited(resource.RLIMIT_FSIZE, 100), pytest.raises(OSError, match="large"):
        write_whole(path, bytes(200))
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_the_last_checkpoint_survives_a_full_disk(fabric, make_training, tmp_path, caplog):
    plain, full = tmp_path / "plain", tmp_path / "full"
    fit(fabric, make_training(), plain, options(), {})
    with (
        limited(resource.RLIMIT_FSIZE, resource.RLIM_INFINITY),
        caplog.at_level(logging.WARNING),
        pytest.raises(TrainingError, match="its last checkpoint is still there"),
    ):
        fit(fabric, make_training(FullDisk), full, options(report_seconds=0), {})
    assert f"nothing written at step {STEPS}" in caplog.text  # it continued to the end
    assert load_checkpoint(full, CPU)["step"] == FULL_AFTER
    assert not list(full.rglob("*.part"))
    assert fit(fabric, make_training(), full, options(), {})
    assert_same(weights(full), weights(plain))


def test_a_checkpoint_of_another_training_is_refused(fabric, make_training, tmp_path):
    save_checkpoint(tmp_path, STATE)
    with pytest.raises(TrainingError, match="is of another training"):
        fit(fabric, make_training(), tmp_path, options(), {})
