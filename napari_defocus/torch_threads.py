"""Wait policy of torch's threads, decided before torch is loaded.

Torch computes with OpenMP threads that wait for each other many times a second. By default a
waiting thread spins. Beside other busy programs it then uses up a core, while the thread that it
waits for gets none: on two cores with five busy programs the map of a photograph took 49 s, with
sleeping threads 7 s. OpenMP reads the policy once, when torch is loaded.
"""

import os
import sys

#: Environment variable that leaves the threads as they are, if it has this value.
SWITCH, AS_IS = "NAPARI_DEFOCUS_THREADS", "as-is"
#: Environment variables by which a user decides himself.
_DECISIONS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


def let_waiting_threads_sleep() -> None:
    """Set the environment variable ``OMP_WAIT_POLICY`` to "passive" for this process.

    Nothing is changed if torch is loaded already, if ``OMP_WAIT_POLICY``, ``GOMP_SPINCOUNT`` or
    ``KMP_BLOCKTIME`` is set, or if ``NAPARI_DEFOCUS_THREADS`` is "as-is". Processes that are
    started later inherit the variable.
    """
    user_decides = any(name in os.environ for name in _DECISIONS)
    if "torch" not in sys.modules and not user_decides and os.environ.get(SWITCH) != AS_IS:
        os.environ["OMP_WAIT_POLICY"] = "passive"
