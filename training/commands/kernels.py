"""The command that shows learned kernels."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from training.data.lenses import read_bank
from training.tensorboard_images import kernel_image

_ZOOM = 3


def show_kernels_command(
    bank: Annotated[Path, typer.Argument(help="Kernels as a run or `plant-lens` leaves them.")],
    out: Annotated[Path, typer.Argument(help="Picture to write (.png).")],
) -> None:
    """Draw every kernel of a bank by radius: the left view's, below it the whole pupil's."""
    picture = kernel_image(read_bank(bank)).permute(1, 2, 0).numpy()
    image = Image.fromarray((255 * picture).round().astype(np.uint8))
    size = (_ZOOM * image.width, _ZOOM * image.height)
    image.resize(size, Image.Resampling.NEAREST).save(out)
