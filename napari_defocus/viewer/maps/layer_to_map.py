"""Defocus map that a layer holds, for scripts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...errors import MapError
from ..layers.regions import whole_layer
from ..layers.window import Window
from .map_source import MAP_KEY, EstimatedMap, map_source, partial_source

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from ...defocus_map import DefocusMap


def layer_map(
    layer: "Image | Labels",
    image: "Image | None" = None,
    region: "Sequence[tuple[int, int]] | None" = None,
    *,
    partial: bool = False,
) -> "DefocusMap | npt.NDArray[np.float32]":
    """Return the defocus map that a layer holds.

    Parameters
    ----------
    layer : napari.layers.Image or Labels
        A layer of radii; without `image`, one that the widget *Defocus Map* made.
    image : napari.layers.Image, optional
        Image that the map is used for, at the place where both are shown.
    region : sequence of (start, stop), optional
        Part of the image for each of its axes except color; by default all of it.
    partial : bool
        Whether the map may cover less; pixels without a map get radius and confidence 0.

    Returns
    -------
    DefocusMap or (..., Y, X) float32 array
        The map with its confidence if *Defocus Map* estimated it, and it was not edited since;
        otherwise radii. With `image`, on the pixels of its region.

    Raises
    ------
    MapError
        If the layer is none of *Defocus Map*, or does not cover the region of the image.

    Examples
    --------
    In napari's console::

        from napari_defocus.viewer import layer_map
        radius, confidence = layer_map(viewer.layers["photo defocus"])
        radius = layer_map(viewer.layers["painted"], viewer.layers["photo"])
    """
    if image is not None:
        window = whole_layer(image)
        if region is not None:
            window = Window(tuple(a for a, _ in region), tuple(b for _, b in region))
        return (partial_source if partial else map_source)(layer, image, window).read()
    estimated = layer.metadata.get(MAP_KEY)
    if not isinstance(estimated, EstimatedMap):
        raise MapError(
            f"the layer {layer.name!r} is no map that Defocus Map made; give the layer of its radii"
        )
    return estimated.map
