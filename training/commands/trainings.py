"""Commands that train networks."""

from pathlib import Path
from typing import Literal

from lightning.fabric.utilities import rank_zero_only
from tyro.conf import Positional

from training.recipes import (
    EstimatorConfig,
    GanConfig,
    LbkConfig,
    estimator_training,
    gan_training,
    lbk_training,
    train,
)


def estimator(
    kind: Positional[Literal["single", "dual"]],
    run: Positional[Path],
    config: Path | None = None,
    options: EstimatorConfig = EstimatorConfig(),  # noqa: B008
) -> None:
    """Train a defocus estimator on rendered radii, or on a teacher's maps.

    Parameters
    ----------
    kind : {"single", "dual"}
        Estimate from one image, or from two views.
    run : Path
        Folder of the run; a run that is already there is continued.
    config : Path
        File of options as a run keeps it; options of the command line take precedence.
    """
    del config  # read before the command line is parsed
    done = train(
        run,
        options,
        lambda fabric: estimator_training(options, fabric, dual=kind == "dual"),
        {"estimator": kind},
    )
    _report(run, done)


def gan(
    run: Positional[Path],
    config: Path | None = None,
    options: GanConfig = GanConfig(),  # noqa: B008
) -> None:
    """Train the deblurring network, with a discriminator if --adversarial-weight is not 0.

    Parameters
    ----------
    run : Path
        Folder of the run; a run that is already there is continued.
    config : Path
        File of options as a run keeps it; options of the command line take precedence.
    """
    del config
    _report(run, train(run, options, lambda fabric: gan_training(options, fabric), {}))


def lbk(
    run: Positional[Path],
    config: Path | None = None,
    options: LbkConfig = LbkConfig(),  # noqa: B008
) -> None:
    """Learn defocus maps and blur kernels from dual-pixel views, without true radii.

    Parameters
    ----------
    run : Path
        Folder of the run; a run that is already there is continued.
    config : Path
        File of options as a run keeps it; options of the command line take precedence.
    """
    del config
    _report(run, train(run, options, lambda fabric: lbk_training(options, fabric), {}))


@rank_zero_only
def _report(run: Path, done: bool) -> None:
    stopped = "stopped; repeat the command to go on, with more --minutes if these are used up"
    print(f"{run}: {'done' if done else stopped}")
