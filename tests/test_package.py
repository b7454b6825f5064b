"""Contents of the wheel, dependencies, and the direction of imports."""

import importlib.util
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from graphlib import TopologicalSorter
from importlib.metadata import entry_points
from pathlib import Path, PurePosixPath

import pytest

from napari_defocus.version import __version__

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "napari_defocus"
_SPEC = importlib.util.spec_from_file_location("architecture", ROOT / "docs/draw_architecture.py")
architecture = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(architecture)
PACKAGE_IMPORTS = architecture.package_imports()
MODULE_IMPORTS = architecture.module_imports()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Modules that only pass on another package.
PASSED_ON = {"torch.utils.tensorboard": "tensorboard"}
# The name on the package index where it is not the name that is imported.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "pillow_heif": "pillow-heif",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
}


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("distributions")
    build = [sys.executable, "-m", "build", "--sdist", "--wheel", "--no-isolation"]
    command = [*build, "--outdir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def wheel(distributions):
    (path,) = distributions.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return sorted(archive.namelist())


def test_source_distribution_holds_files_alone(distributions):
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        members = archive.getmembers()
    assert members
    assert [member.name for member in members if not member.isreg()] == []
    assert f"napari_defocus-{__version__}/napari_defocus/napari.yaml" in {
        member.name for member in members
    }


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


def test_top_level_manifest_is_a_copy_of_the_one_in_the_package():
    copy, manifest = ROOT / "napari.yaml", PACKAGE / "napari.yaml"
    assert not copy.is_symlink()
    words = "run: cp napari_defocus/napari.yaml ."
    assert copy.read_bytes() == manifest.read_bytes(), words


def test_napari_and_the_shell_find_the_plugin():
    (manifest,) = entry_points(group="napari.manifest", name="napari-defocus")
    assert manifest.value == "napari_defocus:napari.yaml"
    (command,) = entry_points(group="console_scripts", name="napari-defocus")
    assert callable(command.load())


def _height(name):
    for height, names in enumerate(architecture.LAYERS):
        if name in names:
            return height
    raise AssertionError(f"{name} belongs to no layer: add it to docs/draw_architecture.py")


@pytest.mark.parametrize("name", sorted(PACKAGE_IMPORTS))
def test_imports_point_downward(name):
    for target in PACKAGE_IMPORTS[name]:
        assert _height(target) < _height(name), f"{name} imports {target}"


def test_modules_import_each_other_in_no_circle():
    list(TopologicalSorter(MODULE_IMPORTS).static_order())


def test_no_module_takes_names_from_the_top_level():
    """Names of the top level come from the highest layers, by way of a lazy import."""
    for name, targets in MODULE_IMPORTS.items():
        assert PACKAGE.name not in targets, name


def test_the_plugin_imports_nothing_of_the_checkout():
    for path in architecture.modules(PACKAGE).values():
        tops = {name.split(".")[0] for name in architecture.imports(path)}
        assert not tops & {"training", "panels", "tests", "examples", "docs"}, path


def test_the_drawn_architecture_is_that_of_the_code():
    drawn = architecture.PICTURE.read_text(encoding="utf-8")
    assert drawn == architecture.draw(), "run: python docs/draw_architecture.py"


def _declared(*extras):
    wanted = [*PROJECT["dependencies"]] if "" in extras else []
    for extra in filter(None, extras):
        wanted += PROJECT["optional-dependencies"][extra]
    return {re.split(r"[^A-Za-z0-9-]", line)[0].lower() for line in wanted}


def _foreign(folder):
    """Return what the files of a folder import from other projects, by name on the index."""
    ours = {"napari_defocus", "panels", "training", "tests"}
    ours |= {script.stem for script in (ROOT / "docs").glob("*.py")}
    paths = architecture.modules(ROOT / folder).values()
    names = {name for path in paths for name in architecture.imports(path)}
    for module, package in PASSED_ON.items():
        names = {package if name.startswith(module) else name for name in names}
    imported = {name.split(".")[0] for name in names}
    foreign = imported - ours - sys.stdlib_module_names
    return {DISTRIBUTIONS.get(name, name).lower() for name in foreign}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("napari_defocus", ["", "all", "cluster", "heic"]),
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


def test_the_lowest_versions_that_are_declared_are_those_that_are_tested():
    lines = [*PROJECT["dependencies"]]
    for extra in PROJECT["optional-dependencies"].values():
        lines += extra
    without = re.compile(r"\[.*?\]|,<[\d.]+|;.*")
    declared = {without.sub("", line).replace(">=", "==") for line in lines}
    _, *constraints = (ROOT / "constraints/lowest.txt").read_text().splitlines()
    assert declared == {*constraints}


def test_only_the_viewer_knows_napari_and_qt():
    for path in architecture.modules(PACKAGE).values():
        if path.relative_to(PACKAGE).parts[0] != "viewer":
            tops = {name.split(".")[0] for name in architecture.imports(path)}
            assert not tops & {"napari", "qtpy", "magicgui", "superqt"}, path
