"""Freed memory is kept while it is used, and given back afterward."""

import subprocess
import sys

import pytest

from napari_defocus.inference.malloc import keep_freed_memory

# Blocks of 40 MB, written to: each one fetched anew from the kernel costs a page fault per 4 kB.
_FAULTS = """
import resource
from napari_defocus.inference import malloc as memory
from napari_defocus.inference.malloc import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        b"x" * 40_000_000
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

usual = faults()
with keep_freed_memory():
    b"x" * 40_000_000
    kept = faults()
soon = faults()
memory._idle.join()
after = faults()
print(usual, kept, soon, after, resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_pages_are_fetched_once_while_memory_is_kept_and_shortly_after():
    done = subprocess.run(
        [sys.executable, "-c", _FAULTS], check=True, capture_output=True, text=True
    )
    usual, kept, soon, after, resident = map(int, done.stdout.split())
    if usual < 50_000:
        pytest.skip("this allocator keeps freed memory by itself")
    assert kept < usual / 10
    assert soon < usual / 10
    assert after > usual / 2
    assert resident < 150e6


# Of a second use that begins before the memory of the first is given back.
_AGAIN = """
from napari_defocus.inference import malloc as memory

given_back = []
memory._give_back = lambda: given_back.append(True)
memory._IDLE_SECONDS = 0.1
with memory.keep_freed_memory():
    pass
first = memory._idle
with memory.keep_freed_memory():
    first.join()
    during = len(given_back)
memory._idle.join()
print(during, len(given_back))
"""

_NO_THREAD = """
import threading
from napari_defocus.inference import malloc as memory

def refuse(thread):
    raise RuntimeError("can't start new thread")

given_back = []
memory._give_back = lambda: given_back.append(True)
threading.Thread.start = refuse
with memory.keep_freed_memory():
    pass
print(len(given_back))
"""

_FORKED = """
import os
from napari_defocus.inference import malloc as memory

with memory.keep_freed_memory():
    pass
with memory._lock:
    child = os.fork()
    if child == 0:
        with memory.keep_freed_memory():
            pass
        memory._idle.join()
        os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
@pytest.mark.parametrize(("code", "printed"), [(_AGAIN, "0 1"), (_NO_THREAD, "1"), (_FORKED, "7")])
def test_memory_is_given_back_once_nobody_uses_it(code, printed):
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == printed.split()


def test_nesting_is_harmless():
    with keep_freed_memory(), keep_freed_memory():
        pass
    with keep_freed_memory():
        pass
