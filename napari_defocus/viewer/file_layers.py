"""Image files as napari layers, read by the plugin's own readers, large ones lazily."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DefocusError
from ..io import Picture, open_picture
from ..io.recorded_optics import complete_optics

if TYPE_CHECKING:
    import napari.viewer

#: Key in a layer's metadata under which stands what its file says of the microscope.
OPTICS_KEY = "napari-defocus optics"
_UNITS = {"um": "micrometer", "micron": "micrometer", "microns": "micrometer", "sec": "second"}


def open_files(viewer: "napari.viewer.Viewer", paths: Sequence[Path]) -> None:
    """Open each image file as a layer.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer that the layers are added to.
    paths : sequence of pathlib.Path
        Files and zarr stores.

    Raises
    ------
    DefocusError
        If a file cannot be read: the error of the first such file. The others are opened.
    """
    from napari.layers._source import layer_source

    errors: list[DefocusError] = []
    for path in paths:
        try:
            picture = open_picture(path)
        except DefocusError as error:
            errors.append(error)
            continue
        with layer_source(path=str(path)):
            viewer.add_image(**layer_arguments(picture, _name(path)))
    if errors:
        raise errors[0]


def layer_arguments(picture: Picture, name: str) -> dict[str, Any]:
    """Return keyword arguments for layers with the picture's pixel size, units and axes.

    Channels that have names become a layer each.
    """
    axes, sizes = picture.axes.rstrip("S"), picture.metadata.pixel_size
    multiscale = bool(picture.copies)
    channels = picture.metadata.channel_names
    split = "C" in axes and len(channels) == picture.data.shape[axes.index("C")]
    kept = axes.replace("C", "") if split else axes
    optics, _ = complete_optics("auto", picture.metadata)
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
        "metadata": {} if optics is None else {OPTICS_KEY: optics.to_text()},
    }


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


def _name(path: Path) -> str:
    """Return the file name without its suffixes."""
    return path.stem[:-4] if path.stem.lower().endswith(".ome") else path.stem
