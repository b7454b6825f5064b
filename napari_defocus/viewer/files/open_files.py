"""Files opened as layers by the plugin's own readers: images, large ones lazily, and maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DefocusError
from ...io import Picture, open_picture
from ..layers.file_layers import layer_arguments, layer_name
from ..maps.map_layers import add_map_layers
from .map_files import find_map

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


@dataclass(frozen=True)
class OpenFile:
    """A file that has been read, by any thread.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    content : Picture or list of napari.layers.Image
        Its image, or the layers of its map.
    """

    path: Path
    content: "Picture | list[Image]"

    def add_to(self, viewer: "Viewer") -> None:
        """Add the layers of the file to a viewer."""
        from napari.layers._source import layer_source

        if isinstance(self.content, Picture):
            with layer_source(path=str(self.path)):
                viewer.add_image(**layer_arguments(self.content, layer_name(self.path)))
        else:
            add_map_layers(viewer, self.content)


def read_file(path: Path) -> OpenFile:
    """Read an image file, or a file with a map.

    Raises
    ------
    DefocusError
        If it cannot be read.
    """
    from napari.layers._source import layer_source

    map_file = find_map(path)
    if map_file is None:
        return OpenFile(path, open_picture(path))
    with layer_source(path=str(path)):
        return OpenFile(path, map_file.layers())


def open_files(viewer: "Viewer", paths: Sequence[Path]) -> None:
    """Open files as layers: images as images, maps with colors and confidence.

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
    errors: list[DefocusError] = []
    for path in paths:
        try:
            read_file(path).add_to(viewer)
        except DefocusError as error:
            errors.append(error)
    if errors:
        raise errors[0]
