"""The command line of the training package: ``python -m training --help``."""

import json
import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import torch
import typer

from napari_defocus.networks import build
from training.data.corpus import Corpus, photographs
from training.data.pool import Pool, write_pool
from training.data.scene import SceneOptions
from training.deblurring import deblurring_loss, deblurring_validation
from training.estimators import estimator_loss, estimator_validation
from training.fit import FitOptions, fit

app = typer.Typer(no_args_is_help=True, add_completion=False)

PoolFile = Annotated[Path, typer.Option(help="Scenes to train on, made by `render`.")]
ValidationFile = Annotated[Path, typer.Option(help="Scenes of held-out photographs.")]
Minutes = Annotated[float, typer.Option(help="Time budget.")]
Batch = Annotated[int, typer.Option(help="Crops a step.")]
Crop = Annotated[int, typer.Option(help="Side of a crop in pixels.")]


class Estimator(StrEnum):
    """Which estimator to train."""

    single = "single"
    dual = "dual"


class Benchmark(StrEnum):
    """What to evaluate on."""

    dpdd = "dpdd"
    pixel4 = "pixel4"


@app.command("render")
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


@app.command("estimator")
def estimator_command(
    kind: Annotated[Estimator, typer.Argument(help="From one image, or from two views.")],
    run: Annotated[Path, typer.Argument(help="Folder of the run.")],
    pool: PoolFile,
    validation: ValidationFile,
    minutes: Minutes = 30.0,
    batch: Batch = 8,
    crop: Crop = 128,
) -> None:
    """Train a defocus estimator on rendered radii."""
    dual = kind is Estimator.dual
    options = FitOptions(minutes=minutes)
    torch.manual_seed(options.seed)
    fit(
        build(f"{kind}-estimator", {}),
        estimator_loss(Pool(pool), dual=dual, batch=batch, crop=crop),
        estimator_validation(Pool(validation), dual=dual),
        run,
        options,
        scenes=len(Pool(pool)),
        batch=batch,
        crop=crop,
    )


@app.command("deblur")
def deblur_command(
    run: Annotated[Path, typer.Argument(help="Folder of the run.")],
    estimator: Annotated[Path, typer.Option(help="Run of a single-image estimator.")],
    pool: PoolFile,
    validation: ValidationFile,
    minutes: Minutes = 30.0,
    batch: Batch = 8,
    crop: Crop = 128,
) -> None:
    """Train the deblurring network on rendered scenes."""
    guide = build("single-estimator", {}).eval()
    guide.load_state_dict(torch.load(estimator / "average.pt", weights_only=True))
    options = FitOptions(minutes=minutes)
    torch.manual_seed(options.seed)
    fit(
        build("generator", {}),
        deblurring_loss(Pool(pool), guide, batch=batch, crop=crop),
        deblurring_validation(Pool(validation), guide),
        run,
        options,
        scenes=len(Pool(pool)),
        batch=batch,
        crop=crop,
    )


@app.command("evaluate")
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


@app.command("export")
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


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    app()
