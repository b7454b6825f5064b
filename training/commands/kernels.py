"""Command that draws learned kernels."""

from pathlib import Path

import numpy as np
from PIL import Image
from tyro.conf import Positional

from napari_defocus.io.pupil_file import read_bank
from training.tensorboard_images import kernel_image

_ZOOM = 3


def show_kernels(bank: Positional[Path], out: Positional[Path]) -> None:
    """Draw every kernel of a bank by radius: the left view's above the whole pupil's.

    Parameters
    ----------
    bank : Path
        File of kernels that `lbk` or `reference-lens` wrote.
    out : Path
        Picture to write (.png).
    """
    picture = kernel_image(read_bank(bank)).permute(1, 2, 0).numpy()
    image = Image.fromarray((255 * picture).round().astype(np.uint8))
    size = (_ZOOM * image.width, _ZOOM * image.height)
    image.resize(size, Image.Resampling.NEAREST).save(out)
