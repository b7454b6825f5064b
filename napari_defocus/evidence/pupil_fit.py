"""Shape of a lens's pupil, from a sharp picture and its blurred image.

Kernels are not known, yet the pair tells them: blurred again by the right ones, the picture agrees
with its image everywhere. A few shapes span most pupils, and blur is linear in their weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..optics.light import decode_srgb, encode_srgb
from ..optics.pupil import Floats, Pupil, PupilImage, equivalent_radius, sample_pupil
from ..optics.reblur import interpolated_reblur, reblur_layers
from .bands import GRID, local_mean, octave_bands, octave_gains
from .noise import NoiseModel
from .residual import (
    CONTRAST,
    MODEL_ERROR,
    UNKNOWN,
    WINDOWS,
    eliminate_fields,
)

#: Distance in radii of the shifted disk, radius of the larger one, radius of the dark middle of a
#: ring, and width of narrow shapes.
_SHIFT, _LARGER, _DARK, _NARROW, _DIAGONAL = 0.2, 1.1, 0.6, 0.7, math.sqrt(2)
#: Standard deviation of the weights before anything is seen.
_PRIOR = 0.5
#: Degrees of freedom of Student's distribution of what windows leave: frauds and edges of near
#: objects are outliers, and count little.
_FREEDOM = 3.0
#: Median energy, over the expected one, from which on two pictures have little in common, and any
#: pupil that makes them more alike is wrong.
_UNRELATED = 12.0
#: Share of the samples that count as independent: errors of the model are the same at many places.
_TEMPER = 0.02
_ROUNDS = 6
#: Steps of the fit, because the least light is none.
_STEPS = 2
#: Standard deviation in px of the window in which brightness is measured.
_WINDOW = 4.0


@dataclass(frozen=True)
class Pair:
    """A part of a sharp picture and its image, gray and display-encoded; each (H, W).

    Parameters
    ----------
    sharp, image : Tensor
        The pictures.
    radius : Tensor
        Signed radius in px.
    unknown, valid : Tensor
        Where the light is unknown, 0 to 1; where both are finite, 0 or 1.
    """

    sharp: Tensor
    image: Tensor
    radius: Tensor
    unknown: Tensor
    valid: Tensor

    @classmethod
    def of(cls, inputs: Tensor) -> Pair:
        """Return the pair in what `EvidenceNetwork` takes, (7, H, W), without the rim."""
        sharp, image, radius, _, unknown, outside, valid = inputs
        rim = math.ceil(float(radius.abs().max())) + 1
        inner = torch.zeros_like(valid)
        inner[rim:-rim, rim:-rim] = valid[rim:-rim, rim:-rim]
        return cls(sharp, image, radius, (unknown + outside).clamp(0, 1), inner)


@dataclass(frozen=True)
class Shapes:
    """The disk, and shapes toward which a pupil may differ from it.

    Parameters
    ----------
    disk : PupilImage
        The uniform disk.
    others : tuple of PupilImage
        Shapes whose light is mixed: a larger disk, and others of the disk's mean square width.
    shifted : tuple of PupilImage
        The disk, shifted down and to the right.
    """

    disk: PupilImage
    others: tuple[PupilImage, ...]
    shifted: tuple[PupilImage, PupilImage]

    @property
    def count(self) -> int:
        """Number of weights."""
        return len(self.others) + len(self.shifted)

    def mix(self, weights: Sequence[float]) -> PupilImage:
        """Return the pupil of weights of `others` and `shifted`."""
        *shares, down, right = weights
        disk = self.disk.image / self.disk.image.sum()
        image = disk.copy()
        for other, share in zip(self.others, shares, strict=True):
            image += share * (other.image / other.image.sum() - disk)
        middle = (len(image) - 1) / 2
        step = _SHIFT * self.disk.radius
        center = middle - down * step, middle - right * step
        return PupilImage(image.clip(0), self.disk.radius, center=center)

    def changes(self, largest: int) -> Tensor:
        """Return the kernels (K, R, S, S) of each shape less those of the disk.

        They are those of the radii 0 to `largest` px behind the plane of focus.
        """
        pupils = (*self.others, *self.shifted)
        half = max(pupil.reach(largest) for pupil in pupils)
        radii = range(largest + 1)
        disk = torch.stack([_padded(self.disk.kernel(-float(r)), half) for r in radii])
        return torch.stack(
            [
                torch.stack([_padded(pupil.kernel(-float(r)), half) for r in radii]) - disk
                for pupil in pupils
            ]
        )


def _padded(kernel: Tensor, half: int) -> Tensor:
    room = half - kernel.shape[-1] // 2
    return torch.nn.functional.pad(kernel, (room, room, room, room))


@lru_cache(maxsize=1)
def shapes() -> Shapes:
    """Return the shapes whose weights are fit."""

    def ellipse(y: Floats, x: Floats) -> Floats:
        return (y**2 + x**2 <= 1).astype(float)

    def as_wide(light: Callable[[Floats, Floats], Floats]) -> PupilImage:
        """Return a shape enlarged so that its mean square width is the disk's."""
        size = equivalent_radius(sample_pupil(light).image) / disk.radius
        return sample_pupil(lambda y, x: light(y * size, x * size))

    disk = sample_pupil(ellipse)
    middle = (len(disk.image) - 1) / 2
    step = _SHIFT * disk.radius
    others = (
        sample_pupil(lambda y, x: ellipse(y / _LARGER, x / _LARGER)),
        as_wide(lambda y, x: ellipse(y, x) - ellipse(y / _DARK, x / _DARK)),
        as_wide(lambda y, x: (1.5 - np.hypot(y, x)).clip(0, 1)),
        as_wide(lambda y, x: ellipse(y, x / _NARROW)),
        as_wide(lambda y, x: ellipse(y / _NARROW, x)),
        as_wide(lambda y, x: ellipse((y + x) / _DIAGONAL, (y - x) / _DIAGONAL / _NARROW)),
    )
    shifted = (
        replace(disk, center=(middle - step, middle)),
        replace(disk, center=(middle, middle - step)),
    )
    return Shapes(disk, others, shifted)


