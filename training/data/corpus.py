"""Sharp photographs: which may be trained on, and crops that are sharp to the pixel."""

import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional

from napari_defocus.optics.light import decode_srgb

_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"}
_HELD_OUT = Path(__file__).with_name("held_out.txt")
_log = logging.getLogger(__name__)


def held_out_hashes() -> frozenset[str]:
    """SHA-256 of every photograph that no network may be trained on."""
    return frozenset(_HELD_OUT.read_text(encoding="utf-8").split())


def photographs(folder: Path, *, held_out: bool) -> list[Path]:
    """The photographs of a folder, either those kept for evaluation or all the others."""
    kept = held_out_hashes()
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    return [
        path
        for path in files
        if (hashlib.sha256(path.read_bytes()).hexdigest() in kept) is held_out
    ]


class Corpus:
    """Sharp photographs in memory, from which random sharp crops are drawn.

    Parameters
    ----------
    paths : iterable of Path
        Image files. One that cannot be read is named in the log, skipped and listed in `broken`.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self.images: list[np.ndarray] = []
        self.broken: list[Path] = []
        for path in paths:
            try:
                with Image.open(path) as image:
                    self.images.append(np.asarray(image.convert("RGB")))
            except (OSError, UnidentifiedImageError, SyntaxError) as error:
                _log.warning("skipped %s: %s", path, error)
                self.broken.append(path)
        if not self.images:
            raise ValueError("the corpus holds no readable image")
        pixels = np.array([image.shape[0] * image.shape[1] for image in self.images], float)
        self._weights = np.sqrt(pixels) / np.sqrt(pixels).sum()

    def crop(self, size: int, rng: np.random.Generator, *, tries: int = 4) -> Tensor:
        """Draw a sharp crop.

        Parameters
        ----------
        size : int
            Side in pixels.
        rng : numpy Generator
            The source of chance.
        tries : int
            How many candidates to draw; the sharpest is kept.

        Returns
        -------
        Tensor
            (3, size, size) linear light in [0, 1], downscaled by a random factor.
        """
        candidates = [self._candidate(size, rng) for _ in range(tries)]
        best = max(candidates, key=_sharpness)
        if rng.random() < 0.5:
            best = best.flip(-1)
        return decode_srgb(best)

    def _candidate(self, size: int, rng: np.random.Generator) -> Tensor:
        image = self.images[rng.choice(len(self.images), p=self._weights)]
        room = min(image.shape[:2]) / size
        shrink = min(room, float(np.exp(rng.uniform(np.log(1.1), np.log(3.5)))))
        side = min(round(size * shrink), *image.shape[:2])
        top = rng.integers(image.shape[0] - side + 1)
        left = rng.integers(image.shape[1] - side + 1)
        crop = torch.from_numpy(image[top : top + side, left : left + side].copy())
        crop = crop.permute(2, 0, 1)[None].float() / 255
        return functional.interpolate(
            crop, (size, size), mode="bilinear", antialias=True, align_corners=False
        )[0].clamp(0, 1)


def _sharpness(display: Tensor) -> float:
    """Share of small patches whose finest detail is strong beside their coarser contrast."""
    grey = display.mean(0)[None, None]
    fine = grey - functional.avg_pool2d(grey, 3, 1, 1)
    coarse = grey - functional.avg_pool2d(grey, 9, 1, 4)
    energy = functional.avg_pool2d(fine**2, 16).sqrt()
    contrast = functional.avg_pool2d(coarse**2, 16).sqrt()
    crisp = (energy > 0.012) & (energy > 0.3 * contrast)
    return crisp.float().mean().item() + 0.001 * energy.mean().item()
