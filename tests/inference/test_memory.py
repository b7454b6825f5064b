"""Freed memory is kept while it is used, and given back afterwards."""

import subprocess
import sys

import pytest

from napari_defocus.inference.memory import keep_freed_memory

# Blocks of 40 MB, written to: each one fetched anew from the kernel costs a page fault per 4 kB.
_FAULTS = """
import resource
from napari_defocus.inference import memory
from napari_defocus.inference.memory import keep_freed_memory

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


def test_nesting_is_harmless():
    with keep_freed_memory(), keep_freed_memory():
        pass
    with keep_freed_memory():
        pass
