"""Layers that serve as defocus maps, cut to the part that covers a region of an image."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ...errors import MapError
from ...map_units import recorded_factor
from ...provenance_record import array_hash
from ..layers.file_content import layer_path
from ..layers.geometry import pixel_transform
from ..layers.origin import is_result_of, made_last, origin_of
from ..layers.resampling import PixelTransform
from ..layers.slices import clip_slices, read_extended, within
from ..layers.window import Window

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

    from ...array_types import Mask
    from ...defocus_map import DefocusMap
    from ...map_statistics import MapStatistics
    from ...options import Options
    from .radius_counts import RadiusCounts

#: Metadata key under which a map layer keeps its :class:`EstimatedMap`. Other layers that are not
#: to be worked on (confidence, preview) have None there.
MAP_KEY = "napari-defocus-map"
#: Stands there for the map of a file that holds radii in pixels, without their confidence.
RADII_ALONE = "radii alone"
#: Radius in pixels that any map may hold; larger fractions must not exceed the image's side.
_PLAUSIBLE = 100.0
#: Stands for the estimator of maps with edits.
EDITED = "edited"


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
    image_hash : str
        Hash of the image that it was estimated from.
    options : Options
        Options that it was estimated with, as chosen.
    model : str
        Name or path of the estimator, as chosen; `EDITED` if it holds edits.
    statistics : MapStatistics
        Statistics of its sure radii.
    counts : RadiusCounts
        Histogram of its sure radii.
    subject_limit : float
        Radius in pixels that divides subject and background, 0 if there are not two.
    featureless : (..., Y, X) bool array, optional
        Where the image shows nothing by which blur could be told; None: not known.
    """

    map: "DefocusMap"
    digest: str
    image_hash: str
    options: "Options"
    model: str
    statistics: "MapStatistics"
    counts: "RadiusCounts"
    subject_limit: float = 0.0
    featureless: "Mask | None" = None

    @property
    def shown(self) -> "DefocusMap":
        """The map with a confidence of 0 where the image shows nothing."""
        return distrust_featureless(self.map, self.featureless)


def distrust_featureless(defocus: "DefocusMap", featureless: "Mask | None") -> "DefocusMap":
    """Return a map with a confidence of 0 where its image shows nothing, if that is known."""
    if featureless is None:
        return defocus
    confidence = np.where(featureless, np.float32(0), defocus.confidence)
    return replace(defocus, confidence=confidence)


def newest_map(viewer: "Viewer", image: "Image", *, edited: bool = True) -> "Image | None":
    """Return the map made last of the pixels of an image layer, None if the viewer has none.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer with the layers.
    image : napari.layers.Image
        The image.
    edited : bool
        Whether maps with edits count too.
    """
    maps = [
        cast("Image", layer)
        for layer in reversed(viewer.layers)
        if isinstance(layer.metadata.get(MAP_KEY), EstimatedMap) and is_result_of(layer, image)
    ]
    return made_last(each for each in maps if edited or each.metadata[MAP_KEY].model != EDITED)


@dataclass(frozen=True)
class MapSource:
    """Part of a map layer, to be read later.

    Parameters
    ----------
    data : array-like
        Radii of the whole layer, in pixels.
    slices : tuple of slice or None
        The part, one slice per axis of the layer; None if the pixels of layer and image differ.
        They may reach beyond the layer, where radius and confidence are 0.
    estimated : EstimatedMap or None
        The estimated map, if the layer holds one.
    name : str
        Name of the layer.
    path : str or None
        File the layer was read from.
    image : str
        Name of the image.
    transform : PixelTransform or None
        Places of the image's pixels in the layer; not needed with slices.
    discrete : bool
        Whether values between pixels have no meaning, as in labels.
    factor : float
        Number by which the values of the layer are divided to give radii in pixels: 1, unless
        napari read them from a file, and the JSON beside it says that they are in micrometers.
    """

    data: Any
    slices: tuple[slice, ...] | None
    estimated: "EstimatedMap | None"
    name: str
    path: str | None
    image: str
    transform: PixelTransform | None
    discrete: bool
    factor: float = 1.0

    @property
    def is_whole(self) -> bool:
        """Whether the part is the whole layer, pixel by pixel."""
        return self.slices == tuple(slice(0, size) for size in self.data.shape)

    @property
    def follows_viewer(self) -> bool:
        """Whether the part is more than slices of the layer: it is resampled or extended."""
        return self.slices is None or self.is_partial

    @property
    def is_partial(self) -> bool:
        """Whether the part reaches beyond the layer."""
        return self.slices is not None and not within(self.slices, self.data.shape)

    @property
    def is_unedited(self) -> bool:
        """Whether the layer holds an estimated map that was not edited since."""
        return self.estimated is not None and array_hash(self.data) == self.estimated.digest

    def repeats(self, pixels: Any, options: "Options", model: str) -> bool:
        """Return whether the same estimation of the same pixels would give this map again."""
        made = self.estimated
        return (
            made is not None
            and isinstance(pixels, np.ndarray)
            and self.is_whole
            and self.is_unedited
            and (made.options, made.model) == (options, model)
            and made.image_hash == array_hash(pixels)
        )

    def read(self) -> "DefocusMap | npt.NDArray[np.float32]":
        """Return radii and confidence of an unedited estimate, otherwise radii alone."""
        radius = self._read(self.data)
        if self.estimated is None and not self.discrete:
            self._check_plausible(radius)
        if self.estimated is None or not self.is_unedited:
            return radius
        whole = self.estimated.map
        return replace(whole, radius=radius, confidence=self._read(whole.confidence))

    def _check_plausible(self, radius: npt.NDArray[np.float32]) -> None:
        """Refuse values that can hardly be radii, as those of a picture."""
        sizes = np.abs(radius)
        largest = float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))
        whole = np.dtype(self.data.dtype).kind != "f"  # as of pictures, of which many end at 255
        if largest > max(_PLAUSIBLE, 0 if whole else min(radius.shape[-2:])):
            raise MapError(
                f"{self.name!r} holds values up to {largest:.4g}, which would be blur radii in "
                f"pixels of an image of {radius.shape[-1]} x {radius.shape[-2]}: it seems to be a "
                "picture; choose a map under 'defocus map', or 'estimate first'"
            )

    def _read(self, values: Any) -> npt.NDArray[np.float32]:
        if self.slices is None:
            assert self.transform is not None
            part = self.transform.resample(values, order=0 if self.discrete else 1)
        elif self.is_partial:
            part = read_extended(values, self.slices)
        else:
            part = np.asarray(values[self.slices], dtype=np.float32)
        return part if self.factor == 1 else part / self.factor


