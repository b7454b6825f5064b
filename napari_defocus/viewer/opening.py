"""Image files opened as layers by our own reader, those that are large lazily."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DefocusError
from ..io import Picture, open_picture

if TYPE_CHECKING:
    import napari.viewer

_UNITS = {"um": "micrometer", "micron": "micrometer", "microns": "micrometer", "sec": "second"}


def open_in(viewer: "napari.viewer.Viewer", paths: Sequence[Path]) -> None:
    """Open image files, each as a layer.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where layers are added.
    paths : sequence of pathlib.Path
        Files and zarr stores.

    Raises
    ------
    DefocusError
        If some cannot be read, of the first of these; the others are opened all the same.
    """
    from napari.layers._source import layer_source

    failed: list[DefocusError] = []
    for path in paths:
        try:
            picture = open_picture(path)
        except DefocusError as error:
            failed.append(error)
            continue
        with layer_source(path=str(path)):
            viewer.add_image(**layer_of(picture, _name(path)))
    if failed:
        raise failed[0]


def layer_of(picture: Picture, name: str) -> dict[str, Any]:
    """Keyword arguments of an image layer that shows a picture in its own size and units."""
    axes = picture.axes.rstrip("S")
    sizes = [picture.metadata.pixel_size.get(axis) for axis in axes]
    several = bool(picture.copies)
    return {
        "data": [picture.data, *picture.copies] if several else picture.data,
        "multiscale": several,
        "rgb": picture.channel_axis == -1,
        "name": name,
        "scale": [1.0 if size is None else size.value for size in sizes],
        "units": ["pixel" if size is None else _unit(size.unit) for size in sizes],
    }


def _unit(named: str) -> str:
    """A unit as napari knows it; pixels if it does not."""
    import pint

    unit = _UNITS.get(named, named)
    try:
        pint.get_application_registry().parse_units(unit)  # type: ignore[no-untyped-call]
    except (pint.PintError, ValueError, TypeError):
        return "pixel"
    return unit


def _name(path: Path) -> str:
    """A layer's name: that of the file without its suffixes."""
    return path.stem[:-4] if path.stem.lower().endswith(".ome") else path.stem
