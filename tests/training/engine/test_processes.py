"""Trainings in two processes, which equal those in one."""

import subprocess
import sys

import pytest
from torch import distributed

from .conftest import assert_close, records, run_here, weights

FEW = {"steps": 4, "report_seconds": 0}
CASES = {
    "an estimator": (["estimator", "single"], {}),
    "a generator and its discriminator": (
        ["gan"],
        {
            "width": 8,
            "adversarial_weight": 0.01,
            "discriminator_width": 8,
            "discriminator_from": 0,
            "adversarial_from": 0.5,
        },
    ),
}


@pytest.mark.skipif(not distributed.is_gloo_available(), reason="torch without gloo")
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_two_processes_have_the_losses_and_weights_of_one(case, command_line, tmp_path):
    command, options = CASES[case]
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    assert run_here(command_line(*command, alone, **FEW, **options)) == 0
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*torchrun, "-m", "training", *command_line(*command, shared, **FEW, **options)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.stdout.count("done") == 1
    for one, two in zip(records(alone), records(shared), strict=True):
        assert two == pytest.approx(one, rel=1e-6, abs=1e-5)
    assert_close(weights(shared), weights(alone), atol=1e-5)
