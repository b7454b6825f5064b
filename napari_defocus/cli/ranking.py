"""The command rank: pictures from the sharpest to the least sharp, and why."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import typer

from ..batch.inputs import find_inputs
from ..errors import FileError, printable
from ..io import check_target
from ..io.atomic import atomic_file
from ..options import Options
from ..stacks.rank import RankedImage, measure_image, rank_measures
from ..steps import run_to_end
from .console import print_path, progress_bar
from .inputs import read_input, resolve_input


def rank_files(
    inputs: Sequence[str], table: Path | None, model: str, options: Options, *, overwrite: bool
) -> None:
    """Rank files, print a line for each, and write a table if asked for."""
    if table is not None:
        if table.suffix.lower() != ".csv":
            raise FileError(f"{table} is for a table; give a name that ends in .csv")
        check_target(table, overwrite=overwrite)
    paths = [file.path for file in find_inputs(inputs)]
    measures = []
    for path in paths:
        picture = read_input(path, options)
        own = resolve_input(path, picture, options)
        with progress_bar(f"rank {path.name}") as progress:
            measures.append(
                run_to_end(measure_image(picture.data, model, own, str(path)), progress)
            )
    ranked = rank_measures(measures)
    for place, image in enumerate(ranked, 1):
        text = image.statement
        if not image.is_best:
            text = text.replace("another one", printable(paths[image.group].name))
        typer.echo(f"{place}. {printable(paths[image.index].name)}: {text}")
    if table is not None:
        _write_table(table, ranked, paths, overwrite=overwrite)


def _write_table(
    path: Path, ranked: Sequence[RankedImage], paths: Sequence[Path], *, overwrite: bool
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = ("sharpest", "share_in_focus", "confidence", "group", "statement")
    writer.writerow(["place", "file", *columns])
    for place, image in enumerate(ranked, 1):
        figures = [image.radius, image.share_in_focus, image.confidence]
        group = paths[image.group].name
        row = [place, paths[image.index], *(f"{figure:.6g}" for figure in figures), group]
        writer.writerow([*row, image.statement])
    with atomic_file(path, overwrite=overwrite, follow_links=False) as file:
        file.write(text.getvalue().encode(errors="backslashreplace"))
    print_path(path)
