"""Trainings that are killed or stopped, and continue to the same end."""

import random
import signal

import pytest

from .conftest import STEPS, assert_same, records, run_here, start, weights


@pytest.fixture(scope="module")
def uninterrupted(command_line, tmp_path_factory):
    """Folder of a run without interruption."""
    folder = tmp_path_factory.mktemp("whole")
    assert run_here(command_line("estimator", "single", folder)) == 0
    return folder


@pytest.fixture
def step():
    seed = random.randrange(2**32)
    print(f"seed of the step: {seed}")
    return random.Random(seed).randrange(1, STEPS // 2)


def interrupt(arguments, step, number):
    """Start a run, send it a signal when it has logged a step, and return output and exit code."""
    with start(arguments) as process:
        for line in process.stderr:
            if f" step {step} " in line:
                process.send_signal(number)
                break
        shown, complaints = process.communicate()
    return shown, complaints, process.returncode


def assert_ends_as(uninterrupted, folder):
    assert_same(weights(folder), weights(uninterrupted))
    assert_same(weights(folder, "average"), weights(uninterrupted, "average"))
    assert records(folder) == records(uninterrupted)


@pytest.mark.slow  # a run that is stopped, below, is its sample
def test_a_run_killed_at_a_random_step_ends_with_the_same_weights(
    uninterrupted, command_line, step, tmp_path
):
    arguments = command_line("estimator", "single", tmp_path)
    *_, code = interrupt(arguments, step, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert records(tmp_path)[-1]["step"] < STEPS
    assert run_here(arguments) == 0
    assert_ends_as(uninterrupted, tmp_path)


def test_a_run_that_is_stopped_keeps_its_step_and_continues_later(
    uninterrupted, command_line, step, tmp_path
):
    arguments = command_line("estimator", "single", tmp_path, checkpoint_seconds=3600)
    shown, complaints, code = interrupt(arguments, step, signal.SIGTERM)
    assert code == 0
    assert "repeat the command to go on" in shown
    assert "Traceback" not in complaints
    assert step <= records(tmp_path)[-1]["step"] < STEPS
    assert run_here(arguments) == 0
    assert_ends_as(uninterrupted, tmp_path)
