"""Reading without the warnings of libraries, by any number of threads."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Filters belong to the process. Two threads that change them in turn would leave one's behind.
_LOCK = threading.RLock()


@contextmanager
def without_warnings() -> Iterator[None]:
    """Ignore all warnings while the block runs; other threads wait for its end to enter it."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
