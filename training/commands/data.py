"""Commands that make training data, and show them."""

from pathlib import Path
from typing import Annotated

import typer

from training.data.corpus import Corpus, photographs
from training.data.pool import write_pool
from training.data.scene import SceneOptions


def render_command(
    photos: Annotated[Path, typer.Argument(help="Folder of sharp photographs.")],
    out: Annotated[Path, typer.Argument(help="File of scenes to write (.npy).")],
    count: Annotated[int, typer.Option(help="Number of scenes.")] = 8000,
    seed: Annotated[int, typer.Option(help="Same seed, same scenes.")] = 0,
    held_out: Annotated[
        bool, typer.Option(help="Use the photographs kept for evaluation.")
    ] = False,
) -> None:
    """Render dual-pixel scenes of known blur from sharp photographs."""
    corpus = Corpus(photographs(photos, held_out=held_out))
    write_pool(out, corpus, count, seed, SceneOptions())
