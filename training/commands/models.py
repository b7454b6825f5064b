"""Commands that bring models into the plugin."""

import json
from pathlib import Path
from typing import Annotated

import typer

from training.errors import TrainingError
from training.export import MODELS, export


def export_command(
    run: Annotated[Path, typer.Argument(help="Folder of the run.")],
    name: Annotated[str, typer.Argument(help=f"Which model it becomes: {', '.join(MODELS)}.")],
    folder: Annotated[Path, typer.Option(help="The registry.")] = Path("napari_defocus/models"),
    figures: Annotated[str, typer.Option(help="More figures for the card, as JSON.")] = "{}",
) -> None:
    """Write the weights that a run left into the plugin."""
    if name not in MODELS:
        raise TrainingError(f"there is no model {name!r}; known are {', '.join(MODELS)}")
    try:
        more = json.loads(figures)
    except ValueError as error:
        raise TrainingError(f"--figures is no JSON: {error}") from error
    card = export(run, name, folder, figures=more)
    typer.echo(f"{card.name}: {card.path} {card.sha256[:12]}")
