"""What can be mended is told in one sentence, with exit code 2 and without a traceback."""

import re
import subprocess
import sys

import numpy as np
import pytest

from training.__main__ import COMMANDS, main

BOTH = ["--pool", "POOL", "--validation", "POOL"]
PAPER = ["--architecture", "paper-generator", "--width", "4"]


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command; its exit code and what it says."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["training", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, capsys.readouterr().err

    return run


@pytest.fixture
def told(run):
    """Run a command that has to fail; its sentence."""

    def told(*arguments):
        code, said = run(*arguments)
        assert code == 2
        assert is_sentence(said)
        return said

    return told


def is_sentence(text):
    return text.count("\n") == 1 and "Traceback" not in text


def test_a_missing_pool_in_a_process_of_its_own(tmp_path):
    command = ["estimator", "single", tmp_path / "run", "--pool", tmp_path / "no.npy"]
    command += ["--precision", "32-true"]  # of others Lightning tells
    done = subprocess.run(
        [sys.executable, "-m", "training", *map(str, command)], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert is_sentence(done.stderr)
    assert "no.npy" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["lbk", "RUN"], "give one of --pool FILE"),
        (["gan", "RUN", "--pool", "POOL", "--crop", "64"], "give --validation FILE"),
        (["gan", "RUN", "--steps", "0"], "steps is 0; more than 0 is expected"),
        (["gan", "RUN", *BOTH, "--crop", "64", "--guide", "no"], "'no'"),
        (["estimator", "single", "RUN", "--photos", "EMPTY"], "no readable image"),
        (["estimator", "single", "RUN", "--photos", "EMPTY/none"], "EMPTY/none"),
        (["lbk", "RUN", "--pool", "OTHER"], "not a pool"),
        (["lbk", "RUN", *BOTH, "--crop", "60"], "crop is 60; a multiple of 8 is expected"),
        (["gan", "RUN", *BOTH, *PAPER, "--crop", "64"], "crop is 64; a multiple of 128"),
        (["gan", "RUN", *BOTH, "--crop", "72"], "crop is 72; the scenes of POOL have 64 px"),
        (["lbk", "RUN", "--config", "OTHER"], "options file OTHER cannot be read"),
        (["estimator", "single", "POOL/run", "--pool", "POOL"], "POOL"),
        (["render", "EMPTY", "OUT"], "no readable image"),
    ],
)
def test_inputs_that_cannot_be_used(told, pool_file, tmp_path, arguments, sentence):
    np.save(tmp_path / "other.npy", np.zeros(3))
    (tmp_path / "empty").mkdir()
    places = {
        "RUN": tmp_path / "run",
        "POOL": pool_file,
        "EMPTY": tmp_path / "empty",
        "OTHER": tmp_path / "other.npy",
        "OUT": tmp_path / "out.npy",
    }

    def placed(text):
        for name, place in places.items():
            text = text.replace(name, str(place))
        return text

    assert placed(sentence) in told(*map(placed, arguments))


def test_a_run_is_not_gone_on_with_as_something_else(run, told, pool_file, tmp_path):
    how = ["--pool", pool_file, "--validation", pool_file, "--validate-on", 2, "--crop", 32]
    how += ["--precision", "32-true", "--batch", 2, "--steps"]
    single = ["estimator", "single", tmp_path, *how]
    assert run(*single, 1)[0] == 0
    assert "steps 1, not 2" in told(*single, 2)
    assert "of another training" in told("estimator", "dual", tmp_path, *how, 1)
    (tmp_path / "checkpoint.pt").write_bytes(b"x")
    assert "checkpoint.pt is damaged" in told(*single, 1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["gna", "RUN"], "gna"),
        (["gan"], "RUN"),
        (["gan", "RUN", "--stps", 3], "--stps"),
        (["gan", "RUN", "--steps", "x"], "--steps.*'x'"),
        (["gan", "RUN", "--precision", "half"], "'half'.*--precision.*'32-true'"),
        (["estimator", "triple", "RUN"], "'triple'"),
        (["render", "PHOTOS", "OUT", "--layers", 0], "layers is 0"),
        (["evaluate", "dpdd"], "--data"),
        (["evaluate", "dpdd", "--data", "D", "--limit", 0], "limit is 0"),
    ],
)
def test_arguments_that_cannot_be_understood_are_named(told, arguments, sentence):
    assert re.search(sentence, told(*arguments))


def test_every_command_prints_its_help(run):
    for name in COMMANDS:
        assert run(name, "--help")[0] == 0
    assert run("--help")[0] == 0


def test_trainings_can_be_imported_without_the_parser_of_the_command_line():
    code = "import sys; sys.modules['tyro'] = None; "
    code += "import training.recipes, training.tasks.gan, training.data.renderer"
    subprocess.run([sys.executable, "-c", code], check=True)
