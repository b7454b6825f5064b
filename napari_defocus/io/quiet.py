"""Reading without the warnings of libraries, by any number of threads."""

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Filters belong to the process: of two threads that change them at once, one would leave its own.
_lock = threading.RLock()


@contextmanager
def without_warnings() -> Iterator[None]:
    """Ignore all warnings while the block runs; other threads wait for its end to enter it."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _renew_lock() -> None:
    """Make a new lock in a forked process: a thread that only its parent has may hold the old."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
