"""Wait policy of torch's threads, decided before torch is loaded.

Torch computes with OpenMP threads that wait for each other many times a second. By default a
waiting thread spins. Beside other busy programs it then uses up a core, while the thread that it
waits for gets none: on two cores with five busy programs the map of a photograph took 49 s, with
sleeping threads 7 s. Threads that sleep at once are slow where nothing else is busy: there
deblurring takes 1.3 times as long as with threads that spin for some microseconds before. OpenMP
reads the policy once, when torch is loaded.
"""

import os
import sys

#: Environment variable that leaves the threads as they are, if it has this value.
SWITCH, AS_IS = "NAPARI_DEFOCUS_THREADS", "as-is"
#: Environment variables by which a user decides himself.
_DECISIONS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
#: How often a thread looks before it sleeps, in GNU OpenMP, which torch has on Linux. On two cores
#: deblurring takes 1.03 times as long as with threads that always spin, and beside three busy
#: programs 1.2 times as long as with threads that sleep at once; with 1,000, 1.2 and 1.05 times.
_SPINS = 10_000


def let_waiting_threads_sleep() -> None:
    """Set the environment variables by which threads spin only shortly, for this process.

    They are ``OMP_WAIT_POLICY`` and, for GNU OpenMP, ``GOMP_SPINCOUNT``. Nothing is changed if
    torch is loaded already, if ``OMP_WAIT_POLICY``, ``GOMP_SPINCOUNT`` or ``KMP_BLOCKTIME`` is set,
    or if ``NAPARI_DEFOCUS_THREADS`` is "as-is". Processes that are started later inherit the
    variables.
    """
    user_decides = any(name in os.environ for name in _DECISIONS)
    if "torch" not in sys.modules and not user_decides and os.environ.get(SWITCH) != AS_IS:
        os.environ.update(OMP_WAIT_POLICY="passive", GOMP_SPINCOUNT=str(_SPINS))
