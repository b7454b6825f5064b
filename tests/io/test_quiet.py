"""Reading without warnings, by several threads."""

import threading
import warnings

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
