"""Sources of the pictures in `docs/pictures`, and the record of those that each was made from.

The scripts that make pictures record their sources in `docs/pictures/sources.json`, and tests
compare these with the present ones. A picture is outdated where one of these has changed:

- the results of a model in it, as `tests/models/golden` stores them: weights and pipeline may
  change as long as results stay;
- the samples in it;
- the code that draws it, without comments and docstrings;
- for screenshots, the words in the widget: tabs, buttons, labels and choices.

Slow tests make the panels again and compare pixels. Layout and colors of widgets need eyes. Kernels
that a training has learned have no sources: they show a run that is not repeated.

``python docs/picture_sources.py`` lists the outdated pictures and the commands that make them;
with names of pictures, it records sources of those that were made by another command.
"""

import ast
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
RECORD = FOLDER / "sources.json"
_WORDS = "words in the widget"
_SAMPLES = "napari_defocus/samples"


@dataclass(frozen=True)
class Sources:
    """Command that makes a picture, and what it is made from.

    Parameters
    ----------
    command : str
        Command line that makes the picture.
    models : tuple of str
        Names of the models whose results it shows.
    files : tuple of str
        Samples and code, as paths in the repository.
    widget : str, optional
        Display name of the widget that it shows.
    """

    command: str
    models: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    widget: str | None = None

    def digests(self) -> dict[str, str]:
        """Return a digest of each source but the words in a widget, by its name."""
        golden = {f"results of {name}": f"tests/models/golden/{name}.npz" for name in self.models}
        paths = golden | {path: path for path in self.files}
        return {name: digest_file(ROOT / path) for name, path in paths.items()}


def _panel(models: str, *files: str) -> Sources:
    drawing = "docs/pictures.py", "panels/panel.py", "napari_defocus/map_colors.py"
    return Sources("python docs/pictures.py", tuple(models.split()), (*files, *drawing))


def _screenshot(models: str, *files: str, widget: str | None) -> Sources:
    files = (*files, "docs/screenshots.py")
    return Sources("python docs/screenshots.py", tuple(models.split()), files, widget)


def _sample(*names: str) -> tuple[str, ...]:
    return tuple(f"{_SAMPLES}/{name}" for name in names)


_SCENE = "napari_defocus/viewer/files/samples.py"
_STAIRWELL = _sample("stairwell-left.png", "stairwell-right.png")
_OSPREY = _sample("osprey-missed-focus.jpg")
#: Corrections of maps of micrographs, which golden results do not show.
_CORRECTIONS = tuple(
    f"napari_defocus/{name}.py"
    for name in (
        *("evidence/spectrum", "pipeline/micrograph"),
        *("pipeline/consistency", "pipeline/richardson_lucy"),
    )
)
_DOCK = {"widget": "Defocus"}
_KERNELS = "python -m training show-kernels"
_REPORT = "napari_defocus/batch/report_page.py", "napari_defocus/batch/thumbnails.py"

#: Sources of every picture. Those of `training/README.md` are made by its commands.
PICTURES = {
    "stairwell.jpg": _panel(
        "single photo-faithful", *_STAIRWELL, *_sample("stairwell-sharp.png"), "examples/demo.py"
    ),
    "canyon-wren.jpg": _panel(
        "single photo-faithful", *_sample("canyon-wren.jpg"), "examples/demo.py"
    ),
    "known-radii.jpg": _panel("single photo-faithful", _SCENE),
    "planted-fraud.jpg": _panel("", _SCENE),
    "specimen.jpg": _panel(
        "microscopy-single microscopy-faithful",
        "training/evaluation/microscopy/specimens.py",
        *_CORRECTIONS,
    ),
    "missed-focus.jpg": Sources(
        "python docs/missed_focus.py",
        ("single", "photo-faithful"),
        (*_OSPREY, *_sample("osprey-head-sharp.jpg"), "docs/missed_focus.py"),
    ),
    "dock-map.jpg": _screenshot("single", *_sample("canyon-wren.jpg"), **_DOCK),
    "dock-edit.jpg": _screenshot("single", *_sample("canyon-wren.jpg"), **_DOCK),
    "dock-compare.jpg": _screenshot("single photo-faithful", *_OSPREY, **_DOCK),
    "dock-preview.jpg": _screenshot("single photo-faithful", *_OSPREY, **_DOCK),
    "widget-focus-stack.jpg": _screenshot("microscopy-single", _SCENE, widget="Focus Stack"),
    "widget-batch.jpg": _screenshot("single photo-faithful", *_OSPREY, widget="Batch"),
    "batch-report.jpg": _screenshot("single photo-faithful", *_OSPREY, *_REPORT, widget=None),
    "calibration-single.png": Sources("python -m training calibrate", ("single",)),
    "calibration-dual-pixel.png": Sources("python -m training calibrate", ("dual-pixel",)),
    "check-detection.png": Sources(
        "python -m training evaluate-check", ("single", "microscopy-single")
    ),
    "speed.png": Sources(
        "python benchmarks/comparison.py",
        files=("benchmarks/comparison.py", "benchmarks/rivals.py"),
    ),
    "lbk-canon.png": Sources(_KERNELS),
    "lbk-reference.png": Sources(_KERNELS),
    "lbk-learned.png": Sources(_KERNELS),
    "lbk-canon-maps.jpg": Sources("python -m training lbk"),
}


