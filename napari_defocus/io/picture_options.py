"""Options that a file's metadata settle where the user said nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..image.channels import find_independent_channels
from ..image.layout import read_layout
from ..image.missing import holds_value
from ..image.range_rules import Note
from ..image.value_range import scan_range, warn
from ..options import Options
from . import exif
from .picture import Metadata, Picture
from .recorded_optics import complete_optics

#: EXIF tags that name the maker and the model of a camera.
_CAMERA = (271, 272)
#: Lengths of a pixel that only a microscope shows.
_MICROSCOPIC = ("nm", "nanometer", "um", "\N{MICRO SIGN}m", "\N{GREEK SMALL LETTER MU}m", "micron",
                "microns", "micrometer", "micrometre", "nanometre")  # fmt: skip


def resolve_options(picture: Picture, options: Options, note: Note = warn) -> Options:
    """Return options as the functions of the API take them for a picture from a file.

    Parameters
    ----------
    picture : Picture
        The picture; if ``options.channel_axis`` is "none", with its colors as planes
        (:meth:`Picture.as_planes`).
    options : Options
        The user's.
    note : callable
        Takes sentences about what was assumed.

    Returns
    -------
    Options
        With the color axis, the kind of image and the no-data value that the file names, and with
        the value range that it declares or that was measured. Channels that are planes have a range
        each, because their brightness differs.

    Raises
    ------
    DefocusError
        If the picture cannot be processed.

    Examples
    --------
    >>> picture = Picture(np.zeros((8, 8, 3), np.uint8), "YXS")
    >>> resolve_options(picture, Options()).changed()
    {'channel_axis': -1, 'encoding': 'srgb', 'value_range': (0.0, 255.0)}
    """
    options = _with_metadata(picture, options, note)
    layout = read_layout(picture.data, **options.reading())
    if find_independent_channels(picture.data, layout, options, note):
        options = replace(options, imaging="microscopy")
        layout = read_layout(picture.data, **options.reading())
    ranges = options.value_range
    white = picture.metadata.white
    if ranges is None and white is not None and layout.display_bounded:
        ranges = (0, white)
    axes_have_names = not set(picture.axes) - set("TZCYXS")
    ranges = scan_range(picture.data, layout, ranges, note=note, axes_have_names=axes_have_names)
    optics = options.optics
    if layout.imaging == "microscopy":
        taken, text = complete_optics(options.optics, picture.metadata)
        if text:
            note(text)
        optics = taken or optics
    return replace(
        options,
        encoding=layout.encoding,
        value_range=_smallest(ranges),
        range_axis=None,
        optics=optics,
    )


def _smallest(ranges: Any) -> Any:
    """Return ranges without the axes along which all are equal, which broadcasting restores."""
    if not isinstance(ranges, np.ndarray):
        return ranges
    for axis in range(ranges.ndim - 1):
        first = ranges.take([0], axis)
        if (ranges == first).all():
            ranges = first
    while ranges.ndim > 2 and len(ranges) == 1:
        ranges = ranges[0]
    return ranges.tolist()


def _with_metadata(picture: Picture, options: Options, note: Note) -> Options:
    """Return options with what the metadata say."""
    channel_axis, range_axis = options.channel_axis, options.range_axis
    if channel_axis is None:
        channel_axis = "none" if picture.channel_axis is None else picture.channel_axis
    if range_axis is None and "C" in picture.axes:
        range_axis = picture.axes.index("C")
    options = replace(options, channel_axis=channel_axis, range_axis=range_axis)
    options = heed_nodata(options, picture, note)
    storage = picture.metadata.storage
    if storage is not None and storage.bits == 1:
        note("its pixels are of one bit, black or white; those of results are of 8 bits, 0 to 255")
    layout = read_layout(picture.data, **options.reading())
    kind, evidence = _kind(picture.metadata)
    if kind in ("", layout.imaging) or layout.color or "auto" not in options.encoding:
        return options
    if options.imaging != "auto":
        return options
    note(
        f"the image is taken for {_KINDS[kind]}, as {evidence}; imaging can be set to "
        f"'{layout.imaging}' instead"
    )
    return replace(options, imaging=kind)


def heed_nodata(options: Options, picture: Picture, note: Note) -> Options:
    """Return options with the no-data value that a file declares, if none was chosen."""
    declared = picture.metadata.nodata
    if options.nodata != "auto" or declared is None:
        return options
    if not holds_value(declared, picture.data.dtype):
        return options
    note(
        f"pixels of the value {declared:g} hold no data, as the file declares; they stay as they "
        "are, unless nodata is 'none'"
    )
    return replace(options, nodata=declared)


_KINDS = {
    "microscopy": "microscopy, with values proportional to light",
    "photograph": "a photograph, with display values",
}


def _kind(metadata: Metadata) -> tuple[str, str]:
    """Return the kind of image, and what in the metadata says so; both empty if nothing does."""
    units = {length.unit for axis, length in metadata.pixel_size.items() if axis in "XYZ"}
    if units & set(_MICROSCOPIC):
        return "microscopy", "its pixel size in micrometers or nanometers says"
    names = {"ImageJ": metadata.imagej, "OME": metadata.ome, "OME-Zarr": metadata.ngff}
    for name, value in names.items():
        if value:
            return "microscopy", f"its {name} metadata say"
    if metadata.exif and _names_camera(metadata.exif):
        return "photograph", "its EXIF names a camera"
    return "", ""


def _names_camera(blob: bytes) -> bool:
    try:
        return any(tag in exif.parse(blob).entries for tag in _CAMERA)
    except ValueError:
        return False
