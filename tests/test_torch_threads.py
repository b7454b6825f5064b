"""Wait policy of torch's threads in fresh processes."""

import os
import subprocess
import sys

import pytest

VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "NAPARI_DEFOCUS_THREADS")


def policy_after(code, **variables):
    """Return OMP_WAIT_POLICY and GOMP_SPINCOUNT in a fresh Python that has run some code."""
    environment = {name: text for name, text in os.environ.items() if name not in VARIABLES}
    names = "('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT')"
    code = f"import os, sys, types; {code}; print(*map(os.environ.get, {names}))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**environment, **variables}
    )
    return done.stdout.strip()


def test_waiting_threads_sleep_after_some_microseconds():
    assert policy_after("import napari_defocus") == "passive 10000"


@pytest.mark.parametrize(
    ("variables", "policy"),
    [
        ({"OMP_WAIT_POLICY": "active"}, "active None"),
        ({"GOMP_SPINCOUNT": "1000"}, "None 1000"),
        ({"KMP_BLOCKTIME": "1"}, "None None"),
        ({"NAPARI_DEFOCUS_THREADS": "as-is"}, "None None"),
    ],
)
def test_users_decide(variables, policy):
    assert policy_after("import napari_defocus", **variables) == policy


def test_nothing_is_changed_once_torch_is_loaded():
    code = "sys.modules['torch'] = types.ModuleType('torch'); import napari_defocus"
    assert policy_after(code) == "None None"
