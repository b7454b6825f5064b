"""Commands that train networks."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from lightning.fabric.utilities import rank_zero_only

from training.options import with_options
from training.recipes import (
    EstimatorConfig,
    GanConfig,
    LbkConfig,
    estimator_task,
    gan_task,
    lbk_task,
    train,
)

Run = Annotated[Path, typer.Argument(help="Folder of the run; a run found there goes on.")]


class Kind(StrEnum):
    """Which estimator to train."""

    single = "single"
    dual = "dual"


def _estimator(
    kind: Annotated[Kind, typer.Argument(help="From one image, or from two views.")],
    run: Run,
    options: EstimatorConfig,
) -> None:
    """Train a defocus estimator on rendered radii, or on a teacher's maps."""
    dual = kind is Kind.dual
    done = train(
        run,
        options,
        options.fit,
        lambda fabric: estimator_task(options, fabric, dual=dual),
        {"estimator": str(kind)},
    )
    _tell(run, done)


def _gan(run: Run, options: GanConfig) -> None:
    """Train the deblurring network, against an adversary if it has a weight."""
    _tell(run, train(run, options, options.fit, lambda fabric: gan_task(options, fabric), {}))


def _lbk(run: Run, options: LbkConfig) -> None:
    """Learn defocus maps and blur kernels from dual-pixel views; no radius is ever shown."""
    _tell(run, train(run, options, options.fit, lambda fabric: lbk_task(options, fabric), {}))


@rank_zero_only
def _tell(run: Path, done: bool) -> None:
    goes_on = "stopped; the same command goes on, with more --minutes if these are spent"
    typer.echo(f"{run}: {'done' if done else goes_on}")


estimator_command = with_options(_estimator, EstimatorConfig)
gan_command = with_options(_gan, GanConfig)
lbk_command = with_options(_lbk, LbkConfig)
