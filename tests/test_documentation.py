"""Commands, examples and links of the README and the documentation."""

import ast
import contextlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml
from PIL import Image
from scipy import ndimage
from typer.main import get_command

from napari_defocus.cli import main
from napari_defocus.cli.commands import app
from tests import ngff_stores
from tests.markdown_blocks import blocks
from training.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "docs"))

import links  # noqa: E402

PAGES = sorted((ROOT / "docs").rglob("*.md"))
README = ROOT / "README.md"
GUIDES = [README, *PAGES]
TEXTS = [*GUIDES, *sorted(ROOT.glob("C*.md")), *sorted((ROOT / "training").glob("*.md"))]
#: Options of commands that start processes; a test starts one alone.
WORKERS = "--workers"


def _name(path):
    return path.relative_to(ROOT).as_posix()


def _starts_processes(page):
    return any(WORKERS in words for block in blocks(page) for words in block.commands)


def _with_examples():
    for page in PAGES:
        if any(block.language in ("python", "sh") and block.run for block in blocks(page)):
            marks = [pytest.mark.process] if _starts_processes(page) else []
            yield pytest.param(page, id=_name(page), marks=marks)


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """Return the names that examples use; the files that they name lie in the working folder."""
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 255, (64, 80, 3), np.uint8)
    stack = _focus_stack(rng)
    photographs = ["photo.jpg", "photo-sharp.jpg", "left.png", "right.png"]
    for folder in ("scans", "more", "burst"):
        (tmp_path / folder).mkdir()
    photographs += ["burst/1.jpg", "burst/2.jpg"]
    for number, name in enumerate(photographs):
        Image.fromarray(np.roll(colors, number, axis=0)).save(tmp_path / name)
    for number, plane in zip((1, 2, 10), stack, strict=True):
        photograph = np.clip(plane / 8, 0, 255).astype(np.uint8)
        Image.fromarray(photograph).convert("RGB").save(tmp_path / f"exposure{number}.jpg")
    tifffile.imwrite(tmp_path / "stack.tif", stack, metadata={"axes": "ZYX"}, imagej=True)
    for folder in ("scans", "more"):
        tifffile.imwrite(tmp_path / folder / f"{folder}.tif", colors, photometric="rgb")
    with contextlib.suppress(pytest.skip.Exception):
        scale = [{"type": "scale", "scale": [0.5, 0.2, 0.2]}]
        image = {"steps": scale, "axes": [_micrometers(axis) for axis in "zyx"]}
        ngff_stores.write_plate(tmp_path / "plate.zarr", ["B/3", "C/4"], data=stack, **image)
    monkeypatch.chdir(tmp_path)
    names = {"image": colors, "sharp": colors.copy(), "stack": stack, "images": [colors] * 2}
    return {**names, "defocus": np.ones(colors.shape[:2], np.float32)}


def _focus_stack(rng):
    """Return points of light, in focus in the second plane."""
    points = (rng.random((64, 64)) > 0.95) * 4000.0
    planes = [ndimage.gaussian_filter(points, sigma) for sigma in (2.5, 0.7, 2.5)]
    return rng.poisson(np.stack(planes) + 20).astype(np.uint16)


def _micrometers(axis):
    return {"name": axis, "type": "space", "unit": "micrometer"}


@pytest.mark.parametrize("page", [*_with_examples()])
def test_examples_run(page, workplace, monkeypatch):
    _run_examples(page, workplace, monkeypatch)


@pytest.mark.process
def test_examples_of_the_readme_run(workplace, monkeypatch):
    _run_examples(README, workplace, monkeypatch)
    written = {path.name for path in Path().iterdir()}
    assert {"photo-defocus.tif", "photo-deblurred.jpg"} <= written


def _run_examples(page, names, monkeypatch):
    for block in blocks(page):
        if block.language == "python" and block.run:
            exec(block.text, names)  # the pages are ours
        elif block.language == "sh" and block.run:
            for words in block.commands:
                _run(words, monkeypatch)


def _run(words, monkeypatch):
    if words[0] != "napari-defocus":
        return
    if words[1] != "batch":  # which takes patterns; others have the shell fill them in
        words = [path for word in words for path in _matches(word)]
    if WORKERS in words:
        words[words.index(WORKERS) + 1] = "1"  # each takes seconds to start
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0, words


def _matches(word):
    return sorted(map(str, Path().glob(word))) if "*" in word else [word]


@pytest.mark.parametrize("page", GUIDES, ids=_name)
def test_commands_and_options_exist(page):
    commands = get_command(app).commands
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for block in blocks(page):
        for words in block.commands if block.language == "sh" else []:
            if words[0] == "napari-defocus":
                options = {name for each in commands[words[1]].params for name in each.opts}
                assert {word for word in words if word.startswith("--")} <= options, words
            elif words[0] == "make":
                assert set(words[1:]) <= targets, words
            elif words[:3] == ["python", "-m", "training"]:
                assert words[3] in COMMANDS, words
            elif words[0] == "python" and words[1].endswith(".py"):
                assert (ROOT / words[1]).exists(), words


@pytest.mark.parametrize("path", TEXTS, ids=_name)
def test_links_lead_to_files_and_headings(path):
    made = {"docs/results/model-cards.md", "docs/reference/command-line.md"}
    link_pattern = r"\]\((?!http)([^)#\s]*)(?:#([^)\s]+))?\)"
    for link, anchor in re.findall(link_pattern, path.read_text(encoding="utf-8")):
        target = path.parent.joinpath(link).resolve() if link else path
        assert target.exists() or _name(target) in made, link
        if anchor:
            assert anchor in _anchors(target), f"{link}#{anchor}"


def _anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    words = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"[\s-]+", "-", each) for each in words}


def test_external_links_have_the_form_of_links():
    found = links.external_links()
    assert {"https://napari.org", "https://napari-defocus.github.io/napari-defocus"} <= set(found)
    assert {link: links.problem(link) for link in found if links.problem(link)} == {}


@pytest.mark.parametrize(
    "link",
    ["http://napari.org", "https://napari", "https://napari.org.", f"{links.OWN}NO_FILE.md"],
)
def test_links_of_another_form_are_named(link):
    assert links.problem(link)


def test_every_page_is_in_the_navigation():
    text = re.sub(r"!!python\S*", "", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    listed = re.findall(r"[\w/-]+\.md", str(yaml.safe_load(text)["nav"]))
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in PAGES]
    assert set(pages) <= set(listed)
    assert len(listed) == len(set(listed))


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
