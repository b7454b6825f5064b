"""A layer used as a defocus map: which part of it lies on a part of an image."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ..errors import MapError
from ..provenance import array_hash
from .regions import Window, spatial_shape

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from ..defocus_map import DefocusMap

#: Where the layer of a map keeps what was estimated, and that of a confidence None.
MAP_KEY = "napari-defocus-map"


@dataclass(frozen=True)
class Estimated:
    """A map as the estimator returned it, kept with its layer.

    Parameters
    ----------
    map : DefocusMap
        Radii, which are the layer's data, and confidence.
    digest : str
        :func:`napari_defocus.provenance.array_hash` of the radii before anybody could edit them.
    """

    map: "DefocusMap"
    digest: str


@dataclass(frozen=True)
class MapSource:
    """Part of a map layer, not read yet.

    Parameters
    ----------
    data : array-like
        The layer's radii in pixels.
    slices : tuple of slice
        Which part; has the layer's number of axes.
    estimated : Estimated or None
        What the estimator returned, if it made this layer.
    name : str
        Of the layer.
    path : str or None
        The file it came from.
    """

    data: Any
    slices: tuple[slice, ...]
    estimated: "Estimated | None"
    name: str
    path: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the layer."""
        return all(
            part == slice(0, size) for part, size in zip(self.slices, self.data.shape, strict=True)
        )

    @property
    def is_as_estimated(self) -> bool:
        """Whether the estimator made the layer, and nobody has edited it since."""
        return self.estimated is not None and array_hash(self.data) == self.estimated.digest

    def read(self) -> "DefocusMap | npt.NDArray[np.float32]":
        """Return the part: with its confidence if nobody has edited the layer, else radii only."""
        radius = np.asarray(self.data[self.slices], dtype=np.float32)
        if self.estimated is None or not self.is_as_estimated:
            return radius
        whole = self.estimated.map
        return replace(whole, radius=radius, confidence=whole.confidence[self.slices])


@dataclass(frozen=True)
class KnownMap:
    """A map that is at hand."""

    map: "DefocusMap"

    def read(self) -> "DefocusMap":
        """Return it."""
        return self.map


def map_source(layer: "Image | Labels", image: "Image", window: Window) -> MapSource:
    """Find the part of a map that lies on part of an image.

    Parameters
    ----------
    layer : napari.layers.Image or Labels
        Radii in pixels of `image`; may have fewer axes than `image` (one map for all planes), and
        may cover only part of it.
    image : napari.layers.Image
        The image that the map is of.
    window : Window
        Part of `image`.

    Raises
    ------
    MapError
        If the map does not cover the part.
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
            f"of {image.name!r}: it was asked for indices {start.tolist()} to {stop.tolist()}"
        )
    return MapSource(
        data=layer.data,
        slices=tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True)),
        estimated=layer.metadata.get(MAP_KEY),
        name=layer.name,
        path=layer.source.path,
    )


def _offset(layer: "Image | Labels", image: "Image") -> npt.NDArray[np.int64]:
    """Index in `image` of the map's first pixel."""
    if tuple(layer.data.shape) == spatial_shape(image)[-layer.ndim :]:
        return np.zeros(layer.ndim, np.int64)
    first = image.world_to_data(layer.data_to_world(np.zeros(layer.ndim)))
    return cast("npt.NDArray[np.int64]", np.rint(first[-layer.ndim :]).astype(np.int64))
