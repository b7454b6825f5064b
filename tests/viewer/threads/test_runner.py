"""Workers on real Qt threads: results, errors and cancellation."""

import subprocess
import sys
import threading

import pytest
from napari.utils.notifications import (
    ErrorNotification,
    Notification,
    notification_manager,
)

from napari_defocus.errors import DefocusError, ImageError, OptionError
from napari_defocus.inference.engine import Progress
from napari_defocus.viewer.threads.runner import Runner


class Log:
    """Reports of a running job."""

    def __init__(self):
        self.progress, self.results, self.endings = [], [], []
        self.runner = Runner(
            on_progress=lambda step: self.progress.append((step.done, step.total)),
            on_result=self.results.append,
            on_end=self.endings.append,
        )


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def ended(log, until):
    def wait():
        until(lambda: bool(log.endings))

    return wait


def counting(total):
    def steps():
        for done in range(1, total + 1):
            yield Progress(done, total)
        return "counted"

    return steps


def endless(gate):
    """Return steps that never end; each waits for the event."""

    def steps():
        while True:
            gate.wait()
            yield Progress(1, 2)

    return steps


def failing(error):
    def steps():
        yield Progress(1, 2)
        raise error

    return steps


def test_result_arrives_after_all_progress(qapp, log, ended):
    log.runner.start(counting(3), "counting")
    ended()
    assert log.progress == [(1, 3), (2, 3), (3, 3)]
    assert log.results == ["counted"]
    assert log.endings == ["done"]
    assert not log.runner.busy


def test_second_run_at_the_same_time_is_refused(qapp, log, finish):
    gate = threading.Event()
    worker = log.runner.start(endless(gate), "first")
    with pytest.raises(OptionError, match="in progress"):
        log.runner.start(counting(3), "second")
    log.runner.cancel()
    gate.set()
    finish(worker)
    assert log.endings == ["canceled"]


def test_one_run_after_another(qapp, log, until):
    for count in (1, 2):
        log.runner.start(counting(3), "counting")
        until(lambda count=count: len(log.endings) == count)
    assert log.results == ["counted", "counted"]


def test_cancel_ends_the_run_at_once_even_during_a_step(qapp, log, finish):
    gate = threading.Event()
    worker = log.runner.start(endless(gate), "stuck in a step")
    log.runner.cancel()
    assert log.endings == ["canceled"]
    assert not log.runner.busy
    gate.set()
    finish(worker)


def test_canceled_run_gives_no_result_but_the_next_one_does(qapp, log, ended, until, finish):
    gate = threading.Event()
    gate.set()
    first = log.runner.start(endless(gate), "endless")
    kept_alive = log.runner._run
    until(lambda: bool(log.progress))
    log.runner.cancel()
    log.progress.clear()
    log.endings.clear()
    log.runner.start(counting(3), "counting")
    ended()
    finish(first)
    assert kept_alive is not log.runner._run
    assert log.progress == [(1, 3), (2, 3), (3, 3)]
    assert log.results == ["counted"]
    assert log.endings == ["done"]


@pytest.mark.filterwarnings("default:RuntimeError in aborted thread")  # as outside of pytest
@pytest.mark.parametrize("error", [ImageError("too dark"), RuntimeError("device-side assert")])
def test_error_is_shown_once_and_ends_the_run(qapp, log, ended, error):
    before = len(notification_manager.records)
    log.runner.start(failing(error), "failing")
    ended()
    shown = [str(record.message) for record in notification_manager.records[before:]]
    assert len(shown) == 1
    assert str(error) in shown[0]
    assert log.endings == ["failed"]
    assert log.results == []


def test_an_error_of_the_user_is_told_without_a_traceback(qapp, log, ended):
    before = len(notification_manager.records)
    for error in (ImageError("too dark"), DefocusError("not foreseen")):
        error.__cause__ = None if "dark" in str(error) else RuntimeError("device-side assert")
        log.endings.clear()
        log.runner.start(failing(error), "failing")
        ended()
    shown = [type(note) for note in list(notification_manager.records)[before:]]
    assert shown == [Notification, ErrorNotification]  # napari prints the traceback of the latter


def test_a_detached_run_reports_to_others(qapp, log, until):
    gate, others = threading.Event(), []

    def steps():
        yield Progress(0, 1)
        gate.wait()
        return "result"

    log.runner.start(steps, "held")
    log.runner.detach(others.append, others.append)
    gate.set()
    until(lambda: len(others) == 2)
    assert others == ["result", "done"]
    assert (log.results, log.endings) == ([], [])


def test_abandoned_run_reports_nothing(qapp, log, finish):
    gate = threading.Event()
    gate.set()
    worker = log.runner.start(endless(gate), "endless")
    log.runner.abandon()
    finish(worker)
    assert (log.progress, log.results, log.endings) == ([], [], [])


def test_script_can_end_during_a_run():
    code = """
import napari
viewer = napari.Viewer(show=False)
viewer.open_sample("napari-defocus", "photograph")
_, widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus Map")
widget.run()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)
