"""Objective of a microscope: its spot in focus, and radius of blur by depth."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

from .errors import OptionError, quote

#: Full width at half maximum of Airy's pattern, in units of wavelength / NA.
_AIRY_FWHM = 0.5145
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
    Rays leave a point at all angles up to that whose sine is ``s = na / index``. At a distance z
    from focus they fill a disk. `radius` is that of the uniform disk with the rays' mean square
    distance from the middle, the rays being even in the pupil's area: z times
    ``sqrt(-2 - 2 ln(1 - s^2) / s^2)``, which is close to ``z tan(asin(s))`` for small apertures.
    Diffraction adds to it, so it says the blur within about 10 % from 2 spots on.

    Examples
    --------
    >>> lens = Objective(na=0.75, wavelength_um=0.52, pixel_size_um=0.325)
    >>> round(lens.spot_px, 2), round(lens.radius(2.0), 2), round(lens.depth_um(5.0), 2)
    (1.1, 6.27, 1.6)
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
    def _spread(self) -> float:
        square = (self.na / self.index) ** 2
        return math.sqrt(-2 - 2 * math.log1p(-square) / square)

    def radius(self, depth_um: float) -> float:
        """Return the radius in pixels of blur at a distance in micrometers from focus."""
        return abs(depth_um) * self._spread / self.pixel_size_um

    def depth_um(self, radius: float) -> float:
        """Return the distance in micrometers from focus of a radius in pixels."""
        return abs(radius) * self.pixel_size_um / self._spread

    def describe(self) -> str:
        """Return the optics in words.

        Examples
        --------
        >>> Objective(0.5, 0.6, 0.3).describe()
        'NA 0.5 in 1, 0.6 µm, pixels of 0.3 µm: in focus a point is 2.06 px wide'
        """
        return (
            f"NA {self.na:g} in {self.index:g}, {self.wavelength_um:.3g} µm, pixels of "
            f"{self.pixel_size_um:.4g} µm: in focus a point is {self.spot_px:.3g} px wide"
        )


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
