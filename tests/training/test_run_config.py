"""Options on the command line, in a file, and in the folder of a run."""

import dataclasses
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tyro.conf import Positional

from training.commands.command_line import parse_command
from training.engine.checkpoint import save_checkpoint
from training.errors import TrainingError
from training.recipes import EstimatorConfig, GanConfig, LbkConfig
from training.run_config import flatten, read_options, save_options


@dataclass(frozen=True)
class Inner:
    count: int = 3
    mode: Literal["fast", "slow"] = "fast"
    loud: bool = False


@dataclass(frozen=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    rate: float = 0.5
    limit: int | None = None
    file: Path | None = None


OUTERS = st.builds(
    Outer,
    inner=st.builds(
        Inner, count=st.integers(), mode=st.sampled_from(["fast", "slow"]), loud=st.booleans()
    ),
    rate=st.floats(allow_nan=False, allow_infinity=False),
    limit=st.none() | st.integers(),
    file=st.none() | st.sampled_from([Path("a/b"), Path("c")]),
)
NOTHING = frozenset()


def parse(*arguments):
    """Return the arguments of a command's call."""
    calls = []

    def command(
        run: Positional[Path], config: Path | None = None, options: Outer = Outer()
    ) -> None:
        calls.append((run, options))

    words = ["command", *map(str, arguments)]
    parse_command({"command": command, "other": print_nothing}, words)()
    [call] = calls
    return call


def print_nothing() -> None:
    """Do nothing."""


@pytest.fixture
def run_folder(tmp_path):
    """Folder of a run that has made a step with other options than the defaults."""
    save_options(tmp_path, Outer(rate=0.25, inner=Inner(count=4)), may_differ=NOTHING)
    save_checkpoint(tmp_path, {"step": 1})
    return tmp_path


def test_options_that_are_left_out_have_their_defaults():
    assert parse("there") == (Path("there"), Outer())


def test_every_field_is_an_option():
    all_options = [
        "--count",
        7,
        "--mode",
        "slow",
        "--loud",
        "--rate",
        2,
        "--limit",
        9,
        "--file",
        "f",
    ]
    run, options = parse("there", *all_options)
    assert run == Path("there")
    assert options == Outer(Inner(7, "slow", True), 2.0, 9, Path("f"))


def test_options_override_the_file_which_overrides_the_defaults(tmp_path):
    file = tmp_path / "some.json"
    file.write_text(json.dumps({"rate": 0.125, "inner": {"count": 8}}))
    _, options = parse("there", "--config", file, "--count", 9)
    assert options == Outer(Inner(count=9), rate=0.125)


@given(options=OUTERS)
def test_saved_options_are_read_unchanged(tmp_path_factory, options):
    folder = tmp_path_factory.mktemp("run")
    save_options(folder, options, may_differ=NOTHING)
    assert read_options(folder / "config.json", Outer) == options


def test_a_run_continues_with_the_same_options_only(run_folder):
    before = (run_folder / "config.json").read_text()
    save_options(run_folder, Outer(rate=0.25, inner=Inner(count=4)), may_differ=NOTHING)
    with pytest.raises(TrainingError, match=r"count 4, not 3, rate 0\.25, not 0\.5") as error:
        save_options(run_folder, Outer(), may_differ=NOTHING)
    assert "\n" not in str(error.value)
    assert (run_folder / "config.json").read_text() == before


def test_options_that_may_differ_are_saved_with_their_new_values(run_folder):
    save_options(run_folder, Outer(inner=Inner(count=4)), may_differ=frozenset({"rate"}))
    assert read_options(run_folder / "config.json", Outer).rate == 0.5


def test_a_run_without_a_checkpoint_accepts_any_options(tmp_path):
    save_options(tmp_path, Outer(rate=0.25), may_differ=NOTHING)
    save_options(tmp_path, Outer(), may_differ=NOTHING)
    assert read_options(tmp_path / "config.json", Outer) == Outer()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "cannot be read"),
        ("[1]", "cannot be read"),
        ('{"rte": 1}', "unknown option rte"),
        ('{"inner": {"rate": 1}}', r"unknown option inner\.rate"),
        ('{"rate": "high"}', "impossible rate: 'high'"),
        ('{"inner": {"count": 1.5}}', r"impossible count: 1\.5"),
        ('{"inner": {"count": true}}', "impossible count: True"),
        ('{"inner": {"mode": "medium"}}', "impossible mode: 'medium'"),
        ('{"inner": {"loud": 1}}', "impossible loud: 1"),
        ('{"file": 3}', "impossible file: 3"),
    ],
)
def test_an_invalid_file_is_refused_in_one_sentence(tmp_path, content, complaint):
    file = tmp_path / "some.json"
    file.write_text(content)
    with pytest.raises(TrainingError, match=complaint) as error:
        read_options(file, Outer)
    assert "some.json" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("config", [EstimatorConfig, GanConfig, LbkConfig])
def test_the_names_of_all_options_of_a_training_differ(config, tmp_path):
    def leaves(value):
        inner = [getattr(value, f.name) for f in dataclasses.fields(value)]
        return sum(leaves(v) if dataclasses.is_dataclass(v) else 1 for v in inner)

    options = config()
    assert len(flatten(options)) == leaves(options)
    changed = replace(options, data=replace(options.data, pool=Path("x"), crop=64))
    save_options(tmp_path, changed, may_differ=NOTHING)
    assert asdict(read_options(tmp_path / "config.json", config)) == asdict(changed)


@pytest.mark.parametrize("name", ["paper", "natural"])
def test_presets_hold_options_of_the_generator(name):
    presets = Path(__file__).parents[2] / "training" / "presets"
    read_options(presets / f"{name}.json", GanConfig)