def fit_pupil(pairs: Sequence[Pair], noise: NoiseModel, *, linear: bool) -> Pupil:
    """Return the pupil that explains an image best as its sharp picture blurred.

    Parameters
    ----------
    pairs : sequence of Pair
        Parts of both, with all that blur reaches.
    noise : NoiseModel
        Noise of the image.
    linear : bool
        Whether linear light is compared, not display values.

    Notes
    -----
    Weights of shapes by least squares over windows and bands, as in `excess`: what errors of the
    radius, of contrast and unknown light explain in each window is projected out, and windows that
    disagree count less (iteratively reweighted, for Student's distribution).
    """
    parts = [_Part(pair, noise, linear=linear) for pair in pairs]
    weights = torch.zeros(shapes().count, dtype=torch.float64)
    for _ in range(_STEPS):
        pupil = shapes().mix(weights.tolist())
        weights, left = _solve([form for part in parts for form in part.forms(pupil)], weights)
        weights[0] = weights[0].clamp(-1, 1)
        if left > _UNRELATED:
            return shapes().disk
    return shapes().mix(weights.tolist())


def _solve(forms: Sequence[_Forms], start: Tensor) -> tuple[Tensor, float]:
    """Return the weights (K,) that leave least, near those that the forms were made with.

    Also returned is the median of what they leave, over what is expected.
    """
    products = torch.cat([form.products for form in forms], -1)
    expected = torch.cat([form.expected for form in forms])
    count = torch.cat([form.count for form in forms])
    prior = torch.eye(len(start), dtype=start.dtype) / _PRIOR**2
    step = torch.zeros_like(start)
    for _ in range(_ROUNDS):
        change = torch.cat([torch.ones_like(step[:1]), step])
        left = torch.einsum("i,ijm,j->m", change, products, change).clamp(min=0) / expected
        trust = _TEMPER * count * (_FREEDOM + 1) / (_FREEDOM + left) / expected
        matrix = (products[1:, 1:] * trust).sum(-1) + prior
        vector = (products[0, 1:] * trust).sum(-1) + prior @ start
        step = torch.linalg.solve(matrix, -vector)
    return start + step, float(left.median())


