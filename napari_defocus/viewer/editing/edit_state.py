"""Edits of the map of one image, and what was made of them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..layers.origin import origin_of
from ..maps.map_layers import MapLayers
from ..maps.surface import find_surface

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

#: Metadata key under which a layer of edits keeps its :class:`MapEdits`.
_KEY = "napari-defocus-edits"


@dataclass(eq=False)
class MapEdits:
    """Layer of edits over an estimated map.

    Parameters
    ----------
    layer : napari.layers.Labels
        The edits.
    base : napari.layers.Image
        Layer of the estimated radii.
    edited : MapLayers, optional
        Layers of the map that was made of both.
    applied : (array, float), optional
        The labels, and the width of the transition in pixels, that it was made of.
    touched : bool
        Whether labels may have changed since.
    """

    layer: "Labels"
    base: "Image"
    edited: MapLayers | None = None
    applied: tuple[npt.NDArray[Any], float] | None = field(default=None, repr=False)
    touched: bool = True

    def __post_init__(self) -> None:
        self.layer.metadata[_KEY] = self
        self.layer.events.set_data.connect(self._touch)

    def _touch(self, *_: Any) -> None:
        """Note that labels may have changed."""
        self.touched = True

    @property
    def image(self) -> "Image | None":
        """Layer of the image, if there still is one."""
        return origin_of(self.base)

    def surface(self, place: tuple[int, ...]) -> npt.NDArray[np.bool_]:
        """Return the surface (Y, X) around a place, in the plane of that place."""
        *plane, row, column = place
        radius = np.abs(np.asarray(self.base.data[tuple(plane)]))
        return find_surface(radius, self._colors(tuple(plane)), (row, column))

    def _colors(self, plane: tuple[int, ...]) -> npt.NDArray[np.float32] | None:
        """Return the picture (Y, X, C) under a plane of the map, 0 to 1, if its pixels fit."""
        image = self.image
        if image is None or image.multiscale or image.ndim != self.base.ndim:
            return None
        corner = image.world_to_data(self.base.data_to_world((*plane, 0, 0)))
        *leading, top, left = np.rint(corner).astype(int).tolist()
        height, width = self.base.data.shape[-2:]
        part = (*leading, slice(top, top + height), slice(left, left + width))
        pixels = np.asarray(image.data[part], np.float32)
        if pixels.shape[:2] != (height, width):
            return None
        low, high = (0, 255) if image.rgb and image.dtype == np.uint8 else image.contrast_limits
        colors: npt.NDArray[np.float32] = (pixels - np.float32(low)) / np.float32(high - low)
        return colors.reshape(height, width, -1)

    def differ(self, labels: npt.NDArray[Any], softness: float) -> bool:
        """Return whether labels and softness differ from those applied before, if any."""
        if self.applied is None:
            return bool(labels.any())
        return softness != self.applied[1] or not np.array_equal(labels, self.applied[0])


def edits_of(viewer: "Viewer", image: "Image | None") -> list[MapEdits]:
    """Return the edits of an image that the viewer has, the uppermost first."""
    return [edits for edits in all_edits(viewer) if edits.image is image]


def all_edits(viewer: "Viewer") -> list[MapEdits]:
    """Return the edits that the viewer has, the uppermost first."""
    entries = (layer.metadata.get(_KEY) for layer in reversed(viewer.layers))
    return [entry for entry in entries if isinstance(entry, MapEdits)]
