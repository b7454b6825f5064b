"""Layer that a result was made from, and the pixels that it had then."""

import weakref
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from .file_content import layer_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Image, Layer
    from napari.viewer import Viewer

#: Keys of a result's metadata that hold its :class:`Origin`, and the result's running number.
_KEY, _NUMBER = "napari-defocus-source", "napari-defocus-number"
_numbers = count(1)


@dataclass(frozen=True)
class Origin:
    """Image layer that results are made from.

    Parameters
    ----------
    layer : weak reference to an image layer
        The layer.
    pixels : weak reference to an array, optional
        Its data at full resolution; None if nothing can refer to them weakly.
    path : str, optional
        File that it was read from, whose metadata results keep even when it is removed.
    """

    layer: "weakref.ref[Image]"
    pixels: "weakref.ref[Any] | None" = None
    path: str | None = None


def origin(layer: "Image") -> Origin:
    """Return a layer as the origin of results, with the pixels that it has now."""
    path = layer_path(layer)
    try:
        return Origin(weakref.ref(layer), weakref.ref(_pixels(layer)), path)
    except TypeError:
        return Origin(weakref.ref(layer), path=path)


def origin_entry(entry: Origin | None) -> dict[str, Any]:
    """Return metadata for a result of an image layer."""
    return {_KEY: entry, _NUMBER: next(_numbers)}


def origin_of(layer: "Layer") -> "Image | None":
    """Return the image layer that a result was made from; None if there is, or was, none."""
    entry = origin_recorded(layer)
    return None if entry is None else entry.layer()


def origin_recorded(layer: "Layer") -> Origin | None:
    """Return the origin of a result, with the pixels that it was made from."""
    entry = layer.metadata.get(_KEY)
    return entry if isinstance(entry, Origin) else None


def is_result_of(layer: "Layer", image: "Image") -> bool:
    """Return whether a layer was made from the pixels that an image layer has now."""
    if origin_of(layer) is not image:
        return False
    pixels = layer.metadata[_KEY].pixels
    return pixels is None or pixels() is _pixels(image)


def made_last(results: "Iterable[Image]") -> "Image | None":
    """Return the layer that was made last, wherever it lies in the list; None of none."""
    return max(results, key=lambda layer: layer.metadata.get(_NUMBER, 0), default=None)


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


def _pixels(layer: "Image") -> Any:
    return layer.data[0] if layer.multiscale else layer.data
