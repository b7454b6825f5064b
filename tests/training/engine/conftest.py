"""Short trainings of a real estimator, in this process or in others."""

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
from training.trainings.estimators import EstimatorOptions, EstimatorTraining
from training.trainings.samplers import FixedSceneBatches, SceneSampler

resource = pytest.importorskip("resource")
STEPS = 10


@pytest.fixture
def make_training(pool_file):
    """Return a function that makes the same training every time, of a subclass if wanted."""

    def make(kind=EstimatorTraining):
        torch.manual_seed(0)
        pool = Pool(pool_file)
        expose = partial(photograph, options=SensorOptions(), views=False)
        sampler, fixed = SceneSampler(pool, 32, expose), FixedSceneBatches(pool, expose, count=2)
        return kind(EstimatorOptions(), sampler, fixed, dual=False)

    return make


@pytest.fixture(scope="session")
def command_line(pool_file):
    """Return a function that makes the arguments of a short training.

    It reports and checkpoints every step.
    """

    def arguments(*kind_and_run, **options):
        values = {
            "pool": pool_file,
            "validation": pool_file,
            "validate-on": 2,
            "steps": STEPS,
            "batch": 4,
            "crop": 32,
            "precision": "32-true",
            "threads": 1,
            "report-seconds": 0,
            "checkpoint-seconds": 0,
            **{key.replace("_", "-"): value for key, value in options.items()},
        }
        named = [text for key, value in values.items() for text in (f"--{key}", value)]
        return [str(part) for part in (*kind_and_run, *named)]

    return arguments


def run_here(arguments):
    """Run a command in this process, and return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["training", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
    return end.value.code


def start(arguments):
    """Start a command in another process."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "training", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def records(folder):
    """Return what a run has logged, except the time that it took."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def weights(folder, part="module"):
    """Return tensors of a run's last checkpoint by name."""
    networks = torch.load(folder / "checkpoint.pt", weights_only=True)["players"]
    return {
        f"{network}.{name}": tensor
        for network, state in networks.items()
        for name, tensor in state[part].items()
    }


def assert_same(ours, theirs):
    """Assert equality bit for bit."""
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def assert_close(ours, theirs, atol):
    assert ours.keys() == theirs.keys()
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], atol=atol, rtol=0)


@contextmanager
def limited(kind, amount):
    """Limit a resource of this process."""
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (amount, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)
