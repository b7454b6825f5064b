"""OME-XML: reading of pixel sizes and channel names, and adaption to an image made from another.

Elements and attributes follow the OME data model 2016-06. Other namespaces are kept.
"""

import hashlib
import uuid
from collections.abc import Iterator
from xml.etree import ElementTree

import numpy as np

from ..array_types import Array
from .picture import Length

_ROWS = 512  # rows of pixels that are read at a time
# numpy type -> OME's name
_TYPES = {
    "uint8": "uint8",
    "uint16": "uint16",
    "uint32": "uint32",
    "int8": "int8",
    "int16": "int16",
    "int32": "int32",
    "float32": "float",
    "float64": "double",
    "complex64": "complex",
    "complex128": "double-complex",
}


def supports_type(data: Array) -> bool:
    """Return whether OME has a name for the type of `data`."""
    return data.dtype.name in _TYPES


def identifier(data: Array, axes: str) -> str:
    """Return the UUID of a file in OME's form, which depends on the image alone.

    Parameters
    ----------
    data : array
        The image, read in parts, so it need not be in memory.
    axes : str
        Its axes, of T, Z, C, Y, X and S.
    """
    digest = hashlib.sha256(f"{data.dtype.str} {data.shape} ".encode())
    rows = axes.index("Y")
    for index in np.ndindex(data.shape[:rows]):
        for top in range(0, data.shape[rows], _ROWS):
            part = data[(*index, slice(top, top + _ROWS))]
            digest.update(np.ascontiguousarray(part).data.cast("B"))
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest.hexdigest())}"


def read_sizes_and_names(xml: str) -> tuple[dict[str, Length], tuple[str, ...]]:
    """Return the pixel sizes by axis letter and the channels' names of the first image."""
    try:
        _, pixels = _first_image(ElementTree.fromstring(xml))
    except (ElementTree.ParseError, ValueError):
        return {}, ()
    sizes = {}
    for axis, name, unit in (
        ("X", "PhysicalSizeX", "µm"),
        ("Y", "PhysicalSizeY", "µm"),
        ("Z", "PhysicalSizeZ", "µm"),
        ("T", "TimeIncrement", "s"),
    ):
        value = pixels.get(name)
        if value and _is_positive(value):
            sizes[axis] = Length(float(value), pixels.get(name + "Unit", unit))
    names = tuple(channel.get("Name", "") for channel in _children(pixels, "Channel"))
    return sizes, names if any(names) else ()


def read_significant_bits(xml: str) -> int | None:
    """Return the bits of a value that the first image uses, None if its OME-XML does not say."""
    try:
        _, pixels = _first_image(ElementTree.fromstring(xml))
        return int(pixels.get("SignificantBits", ""))
    except (ElementTree.ParseError, ValueError):
        return None


def companion_name(xml: str) -> str | None:
    """Return the name of the file that holds the OME-XML of a file without its own."""
    try:
        binary_only = next(_children(ElementTree.fromstring(xml), "BinaryOnly"), None)
    except ElementTree.ParseError:
        return None
    return None if binary_only is None else binary_only.get("MetadataFile")


def file_names(xml: str, name: str) -> tuple[str, ...]:
    """Return the names of the files that hold an image.

    Parameters
    ----------
    xml : str
        OME-XML.
    name : str
        Name of one of the files: the first image with planes in it counts, or else the first.

    Raises
    ------
    xml.etree.ElementTree.ParseError
        If it cannot be parsed.
    """
    images = [
        tuple(
            dict.fromkeys(
                element.get("FileName", "")
                for element in image.iter()
                if element.tag.rpartition("}")[2] == "UUID"
            )
        )
        for image in _children(ElementTree.fromstring(xml), "Image")
    ]
    own = (names for names in images if name.lower() in map(str.lower, names))
    return next(own, images[0] if images else ())


