"""Commands that bring models into the plugin."""

import json
from pathlib import Path
from typing import Annotated

import typer


def export_command(
    run: Annotated[Path, typer.Argument(help="Folder of the run.")],
    name: Annotated[str, typer.Argument(help="single, dual-pixel or photo-faithful.")],
    folder: Annotated[Path, typer.Option(help="The registry.")] = Path("napari_defocus/models"),
    figures: Annotated[str, typer.Option(help="Figures for the card, as JSON.")] = "{}",
) -> None:
    """Write the weights of a run into the plugin."""
    from training.export import export

    last = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    recipe = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    recipe["steps"] = json.loads(last)["step"]
    measured = {"held-out rendered scenes": json.loads(last)} | json.loads(figures)
    card = export(run, name, folder, recipe=recipe, figures=measured)
    typer.echo(f"{card.name}: {card.path} {card.sha256[:12]}")
