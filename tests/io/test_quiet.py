"""Reading without warnings, by several threads."""

import os
import signal
import sys
import threading
import warnings

import pytest

from napari_defocus.io.quiet import without_warnings


def test_threads_leave_no_filters_behind():
    entered, leave = threading.Event(), threading.Event()

    def read():
        with without_warnings():
            entered.set()
            leave.wait()

    before = list(warnings.filters)
    thread = threading.Thread(target=read)
    with without_warnings():
        thread.start()
        entered.wait(0.1)  # in vain, unless both change the filters at once
    leave.set()
    thread.join()
    assert warnings.filters == before


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not fork")
@pytest.mark.filterwarnings("ignore:.*fork")
def test_forked_process_need_not_wait_for_threads_of_its_parent():
    entered, leave = threading.Event(), threading.Event()

    def read():
        with without_warnings():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=read)
    thread.start()
    entered.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        with without_warnings():
            os._exit(7)
    leave.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
