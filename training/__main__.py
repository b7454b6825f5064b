"""The command line of the training package: ``python -m training --help``."""

import logging

import typer

from training.commands.data import plant_lens_command, render_command, show_batch_command
from training.commands.models import export_command
from training.commands.scores import evaluate_command
from training.commands.trainings import estimator_command, gan_command, lbk_command

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command("render")(render_command)
app.command("plant-lens")(plant_lens_command)
app.command("show-batch")(show_batch_command)
app.command("estimator")(estimator_command)
app.command("lbk")(lbk_command)
app.command("gan")(gan_command)
app.command("evaluate")(evaluate_command)
app.command("export")(export_command)

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    app()
