"""Command line: errors that the user can correct, and help."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import training
from training.__main__ import COMMANDS, main

BOTH = ["--pool", "POOL", "--validation", "POOL"]
PAPER = ["--architecture", "paper-generator", "--width", "4"]


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command, and return its exit code and standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["training", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, capsys.readouterr().err

    return run


@pytest.fixture
def refusal(run):
    """Run a command that has to fail, and return its sentence."""

    def refusal(*arguments):
        code, message = run(*arguments)
        assert code == 2
        assert is_sentence(message)
        return message

    return refusal


def is_sentence(text):
    return text.count("\n") == 1 and "Traceback" not in text


@pytest.mark.slow
def test_a_missing_pool_is_reported_by_a_process_of_its_own(tmp_path):
    command = ["estimator", "single", tmp_path / "run", "--pool", tmp_path / "no.npy"]
    command += ["--precision", "32-true"]  # Lightning logs a line about others
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
def test_unusable_inputs_are_refused(refusal, pool_file, tmp_path, arguments, sentence):
    np.save(tmp_path / "other.npy", np.zeros(3))
    (tmp_path / "empty").mkdir()
    paths = {
        "RUN": tmp_path / "run",
        "POOL": pool_file,
        "EMPTY": tmp_path / "empty",
        "OTHER": tmp_path / "other.npy",
        "OUT": tmp_path / "out.npy",
    }

    def fill_in(text):
        for name, path in paths.items():
            text = text.replace(name, str(path))
        return text

    assert fill_in(sentence) in refusal(*map(fill_in, arguments))


def test_a_run_does_not_continue_with_other_options_or_another_training(
    run, refusal, pool_file, tmp_path
):
    options = ["--pool", pool_file, "--validation", pool_file, "--validate-on", 2, "--crop", 32]
    options += ["--precision", "32-true", "--batch", 2, "--steps"]
    single = ["estimator", "single", tmp_path, *options]
    assert run(*single, 1)[0] == 0
    assert "steps 1, not 2" in refusal(*single, 2)
    assert "of another training" in refusal("estimator", "dual", tmp_path, *options, 1)
    (tmp_path / "checkpoint.pt").write_bytes(b"x")
    assert "checkpoint.pt is damaged" in refusal(*single, 1)


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
def test_unknown_and_impossible_arguments_are_named(refusal, arguments, sentence):
    assert re.search(sentence, refusal(*arguments))


def test_every_command_prints_its_help(run):
    for name in COMMANDS:
        assert run(name, "--help")[0] == 0
    assert run("--help")[0] == 0


def test_only_commands_import_the_parser_and_the_commands():
    """So trainings run where the parser of the command line is not installed."""
    package = Path(training.__file__).parent
    for path in package.rglob("*.py"):
        if path.parent.name != "commands" and path.name != "__main__.py":
            code = path.read_text(encoding="utf-8")
            assert not re.search(r"^ *(from|import) .*\b(tyro|commands)\b", code, re.M), path
