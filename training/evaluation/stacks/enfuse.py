"""The program enfuse, if it is installed, on the same planes of 8 bits."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_defocus.io import read_picture, write_picture

#: As its manual recommends for focus stacks: contrast alone decides, and one plane for each pixel.
_SETTINGS = (
    "--exposure-weight=0",
    "--saturation-weight=0",
    "--contrast-weight=1",
    "--hard-mask",
    "--gray-projector=l-star",
)


def is_installed() -> bool:
    """Return whether there is such a program."""
    return shutil.which("enfuse") is not None


def enfuse(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return planes (K, Y, X) or (K, Y, X, 3) merged, (Y, X, 3)."""
    colors = planes if planes.ndim == 4 else np.repeat(planes[..., None], 3, -1)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number:03d}.tif" for number in range(len(colors))]
        for file, plane in zip(files, colors, strict=True):
            write_picture(file, plane, channel_axis=-1)
        out = Path(folder) / "out.tif"
        command = ["enfuse", *_SETTINGS, f"--output={out}", *map(str, files)]
        subprocess.run(command, check=True, capture_output=True)
        merged: NDArray[np.uint8] = read_picture(out).data
    return merged[..., :3]