def main() -> None:
    for name in sys.argv[1:]:
        record(FOLDER / name)
    for name in [] if sys.argv[1:] else PICTURES:
        for source in outdated(name):
            print(f"{name} is older than {source}; make it by: {PICTURES[name].command}")


def record(path: Path, words: list[str] | None = None) -> None:
    """Record the present sources of a picture that was just made.

    Parameters
    ----------
    path : pathlib.Path
        The picture; nothing is recorded of one in another folder.
    words : list of str, optional
        Words in the widget that it shows.
    """
    if path.resolve().parent != FOLDER:
        return
    sources = PICTURES[path.name].digests()
    if words is not None:
        sources[_WORDS] = digest_words(words)
    records = read_records() | {path.name: sources}
    text = json.dumps(dict(sorted(records.items())), indent=1) + "\n"
    RECORD.write_text(text, encoding="utf-8")


def read_records() -> dict[str, dict[str, str]]:
    """Return the digests of the sources that each picture was made from."""
    records: dict[str, dict[str, str]] = json.loads(RECORD.read_text("utf-8"))
    return records


def outdated(name: str, words: list[str] | None = None) -> list[str]:
    """Return the sources that have changed since a picture was made.

    Parameters
    ----------
    name : str
        File name of the picture.
    words : list of str, optional
        Present words in the widget that it shows; not compared by default.
    """
    recorded = read_records().get(name, {})
    present = PICTURES[name].digests()
    if words is not None:
        present[_WORDS] = digest_words(words)
    elif PICTURES[name].widget is not None:
        present[_WORDS] = recorded.get(_WORDS, "")
    sources = sorted(present.keys() | recorded.keys())
    return [source for source in sources if present.get(source) != recorded.get(source)]


def digest_file(path: Path) -> str:
    """Return a digest of a file; of Python code, without comments and docstrings."""
    if path.suffix == ".py":
        return _digest("\n".join(code_lines(path.read_text("utf-8"))).encode())
    return _digest(path.read_bytes())


def code_lines(text: str) -> list[str]:
    """Return the lines of Python code, without docstrings, whole-line comments and empty lines."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            for number in range(docstring.lineno, (docstring.end_lineno or 0) + 1):
                lines[number - 1] = ""
    kept = (line.rstrip() for line in lines)
    return [line for line in kept if line and not line.lstrip().startswith("#")]


def digest_words(words: list[str]) -> str:
    """Return a digest of the words in a widget, whatever their order."""
    return _digest("\n".join(sorted(set(words))).encode())


def widget_words(widget: Any) -> list[str]:
    """Return the words of tabs, buttons, labels and choices in a widget of the plugin.

    The panel's steps are made first.
    """
    from qtpy.QtWidgets import QAbstractButton, QComboBox, QLabel, QTabBar

    bars = widget.native.findChildren(QTabBar)
    words = [bar.tabText(number) for bar in bars for number in range(bar.count())]
    if hasattr(widget, "step"):
        for name in words:
            widget.step(name)
    for kind in (QAbstractButton, QLabel):
        words += [each.text() for each in widget.native.findChildren(kind)]
    for choice in widget.native.findChildren(QComboBox):
        words += [choice.itemText(number) for number in range(choice.count())]
    return [word for word in words if word]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


if __name__ == "__main__":
    main()
