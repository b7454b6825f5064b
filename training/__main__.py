"""Command line of the training package: ``python -m training --help``."""

import logging
import sys
from collections.abc import Mapping, Sequence

from training.commands.ablation import ablate
from training.commands.command_line import Command, parse_command
from training.commands.data import (
    join,
    pack,
    reference_lens,
    render,
    render_microscopy,
    show_batch,
)
from training.commands.kernels import show_kernels
from training.commands.models import export
from training.commands.scores import (
    calibrate,
    evaluate,
    evaluate_check,
    evaluate_microscopy,
    evaluate_stacks,
)
from training.commands.trainings import estimator, gan, lbk
from training.errors import TrainingError

COMMANDS: Mapping[str, Command] = {
    "render": render,
    "render-microscopy": render_microscopy,
    "join": join,
    "pack": pack,
    "reference-lens": reference_lens,
    "show-batch": show_batch,
    "show-kernels": show_kernels,
    "estimator": estimator,
    "lbk": lbk,
    "gan": gan,
    "ablate": ablate,
    "evaluate": evaluate,
    "evaluate-microscopy": evaluate_microscopy,
    "evaluate-check": evaluate_check,
    "evaluate-stacks": evaluate_stacks,
    "calibrate": calibrate,
    "export": export,
}


def run(arguments: Sequence[str]) -> None:
    """Run the command that the arguments name.

    Raises
    ------
    TrainingError, ValueError, OSError
        If the arguments, or files that they name, cannot be used.
    """
    parse_command(COMMANDS, arguments)()


def main() -> None:
    """Run a command; report an error of its user in one sentence, with exit code 2."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        run(sys.argv[1:] or ["--help"])
    except (TrainingError, ValueError, OSError) as error:
        logging.debug("raised here", exc_info=True)
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)
    sys.exit(0)


if __name__ == "__main__":
    main()
