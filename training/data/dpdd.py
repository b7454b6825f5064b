"""The seven half-size Canon dual-pixel scenes of the DPDD authors' repository."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class DpddScene:
    """One scene; images (Y, X, 3) float32 in [0, 1], display-encoded.

    Attributes
    ----------
    name : str
        Number of the scene.
    blurred, target : array
        Photograph at wide aperture, and at small aperture.
    dpdnet : array
        Result of DPDNet from the two views.
    left, right : array
        Dual-pixel views.
    """

    name: str
    blurred: NDArray[np.float32]
    target: NDArray[np.float32]
    dpdnet: NDArray[np.float32]
    left: NDArray[np.float32]
    right: NDArray[np.float32]


def dpdd_scenes(folder: Path) -> Iterator[DpddScene]:
    """Read the scenes of a folder in order."""
    for path in sorted(folder.glob("*_input.tif")):
        name = path.name.removesuffix("_input.tif")

        def part(kind: str, name: str = name) -> NDArray[np.float32]:
            with Image.open(folder / f"{name}_{kind}.png") as image:
                return np.asarray(image.convert("RGB"), np.float32) / np.float32(255)

        blurred = tifffile.imread(path).astype(np.float32) / np.float32(65535)
        yield DpddScene(name, blurred, part("target"), part("dpdnet"), part("view0"), part("view1"))
