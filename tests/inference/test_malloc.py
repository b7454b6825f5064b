"""Memory that is kept while inference runs, and returned afterward."""

import subprocess
import sys

import pytest

# Blocks of 40 MB, written to: each one fetched anew from the kernel costs a page fault per 4 kB.
# Ten that are held at once and then freed are 400 MB that stay with the process or do not.
_FAULTS = """
import resource
from napari_defocus.inference import malloc
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
    blocks = [b"x" * 40_000_000 for _ in range(10)]
    del blocks
    held = resident()
    kept = faults()
soon = faults()
malloc._idle.join()
after = faults()
print(usual, kept, soon, after, held, resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has the calls")
def test_pages_are_fetched_once_while_memory_is_kept_and_shortly_after():
    done = subprocess.run(
        [sys.executable, "-c", _FAULTS], check=True, capture_output=True, text=True
    )
    usual, kept, soon, after, held, left = map(int, done.stdout.split())
    if usual < 50_000:
        pytest.skip("this allocator keeps freed memory by itself")
    assert kept < usual / 10
    assert soon < usual / 10
    assert after > usual / 2
    assert held > 400e6
    assert left < held - 350e6


_GAPS = """
import resource
from napari_defocus.inference import malloc

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

with malloc.keep_freed_memory():
    blocks = [b"x" * 40_000_000 for _ in range(10)]
    del blocks[:-1]
    held = resident()
    for _ in range(malloc._USES):
        with malloc.keep_freed_memory():
            pass
    print(held - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has the calls")
def test_gaps_between_blocks_in_use_are_returned_now_and_then():
    done = subprocess.run([sys.executable, "-c", _GAPS], check=True, capture_output=True, text=True)
    assert int(done.stdout) > 300e6


# A second use begins before the memory of the first is returned.
_AGAIN = """
from napari_defocus.inference import malloc

returned = []
malloc._return_memory = lambda: returned.append(True)
malloc._IDLE_SECONDS = 0.1
with malloc.keep_freed_memory():
    pass
first = malloc._idle
with malloc.keep_freed_memory():
    first.join()
    during = len(returned)
malloc._idle.join()
print(during, len(returned))
"""

# The inner of two uses ends while the outer one goes on.
_NESTED = """
from napari_defocus.inference import malloc

returned = []
malloc._return_memory = lambda: returned.append(True)
malloc._IDLE_SECONDS = 0.05
with malloc.keep_freed_memory():
    with malloc.keep_freed_memory():
        pass
    within = malloc._idle is not None
malloc._idle.join()
print(within, len(returned))
"""

_NO_THREAD = """
import threading
from napari_defocus.inference import malloc

def refuse(thread):
    raise RuntimeError("can't start new thread")

returned = []
malloc._return_memory = lambda: returned.append(True)
threading.Thread.start = refuse
with malloc.keep_freed_memory():
    pass
print(len(returned))
"""

_FORKED = """
import os
from napari_defocus.inference import malloc

with malloc.keep_freed_memory():
    pass
with malloc._lock:
    child = os.fork()
    if child == 0:
        with malloc.keep_freed_memory():
            pass
        malloc._idle.join()
        os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has the calls")
@pytest.mark.parametrize(
    ("code", "printed"),
    [(_AGAIN, "0 1"), (_NESTED, "False 1"), (_NO_THREAD, "1"), (_FORKED, "7")],
    ids=["used again", "nested", "no thread", "forked"],
)
def test_memory_is_returned_once_nobody_uses_it(code, printed):
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == printed.split()
