"""The command line of the training package: ``python -m training --help``."""

import logging
import sys

import typer

from training.commands.ablation import ablate_command
from training.commands.data import (
    join_command,
    plant_lens_command,
    render_command,
    render_microscopy_command,
    show_batch_command,
)
from training.commands.kernels import show_kernels_command
from training.commands.models import export_command
from training.commands.scores import (
    calibrate_command,
    evaluate_command,
    evaluate_microscopy_command,
)
from training.commands.trainings import estimator_command, gan_command, lbk_command
from training.errors import TrainingError

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command("render")(render_command)
app.command("render-microscopy")(render_microscopy_command)
app.command("join")(join_command)
app.command("plant-lens")(plant_lens_command)
app.command("show-batch")(show_batch_command)
app.command("show-kernels")(show_kernels_command)
app.command("estimator")(estimator_command)
app.command("lbk")(lbk_command)
app.command("gan")(gan_command)
app.command("ablate")(ablate_command)
app.command("evaluate")(evaluate_command)
app.command("evaluate-microscopy")(evaluate_microscopy_command)
app.command("calibrate")(calibrate_command)
app.command("export")(export_command)


def main() -> None:
    """Run a command; what its user can mend ends it with one sentence and exit code 2."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        app()
    except (TrainingError, ValueError, OSError) as error:
        logging.debug("raised here", exc_info=True)
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
