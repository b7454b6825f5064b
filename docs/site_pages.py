"""Pages of the site that are made from other files: MkDocs hook.

The command line's page comes from Typer, the model cards from their JSON files, and the pages of
contributors from the Markdown files outside `docs/`. Links between files of the repository become
links between pages, or links to the repository where a file has no page.
"""

import json
import posixpath
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Page
from typer.main import get_command

from napari_defocus.cli.commands import app

ROOT = Path(__file__).resolve().parents[1]
#: Pages that are copies of files outside of `docs/`.
COPIES = {
    "develop/changelog.md": "CHANGELOG.md",
    "develop/contributing.md": "CONTRIBUTING.md",
    "develop/experiments.md": "training/EXPERIMENTS.md",
    "develop/training.md": "training/README.md",
}
_PAGES = {source: page for page, source in COPIES.items()}
_ROLE = re.compile(r":(?:class|func|mod|meth):<code>(~?)([\w.]+)</code>")
_PICTURE = re.compile(r'<img alt="[^"]*" src="([^"]+)" />')
_SHORTENED = re.compile(r"^\* `([a-z-]+)`: .*\.\.\.$", re.MULTILINE)
_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")

#: Names of figures that trainings write.
_FIGURES = {
    "aiwe1": "AIWE(1)",
    "aiwe2": "AIWE(2)",
    "mae": "mean error, px",
    "mae_px": "mean error, px",
    "mae_sure": "mean error of the more confident half, px",
    "mae_unsure": "mean error of the less confident half, px",
    "psnr": "PSNR",
    "psnr_in": "PSNR of the input",
    "within": "share within 1 px",
    "worse": "share of scenes that are worse than their input",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from other files."""
    pages = {page: (ROOT / source).read_text("utf-8") for page, source in COPIES.items()}
    pages["reference/command-line.md"] = command_line()
    pages["results/model-cards.md"] = model_cards()
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to the pages, or to the repository."""
    path = page.file.src_uri
    source = COPIES.get(path, f"docs/{path}")

    def lead(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[1]))
        return f"]({address(target, path, config)}{link[2] or ''})"

    return _LINK.sub(lead, markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make links of references in docstrings, which are written for Sphinx, and of pictures."""
    return _PICTURE.sub(r'<a class="picture" href="\1">\g<0></a>', _ROLE.sub(reference, html))


def reference(role: re.Match[str]) -> str:
    """Return a link to the documentation of an object; after a tilde, by its last name."""
    short, path = role.groups()
    text = path.rpartition(".")[2] if short else path
    path = path if path.startswith("napari_defocus.") else f"napari_defocus.{path}"
    return f'<autoref identifier="{path}" optional><code>{text}</code></autoref>'


def address(target: str, page: str, config: MkDocsConfig) -> str:
    """Return the address of a file of the repository, as seen from a page."""
    place = _PAGES.get(target) or (target.startswith("docs/") and target.removeprefix("docs/"))
    if place:
        return posixpath.relpath(place, posixpath.dirname(page) or ".")
    return f"{config.repo_url}/blob/main/{target}"


def command_line() -> str:
    """Return the page of all commands and options."""
    module = "napari_defocus.cli.commands"
    words = ["utils", "docs", "--name", "napari-defocus", "--title", "Command line"]
    command = [sys.executable, "-m", "typer", module, *words]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return _SHORTENED.sub(whole_summary, done.stdout)


def whole_summary(line: re.Match[str]) -> str:
    """Return a line of the list of commands with the whole summary, which Typer shortens."""
    summary = (get_command(app).commands[line[1]].help or "").partition("\n\n")[0]
    return f"* `{line[1]}`: {' '.join(summary.split())}"


def model_cards() -> str:
    """Return the page of the models that are part of the package."""
    paths = sorted((ROOT / "napari_defocus" / "models").glob("*.json"))
    cards = [json.loads(path.read_text("utf-8")) for path in paths]
    lines = [
        "# Model cards",
        "",
        "The models in the package, as `napari-defocus models NAME` shows them. Their weights are",
        "our own, under the license of the package. [Training](../../training/README.md) has the",
        "commands that make them, and [Accuracy](accuracy.md) those that measure them.",
    ]
    return "\n".join([*lines, *(line for card in cards for line in model_card(card))]) + "\n"


def model_card(card: dict[str, Any]) -> list[str]:
    """Return the section of a model."""
    tasks = {"single": "map of one image", "dual": "map of two views", "deblur": "deblurring"}
    rows = {
        "task": tasks[card["task"]],
        "network": f"`{card['architecture']}`",
        "version": card["version"],
        "license": card["license"],
        "sha256 of the weights": f"<code>{_breakable(card['sha256'])}</code>",
    }
    table = [
        "| property | value |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows.items()),
    ]
    return [
        "",
        f"## {card['name']}",
        "",
        card["description"],
        "",
        *table,
        "",
        f"**Training data.** {card['data']}",
        *figures(card["figures"]),
        *folded("Settings of the training", card["recipe"]),
    ]


def _breakable(digits: str) -> str:
    """Return digits that a narrow table may break."""
    return "<wbr>".join(re.findall(".{1,16}", digits))


def figures(measurements: dict[str, Any]) -> list[str]:
    """Return a table of measured results."""
    rows = [f"| {name} | {in_words(values)} |" for name, values in measurements.items()]
    return ["", "| measured on | figures |", "|---|---|", *rows] if rows else []


def in_words(value: Any) -> str:
    """Return a JSON value as one line."""
    if isinstance(value, dict):
        return "; ".join(
            f"{_FIGURES.get(name, name)}: {in_words(each)}" for name, each in value.items()
        )
    if isinstance(value, list):
        return ", ".join(map(in_words, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def folded(title: str, values: dict[str, Any]) -> list[str]:
    """Return a folded block of JSON, unless there are no values."""
    text = json.dumps(values, indent=2, ensure_ascii=False).splitlines()
    block = [f'??? note "{title}"', "", "    ```json", *(f"    {line}" for line in text), "    ```"]
    return ["", *block] if values else []
