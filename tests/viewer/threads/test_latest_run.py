"""Runs of which only the latest counts."""

import pytest

from napari_defocus import DefocusError
from napari_defocus.inference.engine import Progress
from napari_defocus.viewer.threads.latest_run import LatestRun


def steps_to(result, count=1):
    def steps():
        for _ in range(count):
            yield Progress(0, count)
        if isinstance(result, Exception):
            raise result
        return result

    return steps


@pytest.fixture
def wait(until):
    def wait_for(run):
        until(lambda: run.worker is None)

    return wait_for


def test_only_the_latest_of_many_requests_reports(qapp, wait):
    results, ends = [], []
    run = LatestRun(on_end=lambda: ends.append(True))
    for number in range(4):
        run.request(steps_to(number, count=1000), results.append)
    wait(run)
    assert (results, ends) == ([3], [True])


def test_stopped_run_reports_nothing_and_another_can_follow(qapp, wait):
    results, ends = [], []
    run = LatestRun(on_end=lambda: ends.append(True))
    run.request(steps_to(1), results.append)
    run.stop()
    wait(run)
    assert (results, ends) == ([], [])
    run.request(steps_to(2), results.append)
    wait(run)
    assert (results, ends) == ([2], [True])


def test_failure_is_reported(qapp, wait):
    errors, results = [], []
    error = DefocusError("no such thing")
    run = LatestRun(on_error=errors.append)
    run.request(steps_to(error), results.append)
    wait(run)
    assert (errors, results) == ([error], [])
