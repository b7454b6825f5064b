"""Objective of a microscope and wavelengths of its channels in OME-XML that is written."""

from xml.sax.saxutils import quoteattr

from .picture import Metadata

#: OME's words for what lies between objective and specimen, by how those of files begin.
_MEDIA = {
    "oil": "Oil",
    "water": "Water",
    "air": "Air",
    "dry": "Air",
    "glyc": "Glycerol",
    "multi": "Multi",
}


def add_instrument(xml: str, metadata: Metadata, channels: int) -> str:
    """Return OME-XML of one image with the objective and wavelengths that its metadata hold.

    Parameters
    ----------
    xml : str
        OME-XML as tifffile makes it, without an instrument.
    metadata : Metadata
        Metadata of the image.
    channels : int
        Number of its channels. Wavelengths are left out if there are more or fewer of them.

    Examples
    --------
    >>> xml = '<OME><Image ID="Image:0"><Pixels><Channel ID="Channel:0:0" /></Pixels></Image></OME>'
    >>> add_instrument(xml, Metadata(wavelengths=(520.0,)), 1).partition("Wavelength=")[2][:5]
    '"520"'
    """
    waves = metadata.wavelengths if len(metadata.wavelengths) == channels else ()
    for number, wave in enumerate(waves):
        if wave:
            channel = f'<Channel ID="Channel:0:{number}" '
            field = f'EmissionWavelength="{wave:g}" EmissionWavelengthUnit="nm" '
            xml = xml.replace(channel, channel + field, 1)
    if metadata.objective is None:
        return xml
    instrument = f'<Instrument ID="Instrument:0">{_objective(metadata)}</Instrument>'
    reference = '<InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0:0"/>'
    xml = xml.replace("<Image ", f"{instrument}<Image ", 1)
    return xml.replace("<Pixels ", f"{reference}<Pixels ", 1)


def _objective(metadata: Metadata) -> str:
    lens = metadata.objective
    assert lens is not None
    medium = lens.immersion.lower()
    words = (word for start, word in _MEDIA.items() if medium.startswith(start))
    fields = {
        "LensNA": f"{lens.numerical_aperture:g}" if lens.numerical_aperture else "",
        "NominalMagnification": f"{lens.magnification:g}" if lens.magnification else "",
        "Immersion": next(words, "Other") if medium else "",
    }
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in fields.items() if value)
    return f'<Objective ID="Objective:0:0"{attributes}/>'