def map_source(layer: "Image | Labels", image: "Image", window: Window) -> MapSource:
    """Return the part of a map layer that covers a region of an image, as the viewer shows them.

    Parameters
    ----------
    layer : napari.layers.Image or Labels
        Radii in pixels of `image`; can have fewer axes than `image` (one map for all planes), can
        cover only part of it, and can be scaled, turned or mirrored otherwise.
    image : napari.layers.Image
        Image that the map belongs to.
    window : Window
        Region of `image`.

    Raises
    ------
    MapError
        If the map does not cover the region.
    FileError
        If the layer's file says that radii are in micrometers, and not how large a pixel is.
    """
    source = _source(layer, image, window)
    shape, slices, transform = tuple(layer.data.shape), source.slices, source.transform
    if slices is None:
        covers = transform is not None and transform.covered_by(shape)
    else:
        covers = within(slices, shape)
    if not covers:
        remedy = "estimate a map of that region, or work on the part that the map covers"
        if origin_of(layer) is not image:
            remedy = (
                "move it over the image, or give it the scale and translation of the image if "
                "their pixels are the same"
            )
        raise MapError(
            f"the map {layer.name!r} of shape {shape} does not cover the region of {image.name!r} "
            f"where the viewer shows them; {remedy}"
        )
    return source


def partial_source(layer: "Image | Labels | None", image: "Image", window: Window) -> MapSource:
    """Return a map layer as the map of a region of an image that it may cover only in part.

    Raises
    ------
    MapError
        If no layer is chosen, it lies elsewhere, or its pixels are not those of the image.
    """
    remedy = "estimate a map of a region of this image first, and choose it under 'defocus map'"
    if layer is None:
        raise MapError(f"no map is chosen, so that it covers nothing of {image.name!r}; {remedy}")
    source = _source(layer, image, window)
    if source.slices is None:
        raise MapError(
            f"pixels of the map {layer.name!r} are not those of {image.name!r}, so that it cannot "
            f"be used for part of it; {remedy}"
        )
    clipped = clip_slices(source.slices, layer.data.shape)
    if any(part.start >= part.stop for part in clipped):
        raise MapError(
            f"the map {layer.name!r} lies outside of the region of {image.name!r}; {remedy}"
        )
    return source


def _source(layer: "Image | Labels", image: "Image", window: Window) -> MapSource:
    """Return the part of a map layer at a region of an image, covered or not."""
    from napari.layers import Labels

    if layer.ndim > image.ndim:
        raise MapError(
            f"the map {layer.name!r} has {layer.ndim} axes, more than the {image.ndim} of "
            f"{image.name!r}"
        )
    transform = PixelTransform(*pixel_transform(image, layer), window)
    path, made = layer_path(layer), layer.metadata.get(MAP_KEY)
    return MapSource(
        data=layer.data,
        slices=transform.as_slices(),
        estimated=made if isinstance(made, EstimatedMap) else None,
        name=layer.name,
        path=path,
        image=image.name,
        transform=transform,
        discrete=isinstance(layer, Labels),
        factor=1.0 if path is None or made is not None else recorded_factor(Path(path)),
    )


def covering_source(layer: "Image", image: "Image", window: Window) -> "MapSource | None":
    """Return the part of an estimated map that covers a region, None if it covers less.

    Raises
    ------
    MapError
        If the map covers less and holds edits, which would be lost.
    """
    try:
        return map_source(layer, image, window)
    except MapError:
        if layer.metadata[MAP_KEY].model == EDITED:
            raise
        return None
