"""Citation, changelog, workflows and file names, which no code reads."""

import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from napari_defocus.cli.commands import app
from napari_defocus.version import __version__

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
CITATION = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
WORKFLOWS = {
    path.name: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
_SPEC = importlib.util.spec_from_file_location("notes", ROOT / ".github" / "release_notes.py")
notes = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(notes)
_SAMPLE = "# Changelog\n\n## [0.2.0] - Unreleased\n\nMore.\n\n## [0.1.0] - 2027-01-02\n\nFirst.\n"


def test_the_citation_is_of_this_version():
    assert re.search(r"^version: (.+)$", CITATION, re.MULTILINE)[1] == __version__
    assert f"license: {PROJECT['license']}" in CITATION
    for name in ("Homepage", "Documentation"):
        assert PROJECT["urls"][name] in CITATION


def test_the_changelog_begins_with_this_version():
    versions = re.findall(r"^## \[([^\]]+)\]", CHANGELOG, re.MULTILINE)
    assert __version__ in versions[:2]  # of a version that is released, "Unreleased" lies above it
    for version in versions:
        assert f"\n[{version}]: https://" in CHANGELOG


def test_release_notes_are_those_of_the_version_that_is_tagged():
    assert notes.release_notes("v0.1.0", "0.1.0", _SAMPLE) == "First.\n"


@pytest.mark.parametrize(
    ("tag", "version", "words"),
    [
        ("v0.1.0", "0.2.0", "not that of version 0.2.0"),
        ("v0.2.0", "0.2.0", "does not say the day"),
        ("v0.3.0", "0.3.0", "does not name"),
    ],
)
def test_a_release_that_is_not_prepared_is_refused(tag, version, words):
    with pytest.raises(ValueError, match=words):
        notes.release_notes(tag, version, _SAMPLE)


def test_workflows_test_the_versions_of_python_that_are_declared():
    prefix = "Programming Language :: Python :: "
    declared = [line.removeprefix(prefix) for line in PROJECT["classifiers"] if prefix in line]
    declared = [version for version in declared if re.fullmatch(r"3\.\d+", version)]
    assert PROJECT["requires-python"] == f">={declared[0]}"
    for versions in re.findall(r"python: \[(.+)\]", WORKFLOWS["test.yml"]):
        assert re.findall(r'"(.+?)"', versions) == declared
    for name, text in WORKFLOWS.items():
        assert {*re.findall(r'"(3\.\d+)"', text)} <= {*declared}, name


def test_the_wheel_is_tried_with_every_command():
    tried = {*re.findall(r"^ +napari-defocus ([a-z-]+)", WORKFLOWS["wheel.yml"], re.MULTILINE)}
    assert {*get_command(app).commands} <= tried


def test_workflows_use_fixed_versions_of_actions():
    for name, text in WORKFLOWS.items():
        for action in re.findall(r"uses: (\S+)", text):
            if not action.startswith("./"):
                assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+(\.\d+)*", action), f"{name}: {action}"


def test_workflows_name_targets_and_files_that_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {*re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)}
    for name, text in WORKFLOWS.items():
        for target in re.findall(r"run: make (\S+)", text):
            assert target in targets, f"{name}: make {target}"
        for path in re.findall(r"(?<![\w./-])(?:\.ci|\.github|constraints|tests)/[\w./-]+", text):
            assert (ROOT / path).exists(), f"{name}: {path}"


def _tracked():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--stage"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    entries = (entry.split("\t") for entry in listed.stdout.split("\0") if entry)
    return {name: stage.split()[0] for stage, name in entries}


def test_files_can_be_checked_out_on_every_system():
    modes = _tracked()
    assert len({name.casefold() for name in modes}) == len(modes)
    for name, mode in modes.items():
        assert mode != "120000", f"{name} is a symbolic link, which Windows may not make"
        for part in Path(name).parts:
            assert not re.search(r'[<>:"|?*\\\x00-\x1f]|[. ]$', part), name
            assert not re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", part), name
        assert len(name) < 120, name
