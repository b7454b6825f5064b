"""Corpus of sharp photographs, and random crops that are sharp to the pixel."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from napari_defocus.optics.light import decode_srgb
from training.data.held_out import split
from training.data.images import image_files, read_colors, readable
from training.data.rng import SampleRNG
from training.errors import TrainingError

#: Log-uniform ranges of the downscale that makes photographs sharp to the pixel, and of the zoom
#: that varies the size of what they show.
_DOWNSCALE, _ZOOM = (1.1, 3.5), (0.25, 1.0)
#: Number of levels of a photograph's pyramid, each half as large as the one before.
_LEVELS = 3


def photographs(folder: Path, *, held_out: bool) -> list[Path]:
    """List the photographs of a folder, either those kept for evaluation or all the others."""
    return split(image_files(folder), held_out=held_out)


class Corpus:
    """Sharp photographs in memory, from which random sharp crops are drawn.

    Parameters
    ----------
    paths : iterable of Path
        Image files. One that cannot be read is named in the log, skipped and listed in `broken`.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self.broken: list[Path] = []
        self.images: list[Tensor] = list(readable(paths, _bytes, self.broken))
        if not self.images:
            raise TrainingError("the corpus holds no readable image that may be used")
        self._pyramids = [_pyramid(image) for image in self.images]

    def crops(self, rng: SampleRNG, count: int, size: int, *, tries: int = 4) -> Tensor:
        """Draw sharp crops.

        Parameters
        ----------
        rng : SampleRNG
            N streams.
        count : int
            Crops for each stream.
        size : int
            Side in pixels.
        tries : int
            Number of candidates for each crop; the sharpest is kept.

        Returns
        -------
        Tensor
            (N, count, 3, size, size) linear light in [0, 1], downscaled by random factors, on the
            device of rng.
        """
        self._pyramids = [[level.to(rng.device) for level in p] for p in self._pyramids]
        shares = self._shares(size)
        drawn = [
            self._candidate(size, stream, shares)
            for stream in rng.streams
            for _ in range(count * tries)
        ]
        candidates = torch.stack(drawn).view(-1, tries, 3, size, size)
        sharpest = _sharpness(candidates.flatten(0, 1)).view(-1, tries).argmax(1)
        chosen = candidates[torch.arange(len(candidates), device=rng.device), sharpest]
        return decode_srgb(chosen).view(len(rng), count, 3, size, size)

    def _shares(self, size: int) -> NDArray[np.float64]:
        """Return cumulative probabilities of the photographs; too small ones are never drawn."""
        sides = np.array([min(image.shape[1:]) for image in self.images])
        weights = np.sqrt([image[0].numel() for image in self.images]) * (sides >= size)
        if not weights.any():
            raise TrainingError(
                f"no photograph is {size} px wide and high; the largest has {sides.max()} px"
            )
        return np.cumsum(weights / weights.sum())

    def _candidate(
        self, size: int, stream: np.random.Generator, shares: NDArray[np.float64]
    ) -> Tensor:
        pick, shrink, zoom, top, left = stream.random(5)
        index = min(int(np.searchsorted(shares, pick, "right")), len(shares) - 1)
        height, width = self.images[index].shape[1:]
        factor = _interpolate_log(_DOWNSCALE, shrink) / _interpolate_log(_ZOOM, zoom)
        side = min(round(size * factor), height, width)
        level = min(int(np.log2(side / size)), _LEVELS - 1)
        image, side = self._pyramids[index][level], side >> level
        y, x = (
            int(share * (length - side + 1))
            for share, length in zip((top, left), image.shape[1:], strict=True)
        )
        crop = image[None, :, y : y + side, x : x + side].float() / 255
        return functional.interpolate(
            crop, (size, size), mode="bilinear", antialias=True, align_corners=False
        )[0].clamp(0, 1)


def _bytes(path: Path) -> Tensor:
    pixels = read_colors(path)
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    return torch.from_numpy(pixels).permute(2, 0, 1)


def _interpolate_log(ends: tuple[float, float], share: float) -> float:
    """Interpolate between two values by a share, logarithmically."""
    low, high = ends
    return float(low * (high / low) ** share)


def _pyramid(image: Tensor) -> list[Tensor]:
    """Return an image (3, H, W) uint8 and its halves and quarters."""
    levels = [image]
    while len(levels) < _LEVELS:
        half = functional.avg_pool2d(levels[-1].float(), 2, ceil_mode=True)
        levels.append(half.round().byte())
    return levels


def _sharpness(display: Tensor) -> Tensor:
    """Return the share (M,) of small patches whose finest detail is strong for their contrast."""
    gray = display.mean(1, keepdim=True)
    near = _mean_of_nine(gray, 1)
    around = _mean_of_nine(near, 3)  # nine squares of 3 x 3 px: one of 9 x 9 px
    inner = gray[..., 4:-4, 4:-4]
    energy = functional.avg_pool2d((inner - near[..., 3:-3, 3:-3]) ** 2, 16).sqrt()
    contrast = functional.avg_pool2d((inner - around) ** 2, 16).sqrt()
    crisp = (energy > 0.012) & (energy > 0.3 * contrast)
    return (crisp.float() + 0.001 * energy).mean((1, 2, 3))


def _mean_of_nine(image: Tensor, apart: int) -> Tensor:
    """Return the mean of 3 x 3 values `apart` px from each other, without padding."""
    twice = 2 * apart
    rows = image[..., :-twice, :] + image[..., apart:-apart, :] + image[..., twice:, :]
    return (rows[..., :-twice] + rows[..., apart:-apart] + rows[..., twice:]) / 9
