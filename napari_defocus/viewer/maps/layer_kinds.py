"""What layers are: images, maps, results, regions, channels of one image."""

from typing import TYPE_CHECKING, cast

import numpy as np

from ..layers.origin import is_result_of, made_last, origin_of
from ..layers.regions import spatial_shape
from ..layers.results import METADATA_KEY
from .map_source import MAP_KEY

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from napari.viewer import Viewer


def is_image(layer: "Layer") -> bool:
    """Return whether a layer is an image to work on, not a defocus map or a preview."""
    from napari.layers import Image

    return isinstance(layer, Image) and layer.ndim >= 2 and not is_plugin_map(layer)


def is_map(layer: "Layer") -> bool:
    """Return whether a layer can serve as a defocus map: it has one value per pixel."""
    from napari.layers import Image, Labels

    if layer.metadata.get(MAP_KEY, ...) is None or getattr(layer, "multiscale", False):
        return False
    return isinstance(layer, Labels) or (isinstance(layer, Image) and not layer.rgb)


def is_shapes(layer: "Layer") -> bool:
    """Return whether a layer can mark a region."""
    from napari.layers import Shapes

    return isinstance(layer, Shapes)


def is_plugin_map(layer: "Layer") -> bool:
    """Return whether this plugin made a layer as a defocus map, a confidence or a preview."""
    return MAP_KEY in layer.metadata


def selected_image(viewer: "Viewer", active: "Layer | None" = None) -> "Image | None":
    """Return the selected image, or the one that the selected result was made from, if any.

    `active` counts as the selected layer, if it is given and not removed.
    """
    if active not in viewer.layers:
        active = viewer.layers.selection.active
    if active is None:
        return None
    image = origin_of(active)
    if image is not None and image in viewer.layers:
        return image
    return cast("Image", active) if is_image(active) else None


def newest_result(viewer: "Viewer", image: "Image") -> "Image | None":
    """Return the picture deblurred last from an image layer, None if the viewer has none."""
    return made_last(
        cast("Image", layer)
        for layer in reversed(viewer.layers)
        if layer.metadata.get(METADATA_KEY, {}).get("function") == "deblur"
        and is_result_of(layer, image)
    )


def are_channels(image: "Image", other: "Layer") -> bool:
    """Return whether two layers are gray images of the same shape at the same place."""
    if not is_image(other) or origin_of(other) is not None or image.rgb or other.rgb:
        return False
    same_shape = image.ndim == other.ndim and spatial_shape(image) == spatial_shape(other)
    return same_shape and all(
        np.allclose(getattr(image, name), getattr(other, name)) for name in ("scale", "translate")
    )
