"""Random microscopes: point-spread functions of any depth, from a scalar model of the pupil."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_defocus.optics.kernels import normalize
from training.data.rng import SampleRNG

#: Pixels are drawn from a quarter of Airy's unit to one and a half: oversampled to undersampled.
FINEST_PIXEL, _COARSEST_PIXEL = 0.4, 1.5
#: Odd, so that the middle of a kernel is that of a pixel.
_FINER = 3
#: Of air, water and oil; silicone oil is kept for evaluation.
_IMMERSIONS, _HELD_OUT_IMMERSIONS = (1.0, 1.33, 1.515), (1.406,)
_SINES = (0.25, 0.93)
_SPECIMENS = (1.33, 1.46)
#: Deepest specimen, in wavelengths below the cover slip.
_DEEPEST = 12.0


@dataclass(frozen=True)
class Microscope:
    """A batch of microscopes; every field is a (B,) tensor.

    Attributes
    ----------
    sine : Tensor
        Sine of the half angle of the accepted cone: NA / n.
    immersion, specimen : Tensor
        Refractive indices on both sides of the cover slip.
    deep : Tensor
        Wavelengths below the cover slip at which the specimen lies.
    pixel : Tensor
        Side of a pixel in units of wavelength / (2 NA), in the specimen.
    """

    sine: Tensor
    immersion: Tensor
    specimen: Tensor
    deep: Tensor
    pixel: Tensor

    @property
    def fringe(self) -> Tensor:
        """(B, 3) zeros: there is one wavelength at a time."""
        return self.sine.new_zeros(len(self.sine), 3)

    def kernels(self, scene: Tensor, radius: Tensor, half: int) -> Tensor:
        """As `Optics.kernels`; both views are the same, for the pupil is not divided.

        Notes
        -----
        The intensity is the squared size of the Fourier transform of the pupil, whose phase at
        rho, in units of its radius, is that of a point out of focus by z (scalar theory; Goodman,
        "Introduction to Fourier Optics", 6.4), ``2 pi n z / wavelength (sqrt(1 - sine^2 rho^2) -
        1)``, plus that of two media meeting at the cover slip (Gibson and Lanni 1991), less what
        focusing would correct. The radius is that of the disk whose light is spread as widely as
        the rays are: their mean square distance from the middle is z^2 times that of the tangent.
        """
        side = _FINER * (2 * half + 1)
        rho = self._pupil_radius(scene, side)
        phase = self._defocus(scene, radius, rho) + self._mismatch(scene, rho)
        rim = 2 * _FINER / (self.pixel[scene, None, None] * side)
        light = ((1 - rho) / rim + 0.5).clamp(0, 1)
        field = torch.fft.fft2(torch.polar(light, phase))
        fine = torch.fft.fftshift(field.abs().square(), dim=(-2, -1))
        pixels = fine.view(len(fine), side // _FINER, _FINER, side // _FINER, _FINER).sum((2, 4))
        kernel = normalize(pixels)
        return kernel[:, None].expand(-1, 2, -1, -1)

    def _pupil_radius(self, scene: Tensor, side: int) -> Tensor:
        """(M, side, side): radius in the pupil of each frequency of the fine grid."""
        frequency = torch.fft.fftfreq(side, device=self.sine.device)
        radial = torch.hypot(frequency[:, None], frequency)
        return 2 * _FINER / self.pixel[scene, None, None] * radial

    def _defocus(self, scene: Tensor, radius: Tensor, rho: Tensor) -> Tensor:
        sine, pixel = (x[scene, None, None] for x in (self.sine, self.pixel))
        tangent = (-2 - 2 * (-(sine**2)).log1p() / sine**2).sqrt()
        cosine = (1 - (sine * rho).square()).clamp(min=0).sqrt()
        return math.pi * radius[:, None, None] * pixel / (sine * tangent) * (cosine - 1)

    def _mismatch(self, scene: Tensor, rho: Tensor) -> Tensor:
        """Phase of the depth below the cover slip, without its part linear in rho^2."""
        aperture = (self.sine * self.immersion)[scene, None, None]
        index, other, deep = (
            x[scene, None, None] for x in (self.specimen, self.immersion, self.deep)
        )
        path = [(n**2 - (aperture * rho).square()).clamp(min=0).sqrt() for n in (index, other)]
        phase = 2 * math.pi * deep * (path[0] - path[1])
        return _less_defocus(phase, rho)


class RandomMicroscopes:
    """OpticsSource that draws microscopes of varied aperture, sampling and mismatch of media.

    Parameters
    ----------
    held_out : bool
        Draw those whose immersion is never trained on.
    finest_pixel : float
        Smallest side of a pixel, in wavelengths / (2 NA).
    """

    def __init__(self, *, held_out: bool = False, finest_pixel: float = FINEST_PIXEL) -> None:
        self._finest_pixel = finest_pixel
        self._immersions = _HELD_OUT_IMMERSIONS if held_out else _IMMERSIONS

    def draw(self, rng: SampleRNG) -> Microscope:
        """A microscope for each stream of rng."""
        immersions = torch.tensor(self._immersions, device=rng.device)
        immersion = immersions[rng.integers(0, len(immersions))]
        specimen = rng.uniform(*_SPECIMENS)
        matched = rng.bernoulli(0.5)
        sine = rng.uniform(*_SINES)
        # no more of the cone than enters the specimen
        sine = torch.minimum(sine, 0.98 * specimen / immersion)
        return Microscope(
            sine=sine,
            immersion=immersion,
            specimen=specimen,
            deep=torch.where(matched, 0, rng.uniform(0, _DEEPEST)),
            pixel=rng.log_uniform(self._finest_pixel, _COARSEST_PIXEL),
        )


def _less_defocus(phase: Tensor, rho: Tensor) -> Tensor:
    """Subtract from a phase (M, H, W) its best fit a + b rho^2 within the pupil."""
    inside = (rho <= 1).float()
    square = rho.square()

    def mean(values: Tensor) -> Tensor:
        return (values * inside).sum((-2, -1), keepdim=True) / inside.sum((-2, -1), keepdim=True)

    middle, level = mean(square), mean(phase)
    bend = mean((square - middle) * (phase - level)) / mean((square - middle).square())
    return (phase - level - bend * (square - middle)) * inside
