"""Exact float32 in a process where other code allows less.

Torch can compute float32 with shorter mantissas, such as the 10 bits of TF32, which CUDA's
convolutions do by default. That would change results by more than tiles may differ.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Precisions of torch that mean float32 proper; "none" is that of a CPU on which nothing is set.
_EXACT = {"ieee", "none"}

_lock = threading.Lock()
_users = 0
#: Settings that are overridden, with the values to restore.
_overridden: list[tuple[Any, str]] = []


@contextmanager
def exact_float32() -> Iterator[None]:
    """Compute float32 as such while the block runs; then restore the settings of other code.

    Settings belong to the process. Several threads may use the block at once: the first changes
    the settings, the last restores them.
    """
    global _users
    with _lock:
        _users += 1
        if _users == 1:
            _override()
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _restore()


def _override() -> None:
    from torch import backends

    mkldnn, cudnn, cuda = backends.mkldnn, backends.cudnn, backends.cuda
    for setting in (mkldnn.conv, mkldnn.matmul, cudnn.conv, cuda.matmul):
        if setting.fp32_precision not in _EXACT:
            _overridden.append((setting, setting.fp32_precision))
            setting.fp32_precision = "ieee"


def _restore() -> None:
    while _overridden:
        setting, precision = _overridden.pop()
        setting.fp32_precision = precision


def _reset_after_fork() -> None:
    """Forget, in a forked process, the threads that only its parent has."""
    global _lock, _users
    _lock, _users = threading.Lock(), 0
    _restore()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
