"""Commands that score models."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Benchmark(StrEnum):
    """What to evaluate on."""

    dpdd = "dpdd"
    pixel4 = "pixel4"


def evaluate_command(
    benchmark: Annotated[Benchmark, typer.Argument(help="Which scenes.")],
    data: Annotated[Path, typer.Option(help="Folder with dpdd/ and pixel4/.")],
    lpips: Annotated[Path, typer.Option(help="Folder of the LPIPS weights.")] = Path("lpips"),
    model: Annotated[str, typer.Option(help="Model to score: a name or a file.")] = "auto",
    scale: Annotated[str, typer.Option(help="Scale of Pixel 4 maps: auto, or 1, 2, 4.")] = "auto",
    csv: Annotated[Path | None, typer.Option(help="Also write the table here.")] = None,
) -> None:
    """Print the scores of a model on real scenes as a Markdown table."""
    from training.evaluate import evaluate_dpdd, evaluate_pixel4, markdown, write_csv

    if benchmark is Benchmark.dpdd:
        rows = evaluate_dpdd(data / "dpdd", lpips, deblur_model=model)
    else:
        size = scale if scale == "auto" else int(scale)
        rows = evaluate_pixel4(data / "pixel4", map_model=model, scale=size)
    typer.echo(markdown(rows))
    if csv is not None:
        write_csv(csv, rows)
