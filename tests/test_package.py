"""What is shipped, what an import costs, and who may import whom."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path, PurePosixPath

import pytest

from napari_defocus.version import __version__

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "napari_defocus"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Lowest first: a layer imports from those before it only.
LAYERS = [
    {"arrays", "colors", "errors", "io", "lazy", "maps", "panel", "provenance", "version"},
    {"optics"},
    {"networks"},
    {"models"},
    {"inference"},
    {"planes"},
    {"api"},
    {"batch"},
    {"cli", "viewer"},
]
# Modules of one package that are but a door to another.
THROUGH = {"torch.utils.tensorboard": "tensorboard"}
# The name on the package index where it is not the name that is imported.
DISTRIBUTIONS = {"PIL": "pillow", "skimage": "scikit-image"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return sorted(archive.namelist())


def test_wheel_holds_the_package_alone(wheel):
    tops = {PurePosixPath(name).parts[0] for name in wheel}
    assert tops == {"napari_defocus", f"napari_defocus-{__version__}.dist-info"}


def test_wheel_holds_every_file_of_the_package_that_git_tracks(wheel):
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "napari_defocus"], cwd=ROOT, check=True, capture_output=True
    )
    tracked = {name for name in listed.stdout.decode().split("\0") if name}
    assert "napari_defocus/napari.yaml" in tracked
    assert "napari_defocus/py.typed" in tracked
    assert {name for name in tracked if (ROOT / name).exists()} <= set(wheel)


def test_wheel_brings_weights_for_every_card(wheel):
    cards = [name for name in wheel if re.fullmatch(r"napari_defocus/models/[^/]+\.json", name)]
    assert cards
    for card in cards:
        assert card.replace(".json", ".safetensors") in wheel


def test_wheel_brings_the_license(wheel):
    assert any(name.endswith("licenses/LICENSE") for name in wheel)


def test_top_level_manifest_is_a_link_to_the_one_in_the_package():
    link = ROOT / "napari.yaml"
    assert link.is_symlink()
    assert link.resolve() == PACKAGE / "napari.yaml"


def test_napari_and_the_shell_find_the_plugin():
    (manifest,) = entry_points(group="napari.manifest", name="napari-defocus")
    assert manifest.value == "napari_defocus:napari.yaml"
    (command,) = entry_points(group="console_scripts", name="napari-defocus")
    assert callable(command.load())


def test_import_is_light():
    heavy = (
        "torch napari npe2 qtpy superqt magicgui PyQt6 PIL tifffile dask zarr scipy skimage typer"
    )
    code = f"import sys, napari_defocus; print(*set(sys.modules) & set({heavy.split()!r}))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_everything_promised_can_be_imported_by_name():
    package = importlib.import_module("napari_defocus")
    assert {"estimate_defocus", "deblur", "reblur", "DefocusMap"} <= set(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None


def _modules(folder):
    return sorted(folder.rglob("*.py"))


def _imported(path):
    """Yield the absolute name of every module that a file imports, wherever in the file."""
    package = [*path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            if node.module:
                yield ".".join([*base, node.module])
            else:
                yield from (".".join([*base, alias.name]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def _layer(name):
    for height, names in enumerate(LAYERS):
        if name in names:
            return height
    raise AssertionError(f"{name} belongs to no layer: add it to LAYERS")


@pytest.mark.parametrize(
    "path", _modules(PACKAGE)[1:], ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_point_downward(path):
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    for name in _imported(path):
        top, *inner = name.split(".")
        assert top != "training", f"{own} imports {name}"
        if top == "napari_defocus" and inner and inner[0] not in (own, "__version__"):
            lower = _layer(inner[0]) < _layer(own)
            beside = _layer(inner[0]) == _layer(own) == 0
            assert lower or beside, f"{own} imports {name}"


def _declared(*extras):
    wanted = [*PROJECT["dependencies"]] if "" in extras else []
    for extra in filter(None, extras):
        wanted += PROJECT["optional-dependencies"][extra]
    return {re.split(r"[^A-Za-z0-9-]", line)[0].lower() for line in wanted}


def _foreign(folder):
    """Names, on the package index, of what the files of a folder import and is not ours."""
    ours = {"napari_defocus", "training", "tests"}
    modules = {name for path in _modules(ROOT / folder) for name in _imported(path)}
    imported = {THROUGH.get(name, name).split(".")[0] for name in modules}
    foreign = imported - ours - sys.stdlib_module_names
    return {DISTRIBUTIONS.get(name, name).lower() for name in foreign}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("napari_defocus", ["", "all", "cluster"]),
        ("training", ["", "training"]),
        ("tests", ["", "all", "training", "dev"]),
    ],
)
def test_every_dependency_that_is_imported_is_declared(folder, extras):
    assert _foreign(folder) <= _declared(*extras)


@pytest.mark.parametrize(
    ("folder", "extras"), [("napari_defocus", ["", "all"]), ("training", ["training"])]
)
def test_every_dependency_that_is_declared_is_imported(folder, extras):
    assert _declared(*extras) <= _foreign(folder)


def test_only_the_viewer_knows_napari_and_qt():
    for path in _modules(PACKAGE):
        if path.relative_to(PACKAGE).parts[0] != "viewer":
            tops = {name.split(".")[0] for name in _imported(path)}
            assert not tops & {"napari", "qtpy", "magicgui", "superqt"}, path
