"""Image layers of pictures: names, pixel sizes, units and axes as their files say."""

from pathlib import Path
from typing import Any

from ...io import Picture
from ...io.picture import Metadata
from ...io.recorded_optics import recorded_optics
from .layer_optics import OPTICS_KEY, to_text

_UNITS = {"um": "micrometer", "micron": "micrometer", "microns": "micrometer", "sec": "second"}


def layer_arguments(picture: Picture, name: str) -> dict[str, Any]:
    """Return keyword arguments for layers with the picture's pixel size, units and axes.

    Channels that have names become a layer each.
    """
    axes, sizes = picture.axes.rstrip("S"), picture.metadata.pixel_size
    multiscale = bool(picture.copies)
    channels = picture.metadata.channel_names
    split = "C" in axes and len(channels) == picture.data.shape[axes.index("C")]
    kept = axes.replace("C", "") if split else axes
    return {
        "data": [picture.data, *picture.copies] if multiscale else picture.data,
        "multiscale": multiscale,
        "rgb": picture.channel_axis == -1,
        "channel_axis": axes.index("C") if split else None,
        "name": [f"{name} {channel}" for channel in channels] if split else name,
        "scale": [sizes[axis].value if axis in sizes else 1.0 for axis in kept],
        "translate": [picture.metadata.origin.get(axis, 0.0) for axis in kept],
        "units": [_unit(sizes[axis].unit) if axis in sizes else "pixel" for axis in kept],
        "axis_labels": list(kept.lower()),
        "metadata": [_optics_entry(picture.metadata, index) for index in range(len(channels))]
        if split
        else _optics_entry(picture.metadata),
    }


def _optics_entry(metadata: Metadata, channel: int | None = None) -> dict[str, str]:
    """Return metadata of a layer with what a file, or a channel in it, says of the microscope."""
    values = recorded_optics(metadata, channel)
    return {OPTICS_KEY: to_text(values)} if values else {}


def _unit(name: str) -> str:
    """Return the unit in napari's spelling, "pixel" if napari does not have it."""
    import pint

    if not name:
        return "pixel"
    unit = _UNITS.get(name, name)
    try:
        pint.get_application_registry().parse_units(unit)  # type: ignore[no-untyped-call]
    except (pint.PintError, ValueError, TypeError):
        return "pixel"
    return unit


def layer_name(path: Path) -> str:
    """Return the file name without its suffixes."""
    return path.stem[:-4] if path.stem.lower().endswith(".ome") else path.stem
