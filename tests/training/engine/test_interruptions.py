"""A training that is killed, or told to stop, ends up where it would have."""

import random
import signal

import pytest

from .conftest import STEPS, assert_same, records, run_here, started, weights


@pytest.fixture(scope="module")
def whole(command_line, tmp_path_factory):
    """A run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    assert run_here(command_line("estimator", "single", folder)) == 0
    return folder


@pytest.fixture
def step():
    seed = random.randrange(2**32)
    print(f"seed of the step: {seed}")
    return random.Random(seed).randrange(1, STEPS // 2)


def interrupted(arguments, step, told):
    """Start a run, tell it something when it has logged a step; what it says, and its exit code."""
    with started(arguments) as process:
        for line in process.stderr:
            if f" step {step} " in line:
                process.send_signal(told)
                break
        shown, complaints = process.communicate()
    return shown, complaints, process.returncode


def assert_ends_as(whole, folder):
    assert_same(weights(folder), weights(whole))
    assert_same(weights(folder, "average"), weights(whole, "average"))
    assert records(folder) == records(whole)


def test_killed_at_a_random_step_it_ends_with_the_same_weights(whole, command_line, step, tmp_path):
    arguments = command_line("estimator", "single", tmp_path)
    *_, code = interrupted(arguments, step, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert records(tmp_path)[-1]["step"] < STEPS
    assert run_here(arguments) == 0
    assert_ends_as(whole, tmp_path)


def test_told_to_stop_it_keeps_its_step_and_goes_on_later(whole, command_line, step, tmp_path):
    arguments = command_line("estimator", "single", tmp_path, checkpoint_seconds=3600)
    shown, complaints, code = interrupted(arguments, step, signal.SIGTERM)
    assert code == 0
    assert "the same command goes on" in shown
    assert "Traceback" not in complaints
    assert step <= records(tmp_path)[-1]["step"] < STEPS
    assert run_here(arguments) == 0
    assert_ends_as(whole, tmp_path)
