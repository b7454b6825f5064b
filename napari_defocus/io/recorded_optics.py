"""Optics of a microscope as the metadata of a file record them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from xml.etree import ElementTree

from ..objective import Objective, parse_optics
from .lengths import micrometers
from .microscopy.description import parse_xml, positive_number
from .picture import Metadata, ObjectiveLens

#: Refractive index of immersion media, by the beginnings of their names in files.
_INDICES = {
    "air": 1.0, "dry": 1.0, "water": 1.333, "oil": 1.515, "glyc": 1.47, "sil": 1.406,
}  # fmt: skip
#: Indices that are assumed of a medium without a name: the least that exceeds the aperture.
_USUAL = (1.0, 1.333, 1.515)


def complete_optics(optics: Objective | str, metadata: Metadata) -> tuple[Objective | None, str]:
    """Return the optics of an image from a file, and a sentence on what was taken from the file.

    Parameters
    ----------
    optics : Objective, "none", "auto" or text
        The option: what it says wins over the file.
    metadata : Metadata
        Of the file.

    Returns
    -------
    optics : Objective or None
        None if aperture, wavelength or size of a pixel is not known.
    note : str
        Empty if nothing was taken from the file.

    Examples
    --------
    >>> complete_optics("none", Metadata())
    (None, '')
    """
    if isinstance(optics, Objective):
        return optics, ""
    if optics == "none":
        return None, ""
    chosen = {} if optics == "auto" else parse_optics(optics)
    values = recorded_optics(metadata) | chosen
    if "na" in values and "index" not in values:
        values["index"] = next((index for index in _USUAL if index > values["na"]), _USUAL[-1])
    if not {"na", "wavelength_um", "pixel_size_um"} <= set(values):
        return None, ""
    objective = Objective(**values)
    return objective, f"the microscope is taken to be {objective.describe()}, as the file says"


def recorded_optics(metadata: Metadata, channel: int | None = None) -> dict[str, float]:
    """Return what metadata say of the optics, by the names of the parameters of `Objective`.

    Parameters
    ----------
    metadata : Metadata
        Of a file.
    channel : int, optional
        Number of a channel, whose wavelength counts; by default, the mean of all does.

    Examples
    --------
    >>> recorded_optics(Metadata(objective=ObjectiveLens(1.4, 63, "Oil"), wavelengths=(500.0,)))
    {'na': 1.4, 'index': 1.515, 'wavelength_um': 0.5}
    """
    lens, waves = metadata.objective, list(metadata.wavelengths)
    if metadata.ome:
        root = parse_xml(metadata.ome)
        lens = lens or _lens(root)
        waves = waves if any(waves) else list(_emissions(root))
    if channel is not None and len(waves) == len(metadata.channel_names):
        waves = [waves[channel]]
    values: dict[str, float] = {}
    if lens is not None and lens.numerical_aperture:
        values["na"] = lens.numerical_aperture
        index = _index(lens.immersion)
        if index is not None and index > values["na"]:
            values["index"] = index
    lengths = [wave for wave in waves if wave]
    if lengths:
        values["wavelength_um"] = sum(lengths) / len(lengths) / 1000
    sizes = [metadata.pixel_size[axis] for axis in "YX" if axis in metadata.pixel_size]
    sides = [micrometers(size.value, size.unit) for size in sizes]
    if len(sides) == 2 and sides[0] and sides[1]:
        values["pixel_size_um"] = math.sqrt(sides[0] * sides[1])
    return values


def _index(medium: str) -> float | None:
    name = medium.lower()
    return next((index for start, index in _INDICES.items() if name.startswith(start)), None)


def _lens(root: ElementTree.Element) -> ObjectiveLens | None:
    """Return the objective in OME-XML, if the instrument has one and its aperture is known."""
    lenses = [element for element in root.iter() if _tag(element) == "Objective"]
    used = next((e.get("ID") for e in root.iter() if _tag(e) == "ObjectiveSettings"), None)
    lenses = [lens for lens in lenses if used is None or lens.get("ID") == used] or lenses
    if len(lenses) != 1:
        return None
    aperture = positive_number(lenses[0].get("LensNA"))
    magnification = positive_number(lenses[0].get("NominalMagnification"))
    return ObjectiveLens(aperture, magnification, lenses[0].get("Immersion", ""))


def _emissions(root: ElementTree.Element) -> Iterator[float | None]:
    """Yield the emission wavelengths in nm of the channels in OME-XML, None of those without."""
    for element in root.iter():
        if _tag(element) == "Channel":
            value = positive_number(element.get("EmissionWavelength"))
            unit = element.get("EmissionWavelengthUnit", "nm")
            length = None if value is None else micrometers(value, unit)
            yield 1000 * length if length is not None and math.isfinite(length) else None


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
