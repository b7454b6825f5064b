"""Layers that serve as defocus maps, cut to the part that covers a region of an image."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ..errors import MapError
from ..provenance_record import array_hash
from .regions import Window, spatial_shape

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from ..defocus_map import DefocusMap

#: Metadata key under which a map layer keeps its :class:`EstimatedMap`. Other layers that are not
#: to be worked on (confidence, preview) have None there.
MAP_KEY = "napari-defocus-map"


@dataclass(frozen=True)
class EstimatedMap:
    """Map as it was estimated, kept in the metadata of its layer.

    Parameters
    ----------
    map : DefocusMap
        Radii, which are also the layer's data, and confidence.
    digest : str
        :func:`napari_defocus.provenance_record.array_hash` of the radii as they were estimated,
        which shows later whether the layer was edited.
    """

    map: "DefocusMap"
    digest: str


def layer_map(layer: "Image") -> "DefocusMap":
    """Return the defocus map that a layer was made from, with its confidence.

    Parameters
    ----------
    layer : napari.layers.Image
        A layer of radii that the widget *Defocus Map* made.

    Raises
    ------
    MapError
        If it is another layer.

    Examples
    --------
    In napari's console::

        from napari_defocus.viewer import layer_map
        radius, confidence = layer_map(viewer.layers["photo defocus"])
    """
    estimated = layer.metadata.get(MAP_KEY)
    if not isinstance(estimated, EstimatedMap):
        raise MapError(
            f"the layer {layer.name!r} is no map that Defocus Map made; give the layer of its radii"
        )
    return estimated.map


@dataclass(frozen=True)
class MapSource:
    """Part of a map layer, to be read later.

    Parameters
    ----------
    data : array-like
        Radii of the whole layer, in pixels.
    slices : tuple of slice
        The part; one slice per axis of the layer.
    estimated : EstimatedMap or None
        The estimated map, if the layer holds one.
    name : str
        Name of the layer.
    path : str or None
        File the layer was read from.
    """

    data: Any
    slices: tuple[slice, ...]
    estimated: "EstimatedMap | None"
    name: str
    path: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the part is the whole layer."""
        return all(
            part == slice(0, size) for part, size in zip(self.slices, self.data.shape, strict=True)
        )

    @property
    def is_as_estimated(self) -> bool:
        """Whether the layer holds an estimated map that was not edited since."""
        return self.estimated is not None and array_hash(self.data) == self.estimated.digest

    def read(self) -> "DefocusMap | npt.NDArray[np.float32]":
        """Return radii and confidence of an unedited estimate, otherwise radii alone."""
        radius = np.asarray(self.data[self.slices], dtype=np.float32)
        if self.estimated is None or not self.is_as_estimated:
            return radius
        whole = self.estimated.map
        return replace(whole, radius=radius, confidence=whole.confidence[self.slices])


def map_source(layer: "Image | Labels", image: "Image", window: Window) -> MapSource:
    """Return the part of a map layer that covers a region of an image.

    Parameters
    ----------
    layer : napari.layers.Image or Labels
        Radii in pixels of `image`; can have fewer axes than `image` (one map for all planes), and
        can cover only part of it.
    image : napari.layers.Image
        Image that the map belongs to.
    window : Window
        Region of `image`.

    Raises
    ------
    MapError
        If the map does not cover the region.
    """
    if layer.ndim > image.ndim:
        raise MapError(
            f"the map {layer.name!r} has {layer.ndim} axes, more than the {image.ndim} of "
            f"{image.name!r}"
        )
    axes = slice(image.ndim - layer.ndim, None)
    offset = _offset(layer, image)
    start = np.array(window.start[axes]) - offset
    stop = np.array(window.stop[axes]) - offset
    if np.any(start < 0) or np.any(stop > np.array(layer.data.shape)):
        raise MapError(
            f"the map {layer.name!r} of shape {tuple(layer.data.shape)} does not cover the region "
            f"of {image.name!r}, which spans indices {start.tolist()} to {stop.tolist()} of the map"
        )
    return MapSource(
        data=layer.data,
        slices=tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True)),
        estimated=layer.metadata.get(MAP_KEY),
        name=layer.name,
        path=layer.source.path,
    )


def _offset(layer: "Image | Labels", image: "Image") -> npt.NDArray[np.int64]:
    """Return the index in `image` of the map's first pixel."""
    if tuple(layer.data.shape) == spatial_shape(image)[-layer.ndim :]:
        return np.zeros(layer.ndim, np.int64)
    first = image.world_to_data(layer.data_to_world(np.zeros(layer.ndim)))
    return cast("npt.NDArray[np.int64]", np.rint(first[-layer.ndim :]).astype(np.int64))
