"""Layer that a result was made from."""

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from napari.viewer import Viewer

#: Key of a result's metadata that holds a weak reference to the image layer it was made from.
_KEY = "napari-defocus-source"


def origin_entry(layer: "weakref.ref[Image] | None") -> dict[str, Any]:
    """Return metadata for a result of an image layer."""
    return {_KEY: layer}


def origin_of(layer: "Layer") -> "Image | None":
    """Return the image layer that a result was made from; None if there is, or was, none."""
    reference = layer.metadata.get(_KEY)
    return reference() if isinstance(reference, weakref.ref) else None


def insert_result(viewer: "Viewer", result: "Layer") -> None:
    """Add a result above its image and what was made from that before; select it.

    If the image is gone, the result comes on top.
    """
    layers, image = viewer.layers, origin_of(result)
    family = [
        index
        for index, layer in enumerate(layers)
        if image is not None and image in (layer, origin_of(layer))
    ]
    layers.insert(family[-1] + 1 if family else len(layers), result)
    layers.selection.active = result
