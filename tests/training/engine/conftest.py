"""Short trainings of a real estimator, in this process or in ones of their own."""

import json
import subprocess
import sys
from contextlib import contextmanager
from functools import partial

import pytest
import torch

from training.__main__ import main
from training.data.pool import Pool
from training.data.sensor import SensorOptions, photograph
from training.tasks.estimators import EstimatorOptions, EstimatorTask
from training.tasks.samplers import FixedSceneBatches, SceneSampler

resource = pytest.importorskip("resource")
STEPS = 16


@pytest.fixture
def make_task(pool_file):
    """Makes the same task again and again, of a class like `EstimatorTask`."""

    def make(kind=EstimatorTask):
        torch.manual_seed(0)
        pool = Pool(pool_file)
        expose = partial(photograph, options=SensorOptions(), views=False)
        camera, fixed = SceneSampler(pool, 32, expose), FixedSceneBatches(pool, expose, count=4)
        return kind(EstimatorOptions(), camera, fixed, dual=False)

    return make


@pytest.fixture(scope="session")
def command_line(pool_file):
    """Arguments of a short training that reports and checkpoints every step."""

    def arguments(*kind_and_run, **options):
        given = {
            "pool": pool_file,
            "validation": pool_file,
            "validate-on": 4,
            "steps": STEPS,
            "batch": 4,
            "crop": 32,
            "precision": "32-true",
            "threads": 1,
            "report-seconds": 0,
            "checkpoint-seconds": 0,
            **{key.replace("_", "-"): value for key, value in options.items()},
        }
        named = [text for key, value in given.items() for text in (f"--{key}", value)]
        return [str(part) for part in (*kind_and_run, *named)]

    return arguments


def run_here(arguments):
    """Run a command in this process; its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["training", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
    return end.value.code


def started(arguments):
    """Start a command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "training", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def records(folder):
    """What a run has logged, but for how long it took."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def weights(folder, part="module"):
    """Names and tensors of a run's last checkpoint."""
    networks = torch.load(folder / "checkpoint.pt", weights_only=True)["players"]
    return {
        f"{player}.{name}": tensor
        for player, state in networks.items()
        for name, tensor in state[part].items()
    }


def assert_same(ours, theirs):
    """Bit for bit."""
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def assert_close(ours, theirs, atol):
    assert ours.keys() == theirs.keys()
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], atol=atol, rtol=0)


@contextmanager
def limited(kind, amount):
    """Let this process have no more of a resource."""
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (amount, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)
