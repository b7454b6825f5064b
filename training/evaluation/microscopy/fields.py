"""Fields of view with known radii: specimens seen through vectorial optics, counted by a camera."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from training.evaluation.microscopy.matter import KINDS
from training.evaluation.microscopy.vectorial import MICROSCOPES, Microscope

Image = NDArray[np.float64]
Counts = NDArray[np.uint16]

SIDE = 256
#: Values of the camera without light, and photons in a step of its values.
OFFSET, GAIN = 100.0, 0.46
#: Half a side of the kernels, in pixels, which is also the margin that is drawn around a field.
MARGIN = 32
FINER = 2
_READ = 1.5
_PHOTONS = (20.0, 2000.0)
_BACKGROUND = (0.01, 0.08)
RADII = (2.0, 12.0)


@dataclass(frozen=True)
class Field:
    """A specimen at one depth, under one microscope.

    Attributes
    ----------
    kind : str
        Kind of specimen.
    microscope : Microscope
        The optics.
    matter : array
        (S, S) what shines, `FINER` samples a pixel, with a margin.
    photons : float
        Photons of the brightest pixel in focus.
    radius : float
        Signed radius of defocus in pixels.
    seed : int
        Seed of the noise.
    read : float
        Read noise in electrons.
    """

    kind: str
    microscope: Microscope
    matter: Image
    photons: float
    radius: float
    seed: int
    read: float = _READ

    def at(self, radius: float) -> "Field":
        """Return the same specimen at another depth, with the same noise."""
        return replace(self, radius=radius)

    @cached_property
    def _scale(self) -> float:
        return self.photons / float(self._image(0.0).max())

    @cached_property
    def sharp(self) -> Image:
        """Electrons (Y, X) that are expected in focus."""
        return self._scale * self._image(0.0)

    @cached_property
    def blurred(self) -> Image:
        """Electrons (Y, X) that are expected out of focus."""
        return self._scale * self._image(self.radius)

    def _image(self, radius: float) -> Image:
        kernel = self.microscope.kernel(radius, MARGIN - 1, FINER)
        fine = np.clip(fftconvolve(self.matter, kernel, mode="same"), 0, None)
        rows, columns = (length // FINER for length in fine.shape)
        pixels = fine.reshape(rows, FINER, columns, FINER).sum((1, 3))
        return np.asarray(pixels[MARGIN:-MARGIN, MARGIN:-MARGIN])

    @cached_property
    def electrons(self) -> Image:
        """Photons as they are counted, with read noise."""
        rng = np.random.default_rng([self.seed, 1])
        return np.asarray(
            rng.poisson(self.blurred) + self.read * rng.standard_normal(self.blurred.shape)
        )

    @cached_property
    def counts(self) -> Counts:
        """The file's values: (Y, X) of 16 bits, with an offset of 100."""
        return to_counts(self.electrons)

    @cached_property
    def kernel(self) -> Image:
        """Point-spread function in pixels, out of focus."""
        return self.microscope.kernel(self.radius, MARGIN - 1)

    @cached_property
    def in_focus(self) -> Image:
        """Point-spread function in pixels, in focus."""
        return self.microscope.kernel(0.0, MARGIN - 1)


def to_counts(electrons: Image) -> Counts:
    """Return electrons as a camera's values of 16 bits."""
    return np.asarray(np.rint(OFFSET + electrons / GAIN).clip(0, 65535).astype(np.uint16))


def to_electrons(values: NDArray[np.generic]) -> Image:
    """Return a camera's values as electrons."""
    return np.asarray((values.astype(float) - OFFSET) * GAIN)


def draw_matter(kind: str, rng: np.random.Generator) -> Image:
    """Draw a specimen of a kind on a dim background, with its margin; its brightest part is 1."""
    side = (SIDE + 2 * MARGIN) * FINER
    shining = KINDS[kind](rng, side, FINER)
    background = np.exp(rng.uniform(*np.log(_BACKGROUND)))
    if kind in ("points", "filaments"):  # thin: their light spreads even in focus
        background *= 0.1
    return np.asarray(background + shining / shining.max())


def draw_fields(
    count: int,
    seed: int,
    *,
    kinds: Sequence[str] = tuple(KINDS),
    microscopes: Sequence[Microscope] = MICROSCOPES,
    radius: float | None = None,
    photons: tuple[float, float] = _PHOTONS,
) -> Iterator[Field]:
    """Draw fields, kinds and microscopes in turn.

    Parameters
    ----------
    count, seed : int
        Number of fields, and seed.
    kinds, microscopes : sequence
        Kinds of specimens, by the names of `KINDS`, and optics.
    radius : float, optional
        Radius in pixels of all; by default log-uniform from 2 to 12, of either sign.
    photons : (float, float)
        Log-uniform range of the photons of the brightest pixel in focus.
    """
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        kind = kinds[index % len(kinds)]
        turn, place = divmod(index, len(kinds))
        microscope = microscopes[(turn + place) % len(microscopes)]
        depth = np.exp(rng.uniform(*np.log(RADII))) * rng.choice((-1, 1))
        light = float(np.exp(rng.uniform(*np.log(photons))))
        yield Field(
            kind,
            microscope,
            draw_matter(kind, rng),
            light,
            float(depth) if radius is None else radius,
            seed * 100_003 + index,
        )
