"""Objective of a microscope: its spot in focus, and radius of blur by depth."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any

from .errors import OptionError, quote

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

#: Full width at half maximum of Airy's pattern, in units of wavelength / NA.
_AIRY_FWHM = 0.5145
#: Radii of the cone of rays, in units of wavelength / (2 NA), at the depths whose spots are
#: compared with disks; and numbers of samples of the spots, of their spectra, and of the disks.
_CONES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0)
_ANGLES, _DISTANCES, _FREQUENCIES, _TRIALS = 160, 500, 48, 400
#: FWHM of the Gaussian spot with the second moment of a disk of radius 1.
_DISK_FWHM = math.sqrt(2 * math.log(2))


@dataclass(frozen=True)
class Objective:
    """The optics of a microscope, as far as they set the size of blur.

    Parameters
    ----------
    na : float
        Numerical aperture, above 0 and below `index`.
    wavelength_um : float
        Wavelength of the light that is recorded, of fluorescence the emission, in micrometers.
    pixel_size_um : float
        Side of a pixel in the specimen, in micrometers.
    index : float
        Refractive index of the medium between objective and specimen: 1 for air, 1.33 for water,
        1.515 for oil.

    Raises
    ------
    OptionError
        If one is no finite number above 0, or the aperture is not below the index.

    See Also
    --------
    Options : takes it as `optics`
    estimate_defocus : estimate radii

    Notes
    -----
    `radius` is that of the uniform disk which, convolved with the spot in focus, comes nearest the
    spot out of focus, in mean square. Within the depth of field it is close to 0; far out of focus
    it grows with the cone of rays. The spots are those of an aplanatic lens without aberrations in
    unpolarized light, ``|I0|^2 + 2 |I1|^2 + |I2|^2`` with the integrals over the cone of rays of B.
    Richards and E. Wolf, Proc. R. Soc. A 253, 358 (1959).

    Examples
    --------
    >>> lens = Objective(na=0.75, wavelength_um=0.52, pixel_size_um=0.325)
    >>> round(lens.spot_px, 2), round(lens.radius(2.0), 2), round(lens.depth_um(5.0), 2)
    (1.1, 4.87, 2.04)
    """

    na: float
    wavelength_um: float
    pixel_size_um: float
    index: float = 1.0

    def __post_init__(self) -> None:
        for each in fields(self):
            object.__setattr__(self, each.name, _positive(each.name, getattr(self, each.name)))
        if self.na >= self.index:
            raise OptionError(
                f"na is {self.na:g} and the index {self.index:g}; the aperture lies below "
                "the refractive index, so give index=1.33 (water) or 1.515 (oil) for large ones"
            )

    def to_text(self) -> str:
        """Return the text that `parse_optics` takes.

        Examples
        --------
        >>> Objective(0.5, 0.6, 0.3).to_text()
        'na=0.5,wavelength_um=0.6,pixel_size_um=0.3,index=1'
        """
        return ",".join(f"{each.name}={getattr(self, each.name):.12g}" for each in fields(self))

    @property
    def spot_um(self) -> float:
        """Full width at half maximum in micrometers of a point in focus: 0.51 wavelength / NA."""
        return _AIRY_FWHM * self.wavelength_um / self.na

    @property
    def spot_px(self) -> float:
        """The same in pixels."""
        return self.spot_um / self.pixel_size_um

    @property
    def spot_radius(self) -> float:
        """Radius in pixels of the disk that is as wide as the spot in focus."""
        return self.spot_px / _DISK_FWHM

    @property
    def sampling(self) -> float:
        """Side of a pixel in units of wavelength / (2 NA); at most 0.5 records all that passes."""
        return self.pixel_size_um * 2 * self.na / self.wavelength_um

    @property
    def resolved_level(self) -> int:
        """How many times smaller the image could be and show all that passes: 1, 2 or 4."""
        return next(level for level in (4, 2, 1) if level == 1 or self.sampling * level <= 0.5)

    def radius(self, depth_um: float) -> float:
        """Return the radius in pixels of blur at a distance in micrometers from focus."""
        depths, radii = self._depths_and_radii
        return _interpolate(abs(depth_um), depths, radii) / self.pixel_size_um

    def depth_um(self, radius: float) -> float:
        """Return the distance in micrometers from focus of a radius in pixels."""
        depths, radii = self._depths_and_radii
        return _interpolate(abs(radius) * self.pixel_size_um, radii, depths)

    def transfer(self, radius: float, frequency: Floats) -> Floats:
        """Return the transfer function of the spot, 1 at the frequency 0.

        Parameters
        ----------
        radius : float
            Radius of defocus in pixels; in focus it is 0.
        frequency : (F,) array
            Frequencies in cycles per pixel.

        Examples
        --------
        >>> lens = Objective(na=0.75, wavelength_um=0.52, pixel_size_um=0.325)
        >>> import numpy as np
        >>> [round(float(lens.transfer(r, np.array([0.1]))[0]), 2) for r in (0, 3)]
        [0.84, 0.44]
        """
        return self._transfer(self.depth_um(radius), frequency / self.pixel_size_um)

    @cached_property
    def _depths_and_radii(self) -> tuple[Floats, Floats]:
        """Depths and radii in micrometers, both rising."""
        import numpy as np
        from scipy.special import j1

        unit = self.wavelength_um / (2 * self.na)
        tangent = math.tan(math.asin(self.na / self.index))
        depths = np.array(_CONES) * unit / tangent
        frequency = np.linspace(0, 1, _FREQUENCIES)[1:] / unit
        transfers = [self._transfer(depth, frequency) for depth in depths]
        trials = np.linspace(0, 1.1 * _CONES[-1], _TRIALS) * unit
        phase = np.maximum(2 * np.pi * trials[:, None] * frequency, 1e-9)
        disks = transfers[0] * 2 * j1(phase) / phase
        errors = [(frequency * (disks - each) ** 2).sum(1) for each in transfers]
        radii = np.array([trials[error.argmin()] for error in errors])
        radii = np.maximum.accumulate(radii) + 1e-6 * unit * np.arange(len(radii))
        return depths, radii - radii[0]

    def _transfer(self, depth: float, frequency: Floats) -> Floats:
        """Return the transfer function of the spot at a depth, 1 at the frequency 0."""
        import numpy as np
        from scipy.special import j0, j1

        nodes, weights = np.polynomial.legendre.leggauss(_ANGLES)
        largest = math.asin(self.na / self.index)
        angle = largest * (nodes + 1) / 2
        wave = 2 * np.pi * self.index / self.wavelength_um
        sine, cosine = np.sin(angle), np.cos(angle)
        rays = weights * np.sqrt(cosine) * sine * np.exp(1j * wave * depth * (cosine - 1))
        reach = 2.5 * _CONES[-1] * self.wavelength_um / (2 * self.na)
        distance = np.linspace(0, reach, _DISTANCES)
        phase = np.maximum(wave * distance[:, None] * sine, 1e-9)
        zeroth, first = j0(phase), j1(phase)
        fields = (
            zeroth @ (rays * (1 + cosine)),
            np.sqrt(2) * first @ (rays * sine),
            (2 * first / phase - zeroth) @ (rays * (1 - cosine)),
        )
        light = np.square(np.abs(fields)).sum(axis=0) * distance
        spectrum = j0(2 * np.pi * frequency[:, None] * distance) @ light
        return np.asarray(spectrum / light.sum())

    def describe(self) -> str:
        """Return the optics in words.

        Examples
        --------
        >>> Objective(0.5, 0.6, 0.3).describe()
        'NA 0.5 in air, 0.6 µm, pixels of 0.3 µm: in focus a point is 2.06 px wide'
        """
        medium = "air" if self.index == 1 else f"index {self.index:g}"
        return (
            f"NA {self.na:g} in {medium}, {self.wavelength_um:.3g} µm, pixels of "
            f"{self.pixel_size_um:.4g} µm: in focus a point is {self.spot_px:.3g} px wide"
        )


def _interpolate(value: float, places: Floats, values: Floats) -> float:
    """Interpolate rising values, continued as a straight line beyond the last."""
    import numpy as np

    beyond = max(value - float(places[-1]), 0.0)
    slope = float((values[-1] - values[-3]) / (places[-1] - places[-3]))
    return float(np.interp(value, places, values)) + beyond * slope


def parse_optics(text: str) -> dict[str, float]:
    """Return the numbers in a text such as "na=1.4,wavelength_um=0.52", by the parameters' names.

    Raises
    ------
    OptionError
        If a name is unknown, or a number is not accepted.

    Examples
    --------
    >>> parse_optics("na=0.5, wavelength_um=0.6")
    {'na': 0.5, 'wavelength_um': 0.6}
    """
    parts = [part.partition("=") for part in text.split(",")]
    try:
        numbers = {name.strip(): float(number) for name, _, number in parts}
    except ValueError:
        numbers = {"": 0.0}
    if not set(numbers) <= {each.name for each in fields(Objective)}:
        raise OptionError(
            f"optics is {quote(text)}; auto, none, or numbers such as "
            "na=1.4,wavelength_um=0.52,pixel_size_um=0.1,index=1.515 are expected"
        )
    return {name: _positive(name, number) for name, number in numbers.items()}


def _positive(name: str, value: Any) -> float:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not (is_number and 0 < float(value) < math.inf):
        raise OptionError(f"{name} is {quote(value)}; a finite number above 0 is expected")
    return float(value)
