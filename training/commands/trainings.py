"""Commands that train networks."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import torch
import typer

from napari_defocus.networks import build
from training.data.pool import Pool
from training.deblurring import deblurring_loss, deblurring_validation
from training.estimators import estimator_loss, estimator_validation
from training.fit import FitOptions, fit

PoolFile = Annotated[Path, typer.Option(help="Scenes to train on, made by `render`.")]
ValidationFile = Annotated[Path, typer.Option(help="Scenes of held-out photographs.")]
Minutes = Annotated[float, typer.Option(help="Time budget.")]
Batch = Annotated[int, typer.Option(help="Crops a step.")]
Crop = Annotated[int, typer.Option(help="Side of a crop in pixels.")]


class Estimator(StrEnum):
    """Which estimator to train."""

    single = "single"
    dual = "dual"


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
