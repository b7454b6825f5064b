"""Processes that decode JPEG XR: damaged streams can crash or hang its library, jxrlib."""

from __future__ import annotations

import atexit
import io
import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from ..array_types import Array

#: Number of processes at a time.
_MOST_PROCESSES = 4
#: Seconds that an image may take, and bytes of its pixels for each second more. jxrlib decodes ten
#: times as many; the first image waits for the process to start.
_SECONDS, _BYTES_A_SECOND = 8.0, 5e6
_PROGRAM = """
import io, json, struct, sys
import numpy
from imagecodecs import jpegxr_decode
read, write = sys.stdin.buffer.read, sys.stdout.buffer.write
while line := sys.stdin.buffer.readline():
    request = json.loads(line)
    content, reply = read(request["size"]), io.BytesIO()
    shape, dtype = request["shape"], request["dtype"]
    try:
        pixels = jpegxr_decode(content, out=shape and numpy.empty(shape, dtype))
        if pixels.nbytes <= request["largest"]:
            numpy.save(reply, pixels)
    except Exception:
        pass
    write(struct.pack("<Q", reply.tell()))
    write(reply.getbuffer())
    sys.stdout.buffer.flush()
"""


def decode_jpegxr(
    content: bytes, largest: int, shape: tuple[int, ...] | None = None, dtype: Any = None
) -> Array:
    """Decode a JPEG XR image in a process of its own, which is kept for the next one.

    Parameters
    ----------
    content : bytes
        The image.
    largest : int
        Bytes that its pixels take at most.
    shape, dtype : tuple of int, data type; optional
        Shape (Y, X) or (Y, X, samples) and data type of its pixels; an image of another size is
        refused before its pixels are decoded.

    Raises
    ------
    ValueError
        If it cannot be decoded, takes too long, or is larger.
    """
    request = {
        "size": len(content),
        "largest": largest,
        "shape": shape,
        "dtype": None if dtype is None else np.dtype(dtype).str,
    }
    with _decoder() as decoder:
        seconds = _SECONDS + largest / _BYTES_A_SECOND
        return decoder.decode(json.dumps(request).encode() + b"\n" + content, seconds)


class _Decoder:
    """A process that decodes one image after another, until one makes it fail."""

    def __init__(self) -> None:
        # -P: import nothing from the working directory
        command = [sys.executable, "-P", "-c", _PROGRAM]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        pipes["creationflags"] = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # on Windows
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **pipes)
        self.failed = False

    def decode(self, request: bytes, seconds: float) -> Array:
        """Return the pixels that the process replies; a ValueError if there are none in time."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        self.failed = True  # unless it ends well
        try:
            self._process.stdin.write(request)
            self._process.stdin.flush()
            (size,) = struct.unpack("<Q", self._process.stdout.read(8))
            reply = self._process.stdout.read(size)
        except (OSError, struct.error) as error:
            raise ValueError("its pixels cannot be decoded") from error
        finally:
            timer.cancel()
        self.failed = len(reply) < size
        if self.failed or not reply:
            raise ValueError("its pixels cannot be decoded")
        return np.asarray(np.load(io.BytesIO(reply), allow_pickle=False))

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()


_idle: list[_Decoder] = []
_lock = threading.Lock()
_places = threading.BoundedSemaphore(_MOST_PROCESSES)


@contextmanager
def _decoder() -> Iterator[_Decoder]:
    """Provide a decoder that no other thread uses."""
    with _places:
        with _lock:
            decoder = _idle.pop() if _idle else None
        decoder = decoder or _Decoder()
        try:
            yield decoder
        finally:
            if decoder.failed:
                decoder.close()
            else:
                with _lock:
                    _idle.append(decoder)


@atexit.register
def _close_all() -> None:
    while _idle:
        _idle.pop().close()


def _reset_after_fork() -> None:
    """Forget, in a forked process, the processes of its parent and the locks of its threads."""
    global _idle, _lock, _places
    _OF_PARENT.extend(_idle)
    _idle, _lock, _places = [], threading.Lock(), threading.BoundedSemaphore(_MOST_PROCESSES)


_OF_PARENT: list[_Decoder] = []  # kept, or it would be complained that they are running
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
