"""What a layer says of the microscope: by its file's metadata, and by the size of its pixels."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...io.picture import Metadata
from ...io.recorded_optics import complete_optics
from ...objective import Objective, parse_optics
from .results import layer_pixel_size

if TYPE_CHECKING:
    from napari.layers import Image

#: Key in a layer's metadata under which stands what its file says of the microscope.
OPTICS_KEY = "napari-defocus optics"


def to_text(values: Mapping[str, float]) -> str:
    """Return numbers, by the names of the parameters of `Objective`, as `parse_optics` takes them.

    Examples
    --------
    >>> to_text({"na": 1.4, "wavelength_um": 0.52})
    'na=1.4,wavelength_um=0.52'
    """
    return ",".join(f"{name}={value:.12g}" for name, value in values.items())


def complete(values: Mapping[str, float]) -> Objective | None:
    """Return the objective of these numbers, whose index may be missing, None if more is missing.

    Raises
    ------
    OptionError
        If they cannot be those of an objective.

    Examples
    --------
    >>> complete({"na": 1.2, "wavelength_um": 0.52, "pixel_size_um": 0.1}).index
    1.333
    """
    return complete_optics(to_text(values), Metadata())[0] if values else None


def file_values(layer: "Image") -> dict[str, float]:
    """Return the numbers that the file of a layer records."""
    text = layer.metadata.get(OPTICS_KEY)
    return parse_optics(text) if text else {}


def file_optics(layer: "Image") -> str:
    """Return the optics that the file of a layer records, "auto" if it does not record all."""
    optics = complete(file_values(layer))
    return "auto" if optics is None else optics.to_text()


def scale_values(layer: "Image") -> dict[str, float]:
    """Return the size of a pixel, if the units of the layer are those of length."""
    size = layer_pixel_size(layer)
    return {} if size is None else {"pixel_size_um": size.side}
