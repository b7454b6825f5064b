"""Allocation policy of glibc for the large blocks that a network's activations need.

By default glibc fetches every block above a threshold (at most 32 MB) from the kernel and returns
it when it is freed. A network allocates and frees such blocks all the time, and each time the
kernel must clear every page: up to half the run time of a tile on a CPU. Freed blocks are therefore
kept while inference runs, and for two seconds after it, because another image often follows. Then
they are returned.

Blocks of many sizes leave gaps between those that are in use, so that a process grows: on an image
of 36 megapixels by 1.4 GB, of which the network uses half. Gaps are returned now and then.

Only glibc on Linux has the calls; elsewhere nothing is done.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_NEVER = 2**31 - 1
#: Values that glibc's dynamic thresholds reach once a program has freed blocks of 32 MB.
_USUAL_MMAP, _USUAL_TRIM, _USUAL_MAX = 32 << 20, 64 << 20, 65536

#: Time for which freed memory is kept in case more work follows.
_IDLE_SECONDS = 2.0

#: Uses after which gaps are returned; a use is a block of a large image, of some seconds.
_USES = 4

_lock = threading.Lock()
_users = 0
_uses = 0
_idle: threading.Timer | None = None


@contextmanager
def keep_freed_memory() -> Iterator[None]:
    """Keep freed memory in the process while the block runs, and for two seconds after it.

    It may be nested and used by several threads.
    """
    global _users, _idle
    with _lock:
        _users += 1
        if _idle is not None:
            _idle.cancel()
        if _users == 1:
            _keep()
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            _return_gaps()
            if _users == 0 and _glibc() is not None:
                _idle = threading.Timer(_IDLE_SECONDS, _return_unused)
                _idle.daemon = True
                try:
                    _idle.start()
                except RuntimeError:  # no thread can be started while the interpreter exits
                    _return_memory()


def _return_gaps() -> None:
    """Return freed memory once every few uses, also that between blocks in use."""
    global _uses
    _uses = (_uses + 1) % _USES
    library = _glibc()
    if _uses == 0 and library is not None:
        library.malloc_trim(0)


def _return_unused() -> None:
    with _lock:
        if _users == 0:
            _return_memory()


def _reset_after_fork() -> None:
    """Forget, in a forked process, the threads that only its parent has and the locks they hold."""
    global _lock, _users, _idle
    kept = _users > 0 or _idle is not None
    _lock, _users, _idle = threading.Lock(), 0, None
    if kept:
        _return_memory()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)


@cache
def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    has_mallopt = all(
        hasattr(library, name) for name in ("mallopt", "malloc_trim", "gnu_get_libc_version")
    )
    return library if has_mallopt else None


def _keep() -> None:
    library = _glibc()
    if library is not None:
        # before glibc 2.35 the threshold cannot be raised, but mapping can be switched off
        if not library.mallopt(_MMAP_THRESHOLD, _NEVER):
            library.mallopt(_MMAP_MAX, 0)
        library.mallopt(_TRIM_THRESHOLD, _NEVER)


def _return_memory() -> None:
    library = _glibc()
    if library is not None:
        library.mallopt(_MMAP_MAX, _USUAL_MAX)
        library.mallopt(_MMAP_THRESHOLD, _USUAL_MMAP)
        library.mallopt(_TRIM_THRESHOLD, _USUAL_TRIM)
        library.malloc_trim(0)
