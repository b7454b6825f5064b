"""Rendered fluorescent specimens, of kinds and optics held out of training."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_defocus.optics.convolution import convolve
from training.data.fluorescence import HELD_OUT, fluorescent_textures
from training.data.random_microscopes import RandomMicroscopes
from training.data.rng import SampleRNG

Image = NDArray[np.float32]
Counts = NDArray[np.uint16]

SIDE = 256
OFFSET = 100.0
MARGIN = 32
_RADII = (2.0, 5.0)
_PHOTONS = (20.0, 500.0)
_READ = (0.7, 3.0)
_SPOT_GRID = 4
_SPOT_WIDTH = 0.8


@dataclass(frozen=True)
class Specimen:
    """A rendered image with its true image, kernels and radius.

    Attributes
    ----------
    counts : array
        (Y, X) uint16 counts: photons, read noise, and an offset of 100.
    sharp : array
        (Y, X) float32 expected counts in focus, with the offset.
    blurred : array
        (Y, X) float32 expected counts out of focus, with the offset.
    in_focus, kernel : array
        (S, S) point-spread functions of sum 1: in focus, and out of focus.
    radius : float
        Blur radius in px, everywhere the same.
    """

    counts: Counts
    sharp: Image
    blurred: Image
    in_focus: Image
    kernel: Image
    radius: float

    @property
    def light(self) -> Image:
        """True image in focus, without the offset."""
        return self.sharp - np.float32(OFFSET)


def structures(rng: SampleRNG, side: int, kinds: Sequence[str] = HELD_OUT) -> Tensor:
    """Return rods and vesicles, or other kinds, (1, 1, side, side), scaled to a maximum of 1."""
    return fluorescent_textures(rng, side, kinds)[:, :1]


def half_empty(rng: SampleRNG, side: int) -> Tensor:
    """Return such structures with an empty, dark right half."""
    matter = structures(rng, side)
    matter[..., side // 2 :] = 0
    return matter


def spots(rng: SampleRNG, side: int) -> Tensor:
    """Return single spots of varied brightness, far apart, on a dark background."""
    places = spot_places(side)
    line = torch.arange(side, dtype=torch.float32)
    square = (line[:, None] - places[:, :1, None]) ** 2 + (line - places[:, 1:, None]) ** 2
    brightness = rng.log_uniform(0.3, 1, len(places), 1, 1)[0]
    drawn = brightness * (-0.5 * square / _SPOT_WIDTH**2).exp()
    return 0.01 + drawn.sum(0, keepdim=True)[None]


def spot_places(side: int) -> Tensor:
    """Return row and column of the spots, (P, 2), in pixels of the square with its margin."""
    inner = side - 2 * MARGIN
    line = MARGIN + inner * (torch.arange(_SPOT_GRID) + 0.5) / _SPOT_GRID
    return torch.cartesian_prod(line, line)


def specimens(
    count: int,
    seed: int,
    matter: Callable[[SampleRNG, int], Tensor] = structures,
    photons: tuple[float, float] = _PHOTONS,
    frames: int = 1,
) -> Iterator[list[Specimen]]:
    """Draw specimens, each in several frames that differ by their noise alone.

    Parameters
    ----------
    count, seed : int
        Number of specimens, and seed.
    matter : callable
        Function that draws structures (1, 1, side, side) from a rng and a side.
    photons : (float, float)
        Log-uniform range of the photons that a pixel of the brightest structure counts in focus.
    frames : int
        Frames of each specimen.
    """
    for sample in range(count):
        rng = SampleRNG.from_key(seed, samples=[sample])
        microscope = RandomMicroscopes(held_out=True).draw(rng)
        radius = float(rng.log_uniform(*_RADII))
        above = 1 if bool(rng.bernoulli(0.5)) else -1
        at = torch.tensor([0.0, above * radius])
        kernels = microscope.kernels(torch.zeros(2, dtype=torch.long), at, MARGIN - 1)[:, 0]
        shining = matter(rng, SIDE + 2 * MARGIN)
        inner = slice(MARGIN, MARGIN + SIDE)
        sharp, blurred = convolve(shining, kernels)[0, :, 0, inner, inner].clamp(min=0)
        scale = rng.log_uniform(*photons)[0] / sharp.max()
        read = rng.log_uniform(*_READ, 1, 1)
        take = partial(_count_photons, scale * blurred, read, rng)
        yield [
            Specimen(
                take(),
                (OFFSET + scale * sharp).numpy(),
                (OFFSET + scale * blurred).numpy(),
                kernels[0].numpy(),
                kernels[1].numpy(),
                radius,
            )
            for _ in range(frames)
        ]


def _count_photons(light: Tensor, read: Tensor, rng: SampleRNG) -> Counts:
    counts = rng.poisson(light[None])[0] + (read * rng.noise(*light.shape))[0]
    return np.rint(OFFSET + counts.numpy()).clip(0, 65535).astype(np.uint16)
