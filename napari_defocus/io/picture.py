"""Pictures: pixels with the names of their axes and the metadata of their file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..array_types import Array

#: Versions of OME-Zarr that are written, in which label images of the source are copied.
WRITTEN_NGFF_VERSIONS = ("0.4", "0.5")
#: Suffixes of formats that name colors by a profile alone.
_WITHOUT_CICP = (".tif", ".tiff", ".jpg", ".jpeg")
# EXIF orientation -> (swap Y and X first, then flip Y, then flip X)
_TURNS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


#: Tags of TIFF files that place the image on earth (OGC GeoTIFF 1.1, GDAL), and on a page.
GEOREFERENCE = (33550, 33920, 33922, 34264, 34735, 34736, 34737, 50844)
GEOMETRY_TAGS = (286, 287, *GEOREFERENCE)


@dataclass(frozen=True)
class Resolution:
    """Pixels per unit of length along X and Y; with the unit ``"none"`` only their ratio counts."""

    x: float
    y: float
    unit: Literal["inch", "centimeter", "none"]

    def per_inch(self) -> "tuple[float, float] | None":
        """Return pixels per inch along X and Y, None if the unit is unknown."""
        factor = {"inch": 1.0, "centimeter": 2.54, "none": 0.0}[self.unit]
        return (self.x * factor, self.y * factor) if factor else None


@dataclass(frozen=True)
class Length:
    """Size of a pixel, plane or time step, in the unit that the file names."""

    value: float
    unit: str


@dataclass(frozen=True)
class ObjectiveLens:
    """Objective of a microscope; None or empty is what the file does not say.

    Parameters
    ----------
    numerical_aperture, magnification : float, optional
        As engraved on it.
    immersion : str
        Medium in the words of the file, such as ``"Oil"`` or ``"Air"``.
    """

    numerical_aperture: float | None = None
    magnification: float | None = None
    immersion: str = ""

    def describe(self) -> str:
        """Return what is on record of it, in words.

        Examples
        --------
        >>> ObjectiveLens(1.4, 63, "Oil").describe()
        '63x, NA 1.4, Oil'
        """
        magnification = f"{self.magnification:g}x" if self.magnification else ""
        aperture = f"NA {self.numerical_aperture:g}" if self.numerical_aperture else ""
        return ", ".join(filter(None, [magnification, aperture, self.immersion]))


@dataclass(frozen=True)
class Storage:
    """Layout of the pixels in a TIFF file, as values of tags in the TIFF 6.0 specification."""

    compression: int = 1
    tile: tuple[int, int] | None = None
    bigtiff: bool = False
    extrasample: int = 2
    bits: int = 8


@dataclass(frozen=True)
class JpegFrame:
    """Bits of a value in a JPEG file, and whether it is compressed without loss."""

    bits: int
    lossless: bool


@dataclass(frozen=True)
class Metadata:
    """Metadata of a file that can be written to another file.

    Parameters
    ----------
    exif : bytes, optional
        EXIF as a TIFF structure without prefix; orientation upright, thumbnail unlinked.
    icc : bytes, optional
        Color profile.
    xmp : bytes, optional
        XMP packet.
    iptc : bytes, optional
        IPTC records (IIM).
    text : mapping
        Texts by keyword, such as ``"Description"`` (TIFF) or ``"Comment"`` (JPEG).
    resolution : Resolution, optional
        Pixels per inch or centimeter.
    pixel_size : mapping of axis letter to Length
        Pixel sizes from ImageJ or OME metadata; T is the time between frames. A negative size, as
        OME-Zarr has it, belongs to an axis that runs backward.
    origin : mapping of axis letter to float
        Place of the first pixel's center, in the unit of `pixel_size`; 0 along axes it lacks.
    channel_names : tuple of str
        Names from OME metadata, empty if there are none.
    wavelengths : tuple of float or None
        Wavelength of the light of each channel in nm (emission), empty if there are none.
    times : tuple of float
        Time of each frame along T in seconds since the first one, empty if the file does not say.
    objective : ObjectiveLens, optional
        Objective of the microscope.
    imagej : mapping, optional
        ImageJ's own fields.
    ome : str, optional
        OME-XML of the file.
    ngff : mapping, optional
        Version, axes and display settings (``"omero"``) of an OME-Zarr image.
    png : tuple of (chunk name, content)
        Color chunks of a PNG file: gAMA, cHRM, sRGB, cICP.
    storage : Storage, optional
        Layout of a TIFF file.
    tags : tuple of (number, type, number of values, values)
        Tags of a TIFF file that are kept as they are, such as its georeference.
    lut : tuple of three tuples of int, optional
        Red, green and blue of 16 bits by which a microscope's gray is shown.
    jpeg : JpegFrame, optional
        Kind of a JPEG file that is lossless, or has more than 8 bits.
    nodata : float, optional
        Value of pixels that hold no data, as the file declares it.
    white : float, optional
        Largest value that the file declares, where its data type could hold larger ones: 4095 for
        12 bits in uint16.
    """

    exif: bytes | None = None
    icc: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    text: Mapping[str, str] = field(default_factory=dict)
    resolution: Resolution | None = None
    pixel_size: Mapping[str, Length] = field(default_factory=dict)
    origin: Mapping[str, float] = field(default_factory=dict)
    channel_names: tuple[str, ...] = ()
    wavelengths: tuple[float | None, ...] = ()
    times: tuple[float, ...] = ()
    objective: ObjectiveLens | None = None
    imagej: Mapping[str, Any] | None = None
    ome: str | None = None
    ngff: Mapping[str, Any] | None = None
    png: tuple[tuple[bytes, bytes], ...] = ()
    storage: Storage | None = None
    tags: tuple[tuple[int, int, int, Any], ...] = ()
    lut: tuple[tuple[int, ...], ...] | None = None
    jpeg: JpegFrame | None = None
    nodata: float | None = None
    white: float | None = None

    def geometry(self) -> "Metadata":
        """Return the metadata that hold for a map of the same scene: sizes, but not colors."""
        display = ("min", "max", "Ranges", "LUTs")
        imagej = self.imagej and {k: v for k, v in self.imagej.items() if k not in display}
        kept = replace(self, exif=None, icc=None, xmp=None, iptc=None, text={}, png=())
        tags = tuple(tag for tag in self.tags if tag[0] in GEOMETRY_TAGS)
        kept = replace(kept, tags=tags, lut=None, jpeg=None, nodata=None, white=None)
        ngff = self.ngff and {k: self.ngff[k] for k in ("version", "axes") if k in self.ngff}
        return replace(kept, imagej=imagej, ngff=ngff)


@dataclass(frozen=True)
class Picture:
    """An image as a file holds it.

    Parameters
    ----------
    data : (..., Y, X) or (..., Y, X, S) array
        Values as stored, in native byte order, upright; a dask array if they are still in the
        file. S are color samples: RGB, or RGB and alpha.
    axes : str
        One letter an axis, such as ``"YXS"`` or ``"TZCYX"``.
    metadata : Metadata
        Metadata of the file.
    alpha : (Y, X) array, optional
        Alpha channel of a gray image, of the same type as `data`.
    ignored : str
        Contents of the file that were not read, in words; empty if there are none.
    read_by : str
        Whose code read the file, in words; empty if it was ours.
    copies : tuple of arrays
        Smaller copies in an OME-Zarr image, each of about half the height and width, for viewing.
    images : int
        Number of images in the file that can be read as this one is, by their numbers.
    """

    data: Any
    axes: str
    metadata: Metadata = field(default_factory=Metadata)
    alpha: Array | None = None
    ignored: str = ""
    read_by: str = ""
    copies: tuple[Any, ...] = ()
    images: int = 1

    @property
    def channel_axis(self) -> int | None:
        """Color axis: -1 for a color picture, None if channels are planes or there are none."""
        return -1 if self.axes.endswith("S") else None

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the label images that belong to an OME-Zarr image."""
        return tuple((self.metadata.ngff or {}).get("labels", {}).get("names", ()))

    def left_out(self, out: Path | None = None) -> str:
        """Return in words what a result lacks that the file holds; empty if it lacks nothing.

        Parameters
        ----------
        out : pathlib.Path, optional
            File of the deblurred or refocused picture. OME-Zarr 0.4 and 0.5 keep label images.
        """
        labels = ", ".join(self.labels)
        suffix = None if out is None else out.suffix.lower()
        version = (self.metadata.ngff or {}).get("version")
        is_kept = suffix in ("", ".zarr") and version in WRITTEN_NGFF_VERSIONS
        parts = [self.ignored]
        if labels and not is_kept:
            parts.append(f"the label image{'s' if len(self.labels) > 1 else ''} {labels}")
        if suffix in _WITHOUT_CICP and b"cICP" in dict(self.metadata.png):
            parts.append(f"a color space other than sRGB, which {suffix} files cannot name")
        return " and ".join(filter(None, parts))

    def as_planes(self) -> "Picture":
        """Return the picture with its colors, if it has any, as planes before Y and X."""
        if self.channel_axis is None:
            return self
        axes = ("Q" if "C" in self.axes else "C") + self.axes[:-1]
        return replace(self, data=np.moveaxis(self.data, -1, 0), axes=axes)


def turn_upright(data: Array, orientation: int, *, color: bool) -> Array:
    """Turn and mirror a picture so that its EXIF orientation becomes upright.

    Parameters
    ----------
    data : (..., Y, X) or (..., Y, X, S) array
        The picture as stored.
    orientation : int
        1 to 8, as in EXIF and TIFF; anything else counts as 1, upright.
    color : bool
        Whether the last axis holds samples.

    Returns
    -------
    array
        The upright picture; Y and X are swapped for 5 to 8.

    Examples
    --------
    >>> turn_upright(np.array([[1, 2, 3], [4, 5, 6]]), 6, color=False).tolist()
    [[4, 1], [5, 2], [6, 3]]
    """
    swap, flip_y, flip_x = _TURNS.get(orientation, _TURNS[1])
    y, x = (-3, -2) if color else (-2, -1)
    if swap:
        data = np.swapaxes(data, y, x)
    flipped = tuple(axis for axis, flip in ((y, flip_y), (x, flip_x)) if flip)
    return np.ascontiguousarray(np.flip(data, flipped))