@dataclass(frozen=True)
class _Forms:
    """Energy of what windows leave, as a quadratic form of the weights; M windows.

    Parameters
    ----------
    products : Tensor
        (1 + K, 1 + K, M), the first row being that of the residual.
    expected, count : Tensor
        (M,) expected energy, and number of independent samples.
    """

    products: Tensor
    expected: Tensor
    count: Tensor


class _Part:
    """What the fit needs of a pair, whatever the pupil is.

    Parameters
    ----------
    pair, noise, linear
        As for `fit_pupil`.
    """

    def __init__(self, pair: Pair, noise: NoiseModel, *, linear: bool) -> None:
        self._pair, self._linear = pair, linear
        self._image = decode_srgb(pair.image) if linear else pair.image
        changes = pair.valid * self._toward_shapes()
        self._changes = octave_bands(torch.cat([changes, self._image[None]]))
        self._level = noise.at(local_mean(pair.image[None], _WINDOW)[0])

    def forms(self, pupil: Pupil) -> list[_Forms]:
        """Return the forms of each band, for steps from a pupil."""
        blurred, unknown = self._blur(pupil, self._pair.unknown)
        residual = self._pair.valid * (blurred - self._image)
        own = octave_bands(torch.stack([residual, unknown]))
        fields = torch.cat([own[:, :1], self._changes, own[:, 1:]], 1)
        return [
            _form(band, level, window, gain / octave_gains()[0])
            for band, level, window, gain in zip(
                fields, self._level, WINDOWS, octave_gains(), strict=True
            )
        ]

    def _toward_shapes(self) -> Tensor:
        """Return how the blurred picture changes toward each shape (K, H, W).

        What near objects hide is left out of account, which is no matter to a change.
        """
        light, radius = decode_srgb(self._pair.sharp)[None, None], self._pair.radius
        kernels = shapes().changes(math.ceil(float(radius.abs().max())))
        linear = torch.cat(
            [interpolated_reblur(light, radius[None, None], each)[0] for each in kernels]
        )
        linear[-len(shapes().shifted) :] *= torch.where(radius > 0, -1.0, 1.0)
        if self._linear:
            return linear
        blurred = self._blur(shapes().disk)[0]
        return encode_srgb(decode_srgb(blurred) + linear) - blurred

    def _blur(self, pupil: Pupil, *further: Tensor) -> Tensor:
        """Return the picture (1 + F, H, W) blurred, and so further planes of light."""
        light = torch.stack([decode_srgb(self._pair.sharp), *further])
        again = reblur_layers(light[None], self._pair.radius[None, None], pupil)[0]
        again[0] = again[0] if self._linear else encode_srgb(again[0])
        return again


def _form(band: Tensor, level: Tensor, window: float, share: float) -> _Forms:
    """Return the form of one band.

    Parameters
    ----------
    band : Tensor
        (F, H, W): residual, changes toward each shape, image, and unknown light.
    level : Tensor
        (h, w) variance of noise, of every fourth pixel.
    window, share : float
        Standard deviation of the window in px; independent samples per pixel.
    """
    count, kept = len(band), len(band) - 2
    pairs = [(i, j) for i in range(count) for j in range(i, count)]
    means = local_mean(torch.stack([band[i] * band[j] for i, j in pairs]), window)
    table = dict(zip(pairs, means, strict=True))
    expected = level + MODEL_ERROR**2 * table[kept, kept]
    samples = 4 * math.pi * window**2 * share
    for field, variance in enumerate((CONTRAST**2, UNKNOWN**2), kept):
        table[field, field] = table[field, field] + level / (variance * samples)
    eliminate_fields(table, count, kept)
    square = torch.stack(
        [torch.stack([table[min(i, j), max(i, j)] for j in range(kept)]) for i in range(kept)]
    ).flatten(2)
    independent = torch.full_like(expected, GRID**2 * share).flatten()
    return _Forms(square.double(), expected.flatten().double(), independent.double())
