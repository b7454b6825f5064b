"""Commands, examples and links of the README and the documentation."""

import ast
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_defocus.cli import main

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
TEXTS = [ROOT / "README.md", *PAGES, *sorted((ROOT / "training").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for name in ("photo.jpg", "left.png", "right.png"):
        Image.fromarray(rng.integers(0, 255, (64, 80, 3), np.uint8)).save(tmp_path / name)
    stack = rng.integers(0, 4000, (3, 64, 64), np.uint16)
    tifffile.imwrite(tmp_path / "stack.tif", stack, metadata={"axes": "ZYX"}, imagej=True)
    for folder in ("scans", "more"):
        (tmp_path / folder).mkdir()
        tifffile.imwrite(tmp_path / folder / f"{folder}.tif", stack[0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python_examples_run(workplace):
    names = {}
    for block in _blocks("python"):
        exec(block, names)  # the README is ours
    assert names["sharp_stack"].shape == names["stack"].shape
    assert (names["sharp"][:40, :40] == names["photo"][:40, :40]).all()


def _commands():
    lines = [line for block in _blocks("sh") for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if "napari-defocus " in line]


def _run(command, monkeypatch):
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0, command


def test_commands_run(workplace, monkeypatch):
    commands = [command for command in _commands() if "--workers" not in command]
    assert len(commands) >= 5
    for command in commands:
        _run(command, monkeypatch)
    written = {path.name for path in workplace.iterdir()}
    assert {"photo-defocus.tif", "map.png", "photo-deblurred.jpg", "sharp.tif"} <= written


@pytest.mark.process
def test_commands_with_workers_run(workplace, monkeypatch):
    commands = [command for command in _commands() if "--workers" in command]
    assert commands
    for command in commands:
        command[command.index("--workers") + 1] = "1"  # each takes seconds to start
        _run(command, monkeypatch)
        assert (workplace / "results" / "report.html").exists()


def test_targets_of_make_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z]+)", "\n".join(_blocks("sh")), re.MULTILINE))
    assert {"demo", "app", "test"} <= named <= targets


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(path):
    links = re.findall(r"\]\(((?!http)[^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
    for link in links:
        assert path.parent.joinpath(link).exists(), link


def test_readme_leads_to_every_page_of_the_documentation():
    for page in PAGES:
        path = page.relative_to(ROOT).as_posix()
        assert f"]({path})" in README, path


def test_architecture_names_modules_that_exist():
    text = (ROOT / "docs" / "develop" / "architecture.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`([a-z_/]+\.(?:py|yaml))`", text))
    folders = [ROOT, ROOT / "napari_defocus", ROOT / "napari_defocus" / "pipeline"]
    folders += [ROOT / "napari_defocus" / "inference", ROOT / "napari_defocus" / "io"]
    folders.append(ROOT / "tests" / "io")
    assert len(names) > 20
    for name in names:
        assert any((folder / name).exists() for folder in folders), name


def test_promises_name_tests_that_exist():
    text = (ROOT / "docs" / "reference" / "promises.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:tests|benchmarks)/[a-z_/]+\.py)`", text))
    assert len(paths) > 10
    for path in paths:
        assert (ROOT / path).exists(), path


def test_tests_that_the_documentation_names_exist():
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("*.py"))
    functions = {
        node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    }
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for name, more in re.findall(r"`(test_\w+)(\.\.\.)?`", text):
            named = [each for each in functions if each == name or (more and each.startswith(name))]
            assert named, f"{page.name} names {name}{more}"
        for name in re.findall(r"`(tests/[\w/]+(?:\.py)?)`", text):
            assert (ROOT / name).exists(), f"{page.name} names {name}"
