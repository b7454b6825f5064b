"""Vectorial point-spread functions of objectives, which no network was trained with.

The training renders with a scalar pupil and a Fourier transform
(`training.data.random_microscopes`). Here the field near the focus is integrated over the cone of
rays, with its polarization.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from scipy.special import j0, j1

from napari_defocus import Objective

Image = NDArray[np.float64]

_ANGLES = 200
#: Samples of the radial profile in a pixel.
_PROFILE = 8
#: Half a side of the kernels that are compared with disks, the disks' radii, and the radii of the
#: cone of rays at the depths of comparison, all in pixels.
_FIT_HALF = 26
_DISK_RADII = np.arange(0.0, 16.1, 0.5)
_RAY_RADII = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 24, 29, 35], float)


@dataclass(frozen=True)
class Microscope:
    """An objective and a camera.

    Attributes
    ----------
    name : str
        In tables.
    na, index : float
        Numerical aperture, and refractive index of its immersion.
    wavelength, pixel : float
        Wavelength of the light, and side of a pixel in the specimen, in micrometers.
    spherical : float
        Spherical aberration at the rim of the pupil, in wavelengths.
    """

    name: str
    na: float
    index: float
    wavelength: float
    pixel: float
    spherical: float = 0.0

    @property
    def sine(self) -> float:
        """Sine of the half angle of the accepted cone."""
        return self.na / self.index

    @property
    def objective(self) -> Objective:
        """The optics as the plugin takes them."""
        return Objective(self.na, self.wavelength, self.pixel, self.index)

    def depth(self, radius: float) -> float:
        """Return the distance in micrometers from focus that blurs by a radius in pixels.

        The radius is that of the disk which, convolved with the spot in focus, comes nearest the
        spot out of focus.
        """
        depths, radii = self._depths_and_radii
        return float(np.copysign(np.interp(abs(radius), radii, depths), radius))

    @cached_property
    def _depths_and_radii(self) -> tuple[Image, Image]:
        cosine = np.sqrt(1 - self.sine**2)
        depths = _RAY_RADII * self.pixel * cosine / self.sine
        focus = self._kernel(0.0, _FIT_HALF, 1)
        candidates = [fftconvolve(focus, _disk(radius), mode="same") for radius in _DISK_RADII]
        radii = [self._nearest(self._kernel(z, _FIT_HALF, 1), candidates) for z in depths]
        rising = np.maximum.accumulate(np.array([0.0, *radii[1:]])) + 1e-6 * np.arange(len(radii))
        return depths, rising

    @staticmethod
    def _nearest(kernel: Image, candidates: Sequence[Image]) -> float:
        """Return the radius of the nearest of the blurred disks, refined by a parabola."""
        errors = np.array([np.square(each - kernel).sum() for each in candidates])
        best = int(np.clip(errors.argmin(), 1, len(errors) - 2))
        below, at, above = errors[best - 1 : best + 2]
        bend = max(below - 2 * at + above, 1e-12)
        shift = float(np.clip((below - above) / (2 * bend), -1, 1))
        return float(_DISK_RADII[best]) + shift * float(_DISK_RADII[1] - _DISK_RADII[0])

    def kernel(self, radius: float, half: int, finer: int = 1) -> Image:
        """Return the point-spread function, of unit sum, of a radius of defocus in pixels.

        Parameters
        ----------
        radius : float
            Signed radius of defocus in pixels, 0 in focus; see `depth`.
        half : int
            Half a side in pixels; the side is ``(2 half + 1) * finer``, made odd.
        finer : int
            Samples along the side of a pixel.

        Notes
        -----
        B. Richards and E. Wolf, "Electromagnetic diffraction in optical systems II", Proc. R. Soc.
        A 253, 358 (1959): the integrals I0, I1 and I2 of an aplanatic lens; unpolarized light has
        the intensity ``|I0|^2 + 2 |I1|^2 + |I2|^2``.
        """
        return self._kernel(self.depth(radius), half, finer)

    def _kernel(self, depth: float, half: int, finer: int) -> Image:
        reach = np.arange(0, (half + 2) * np.sqrt(2) * _PROFILE + 1) / _PROFILE
        profile = self._profile(reach * self.pixel, depth)
        steps = (2 * half + 1) * finer | 1
        sub = 5 if finer == 1 else 3
        line = (np.arange(steps * sub) - (steps * sub - 1) / 2) / (sub * finer)
        fine = np.interp(np.hypot(line[:, None], line), reach, profile)
        kernel = fine.reshape(steps, sub, steps, sub).sum((1, 3))
        return np.asarray(kernel / kernel.sum())

    def _profile(self, distance: Image, depth: float) -> Image:
        nodes, weights = np.polynomial.legendre.leggauss(_ANGLES)
        largest = np.arcsin(self.sine)
        angle, weight = largest * (nodes + 1) / 2, weights * largest / 2
        sine, cosine = np.sin(angle), np.cos(angle)
        wave = 2 * np.pi * self.index / self.wavelength
        phase = wave * depth * cosine + 2 * np.pi * self.spherical * (sine / self.sine) ** 4
        field = weight * np.sqrt(cosine) * sine * np.exp(1j * phase)
        argument = np.maximum(wave * distance[:, None] * sine, 1e-9)
        zeroth, first_order = j0(argument), j1(argument)
        first = (zeroth * (1 + cosine)) @ field
        second = (first_order * sine) @ field
        third = ((2 * first_order / argument - zeroth) * (1 - cosine)) @ field
        return np.asarray(np.abs(first) ** 2 + 2 * np.abs(second) ** 2 + np.abs(third) ** 2)


def _disk(radius: float) -> Image:
    """Return a uniform disk of unit sum, with its edge averaged over subpixels."""
    line = np.arange(-_FIT_HALF * 5 - 2, _FIT_HALF * 5 + 3) / 5
    inside = np.clip((max(radius, 0.3) - np.hypot(line[:, None], line)) * 5 + 0.5, 0, 1)
    pixels = inside.reshape(2 * _FIT_HALF + 1, 5, 2 * _FIT_HALF + 1, 5).sum((1, 3))
    return np.asarray(pixels / pixels.sum())


#: Six objectives with usual cameras; the fifth is well sampled, the first is not.
MICROSCOPES = (
    Microscope("10x / 0.30", 0.30, 1.0, 0.52, 0.65),
    Microscope("10x / 0.45", 0.45, 1.0, 0.60, 0.65),
    Microscope("20x / 0.75", 0.75, 1.0, 0.52, 0.325, 0.1),
    Microscope("40x / 0.95", 0.95, 1.0, 0.60, 0.1625),
    Microscope("60x / 1.20 water", 1.20, 1.33, 0.52, 0.108, 0.15),
    Microscope("63x / 1.40 oil", 1.40, 1.515, 0.67, 0.103),
)
#: Optics whose spot in focus is 2 to 4 pixels wide.
WELL_SAMPLED = (
    Microscope("20x / 0.40", 0.40, 1.0, 0.60, 0.325),
    Microscope("40x / 0.60", 0.60, 1.0, 0.60, 0.1625),
    Microscope("100x / 1.30 oil", 1.30, 1.515, 0.60, 0.065),
)
