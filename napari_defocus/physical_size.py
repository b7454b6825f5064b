"""Physical size of blur: radii in micrometers, the equivalent spot, and the cut-off frequency."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .errors import MapError
from .io.lengths import micrometers
from .io.picture import Length, Metadata

Unit = Literal["px", "um"]
#: Key under which `radii_record` stands in the JSON beside a map.
RADII_KEY = "radii"
#: Side in pixels of the windows of a map on disk that are scaled one at a time.
_SIDE = 2048
#: Largest ratio of a pixel's sides that counts as square: sizes in files are rounded.
_SQUARE = 1.01
#: FWHM of a Gaussian whose standard deviation is 1.
_GAUSSIAN_FWHM = 2 * math.sqrt(2 * math.log(2))
#: First zero of the Bessel function J1.
_FIRST_ZERO_OF_J1 = 3.8317059702075123


@dataclass(frozen=True)
class PixelSize:
    """Size of the pixels of an image.

    Parameters
    ----------
    height, width : float
        Distance of rows and of columns in micrometers.

    Examples
    --------
    >>> PixelSize(0.5, 0.5).side, PixelSize(0.5, 2.0).side
    (0.5, 1.0)
    """

    height: float
    width: float

    @property
    def is_square(self) -> bool:
        """Whether height and width are equal within 1 percent."""
        return max(self.height, self.width) <= _SQUARE * min(self.height, self.width)

    @property
    def side(self) -> float:
        """Side in micrometers of the square pixel of the same area, by which radii are scaled.

        Radii are estimated in pixels, equal in all directions. Where pixels are not square, a
        radius in micrometers is the geometric mean of those along Y and X.
        """
        return math.sqrt(self.height * self.width)

    def describe(self) -> str:
        """Return the size in words, which say what is done where pixels are not square.

        Examples
        --------
        >>> PixelSize(0.5, 2.0).describe()
        '0.5 x 2 µm; radii in µm are geometric means of those along Y and X'
        """
        if self.is_square:
            return f"{self.side:.4g} µm"
        sides = f"{self.height:.4g} x {self.width:.4g} µm"
        return f"{sides}; radii in µm are geometric means of those along Y and X"


def pixel_size(metadata: Metadata) -> PixelSize | None:
    """Return the size of a picture's pixels, None unless its file says both height and width.

    Pixels per inch of a photograph, which are those of a print or screen, do not count.

    Examples
    --------
    >>> pixel_size(Metadata(pixel_size={"Y": Length(0.2, "um"), "X": Length(200, "nm")}))
    PixelSize(height=0.2, width=0.2)
    """
    sides = [_side(metadata.pixel_size, axis) for axis in "YX"]
    return None if None in sides else PixelSize(*sides)  # type: ignore[arg-type]


def _side(sizes: Mapping[str, Length], axis: str) -> float | None:
    size = sizes.get(axis)
    return None if size is None else micrometers(size.value, size.unit)


@dataclass(frozen=True)
class BlurSize:
    """Size of the blur of one radius, in pixels or in micrometers.

    Parameters
    ----------
    radius : float
        Radius of the circle of confusion; the sign of a signed map is dropped.
    unit : {"px", "um"}
        Unit of `radius`, `fwhm` and, as cycles per unit, `cutoff`.

    Notes
    -----
    The blur is a uniform disk, as that of an ideal lens that is far out of focus [1]_.

    `fwhm` is the full width at half maximum of the Gaussian spot with the disk's second moment: a
    disk of radius r has the variance r^2 / 4 along an axis, so the spot's standard deviation is
    r / 2 and its FWHM sqrt(2 ln 2) r = 1.177 r. The transfer functions of disk and spot agree at
    low frequencies. The width of the disk itself at half of its height is its diameter, 2 r.

    `cutoff` is the spatial frequency at which contrast first vanishes: the transfer function of the
    disk is 2 J1(2 pi r f) / (2 pi r f) [1]_, whose first zero is f = 0.610 / r cycles per unit.
    Beyond it contrast returns, weaker and reversed.

    Both describe the blur of defocus alone: diffraction adds to it, and limits what a sharp
    microscope image resolves to 0.61 wavelength / NA.

    References
    ----------
    .. [1] H. H. Hopkins, "The frequency response of a defocused optical system", Proc. R. Soc. A
       231, 91-103 (1955); J. W. Goodman, "Introduction to Fourier Optics", section on focusing
       errors.

    Examples
    --------
    >>> blur = BlurSize(2.0)
    >>> round(blur.fwhm, 3), round(blur.cutoff, 3)
    (2.355, 0.305)
    """

    radius: float
    unit: Unit = "px"

    @property
    def fwhm(self) -> float:
        """Full width at half maximum of the Gaussian spot of the same second moment."""
        return _GAUSSIAN_FWHM * abs(self.radius) / 2

    @property
    def cutoff(self) -> float:
        """Frequency of the first zero of the transfer function; infinite for the radius 0."""
        if self.radius == 0:
            return math.inf
        return _FIRST_ZERO_OF_J1 / (2 * math.pi * abs(self.radius))

    def scaled(self, size: PixelSize) -> BlurSize:
        """Return the blur, given in pixels, in micrometers."""
        return BlurSize(self.radius * size.side, "um")

    def describe(self) -> str:
        """Return radius, spot and cut-off in words.

        Examples
        --------
        >>> BlurSize(2.0, "um").describe()
        '2 µm, like a spot of 2.35 µm FWHM; contrast ends at 0.305 cycles/µm'
        """
        unit = {"px": "px", "um": "µm"}[self.unit]
        text = f"{self.radius:.3g} {unit}, like a spot of {self.fwhm:.3g} {unit} FWHM"
        if math.isinf(self.cutoff):
            return text
        return f"{text}; contrast ends at {self.cutoff:.3g} cycles/{unit}"


def describe_radius(radius: float, size: PixelSize | None) -> str:
    """Return a radius in pixels and, where the pixel size is known, in micrometers with its spot.

    Examples
    --------
    >>> describe_radius(2.5, None)
    '2.5 px'
    >>> describe_radius(2.5, PixelSize(0.2, 0.2))
    '2.5 px = 0.5 µm, like a spot of 0.589 µm FWHM; contrast ends at 1.22 cycles/µm'
    """
    text = f"{radius:.3g} px"
    return text if size is None else f"{text} = {BlurSize(radius).scaled(size).describe()}"


def unit_factor(unit: Unit, size: PixelSize | None, name: str) -> float:
    """Return the factor from radii in pixels to radii in a unit.

    Parameters
    ----------
    unit : {"px", "um"}
        The unit.
    size : PixelSize, optional
        Size of the image's pixels.
    name : str
        Name of the image, for messages.

    Raises
    ------
    MapError
        If it is "um", and the size is not known.
    """
    if unit == "px":
        return 1.0
    if size is None:
        raise MapError(
            f"{name} does not say the size of its pixels, so its radii are known in pixels only; "
            'give unit="px" (--unit px), or an image with a pixel size, as OME-TIFF and OME-Zarr '
            "have it"
        )
    return size.side


def scale_windows(target: Any, factor: float) -> Iterator[None]:
    """Multiply a map (..., Y, X) on disk by a factor; yield after each window."""
    height, width = target.shape[-2:]
    windows = (*target.shape[:-2], -(-height // _SIDE), -(-width // _SIDE))
    for *index, row, column in np.ndindex(windows if factor != 1 else (0,)):
        rows, columns = (slice(start * _SIDE, (start + 1) * _SIDE) for start in (row, column))
        values = np.asarray(target[(*index, rows, columns)]) * factor
        target[(*index, rows, columns)] = values.astype(np.float32)
        yield


def radii_record(unit: Unit, size: PixelSize | None, median: float) -> dict[str, Any]:
    """Return what the JSON beside a map says of its unit and of the size of its blur.

    A median that is NaN, because no radius is sure, and what follows from it are None.

    Returns
    -------
    dict
        Under the key `RADII_KEY`; empty if the size of a pixel is unknown.

    Examples
    --------
    >>> radii_record("um", PixelSize(0.5, 0.5), 0.0)["radii"]["unit"]
    'um'
    """
    if size is None:
        return {}
    blur = BlurSize(median).scaled(size)
    figures = {
        "median_px": median,
        "median_um": blur.radius,
        "fwhm_um": blur.fwhm,
        "cutoff_cycles_per_um": blur.cutoff,
    }
    finite = {name: value if math.isfinite(value) else None for name, value in figures.items()}
    return {RADII_KEY: {"unit": unit, "pixel_size_um": [size.height, size.width], **finite}}
