"""Real dual-pixel scenes of a Google Pixel 4, for evaluation only: no license is stated."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_erosion, uniform_filter

_BLACK, _WHITE = 1024.0, 16383.0
_CROP = (slice(252, 252 + 1008), slice(336, 336 + 1344))
_BOX, _ERODE, _BORDER = 101, 4, 20


@dataclass(frozen=True)
class Pixel4Scene:
    """One scene, the central crop; linear light in [0, 1].

    Attributes
    ----------
    name : str
        Number of the scene.
    left, right : array
        (Y, X) float32 views, the right one corrected by the white sheet.
    all_in_focus : array
        (Y, X) float32, of the mean brightness of both views.
    truth : array
        (Y, X) float32 defocus in [0, 1], up to scale and offset.
    valid : array
        (Y, X) bool: where `truth` counts.
    """

    name: str
    left: NDArray[np.float32]
    right: NDArray[np.float32]
    all_in_focus: NDArray[np.float32]
    truth: NDArray[np.float32]
    valid: NDArray[np.bool_]


def pixel4_scenes(folder: Path) -> Iterator[Pixel4Scene]:
    """Read the scenes of a folder in order."""
    gain = _white_sheet_gain(folder / "calibration")
    for path in sorted(folder.glob("*_left.png")):
        name = path.name.removesuffix("_left.png")
        left = _linear(path)
        right = _linear(folder / f"{name}_right.png") * gain
        left, right = left[_CROP], right[_CROP]
        mean = ((left + right) / 2).astype(np.float32, copy=False)
        truth = _read(folder / f"{name}_map.png")
        valid = binary_erosion(truth > 0, iterations=_ERODE)
        valid[:_BORDER] = valid[-_BORDER:] = False
        valid[:, :_BORDER] = valid[:, -_BORDER:] = False
        yield Pixel4Scene(
            name,
            left,
            right,
            _match_mean(_read(folder / f"{name}_aif.png"), mean),
            truth / np.float32(255),
            valid,
        )


def _white_sheet_gain(folder: Path) -> NDArray[np.float32]:
    left, right = (
        _linear(folder / "white_sheet_left.png"),
        _linear(folder / "white_sheet_right.png"),
    )
    ratio = uniform_filter(left, _BOX) / uniform_filter(right, _BOX)
    return np.asarray(ratio, np.float32)


def _match_mean(image: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale an image to fit another best, where it is not empty."""
    there = image > 0
    return image * float((image * other)[there].sum() / (image[there] ** 2).sum())


def _linear(path: Path) -> NDArray[np.float32]:
    return ((_read(path) - _BLACK) / (_WHITE - _BLACK)).astype(np.float32)


def _read(path: Path) -> NDArray[np.float32]:
    with Image.open(path) as image:
        return np.asarray(image).astype(np.float32)
