"""Exact float32 in a process where other code allows less.

Torch can compute float32 with shorter mantissas, such as the 10 bits of TF32, which CUDA's
convolutions do by default. That would change results by more than tiles may differ.
"""

from __future__ import annotations

import os
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Precisions of torch that mean float32 proper; "none" is that of a CPU on which nothing is set.
_EXACT = {"ieee", "none"}
#: Settings of ``torch.backends`` that count for our networks, by kind of device.
_SETTINGS = {
    "cpu": (("mkldnn", "conv"), ("mkldnn", "matmul")),
    "cuda": (("cudnn", "conv"), ("cuda", "matmul")),
}

_lock = threading.Lock()
_users: Counter[str] = Counter()
#: Settings that are overridden, with the values to restore, by kind of device.
_overridden: defaultdict[str, list[tuple[Any, str]]] = defaultdict(list)


@contextmanager
def exact_float32(kind: str) -> Iterator[None]:
    """Compute float32 as such while the block runs; then restore the settings of other code.

    Settings belong to the process. Several threads may use the block at once: the first changes
    the settings, the last restores them.

    Parameters
    ----------
    kind : str
        Kind of the device, such as "cpu" or "cuda".
    """
    with _lock:
        _users[kind] += 1
        if _users[kind] == 1:
            _override(kind)
    try:
        yield
    finally:
        with _lock:
            _users[kind] -= 1
            if _users[kind] == 0:
                _restore(kind)


def _override(kind: str) -> None:
    import torch

    for backend, operation in _SETTINGS.get(kind, ()):
        setting = getattr(getattr(torch.backends, backend), operation)
        if setting.fp32_precision not in _EXACT:
            _overridden[kind].append((setting, setting.fp32_precision))
            setting.fp32_precision = "ieee"


def _restore(kind: str) -> None:
    while _overridden[kind]:
        setting, precision = _overridden[kind].pop()
        setting.fp32_precision = precision


def _reset_after_fork() -> None:
    """Forget, in a forked process, the threads that only its parent has."""
    global _lock
    _lock = threading.Lock()
    _users.clear()
    for kind in _overridden:
        _restore(kind)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