def put_first(xml: str, index: int) -> str:
    """Return OME-XML without the images before the one of this index.

    It comes back unchanged if there are none, or if it cannot be parsed.
    """
    if index == 0:
        return xml
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return xml
    for image in list(_children(root, "Image"))[:index]:
        root.remove(image)
    space = root.tag.partition("}")[0][1:] if "}" in root.tag else ""
    if space:
        ElementTree.register_namespace("", space)
    return ElementTree.tostring(root, "unicode")


def derive(xml: str, data: Array, axes: str) -> str:
    """Return OME-XML for an image that was made from the first one in `xml`.

    Parameters
    ----------
    xml : str
        OME-XML of the input file.
    data : array
        The image to write, plane by plane in the order of its axes.
    axes : str
        Its axes, of T, Z, C, Y, X and S.

    Returns
    -------
    str
        The input's OME-XML with the type and sizes of `data`, without further images and without
        the files and pages of the planes.

    Raises
    ------
    ValueError
        If `xml` cannot be understood.
    """
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise ValueError(f"OME-XML is damaged: {error}") from error
    image, pixels = _first_image(root)
    space = pixels.tag.partition("}")[0] + "}" if "}" in pixels.tag else ""
    for other in list(_children(root, "Image")):
        if other is not image:
            root.remove(other)
    _drop_references(root, kept=image.get("ID", ""))
    root.set("UUID", identifier(data, axes))
    size = dict(zip(axes, data.shape, strict=True))
    samples = size.get("S", 1)
    _set_sizes(pixels, data, axes, size, samples)
    _set_channels(pixels, space, size.get("C", 1), samples)
    for name in ("TiffData", "BinData", "MetadataOnly"):
        for element in list(_children(pixels, name)):
            pixels.remove(element)
    planes = data.size // (size["Y"] * size["X"] * samples)
    where = ElementTree.Element(f"{space}TiffData", IFD="0", PlaneCount=str(planes))
    pixels.insert(len(list(_children(pixels, "Channel"))), where)
    if space:
        ElementTree.register_namespace("", space[1:-1])
    return '<?xml version="1.0" encoding="UTF-8"?>' + ElementTree.tostring(root, "unicode")


def _set_sizes(
    pixels: ElementTree.Element, data: Array, axes: str, size: dict[str, int], samples: int
) -> None:
    leading = [axis for axis in reversed(axes) if axis in "TZC"]
    order = "XY" + "".join([*leading, *(axis for axis in "CZT" if axis not in leading)])
    previous = pixels.get("Type")
    pixels.set("DimensionOrder", order)
    pixels.set("Type", _TYPES[data.dtype.name])
    for axis in "XYZT":
        pixels.set(f"Size{axis}", str(size.get(axis, 1)))
    pixels.set("SizeC", str(size.get("C", 1) * samples))
    if samples > 1:
        pixels.set("Interleaved", "true")
    for name in ("BigEndian", *(() if samples > 1 else ("Interleaved",))):
        pixels.attrib.pop(name, None)
    if previous != pixels.get("Type"):
        pixels.attrib.pop("SignificantBits", None)


def _set_channels(pixels: ElementTree.Element, space: str, count: int, samples: int) -> None:
    """Keep the channels if their number is unchanged, else replace them by unnamed ones."""
    channels = list(_children(pixels, "Channel"))
    if len(channels) != count:
        for channel in channels:
            pixels.remove(channel)
        channels = [
            ElementTree.Element(f"{space}Channel", ID=f"Channel:0:{i}") for i in range(count)
        ]
        for index, channel in enumerate(channels):
            pixels.insert(index, channel)
    for channel in channels:
        channel.set("SamplesPerPixel", str(samples))


def _drop_references(root: ElementTree.Element, kept: str) -> None:
    """Remove references to images that were removed."""
    for parent in root.iter():
        for reference in list(_children(parent, "ImageRef")):
            if reference.get("ID") != kept:
                parent.remove(reference)


def _first_image(root: ElementTree.Element) -> tuple[ElementTree.Element, ElementTree.Element]:
    for image in _children(root, "Image"):
        for pixels in _children(image, "Pixels"):
            return image, pixels
    raise ValueError("OME-XML describes no image")


def _children(element: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (child for child in element if child.tag.rpartition("}")[2] == name)


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False
