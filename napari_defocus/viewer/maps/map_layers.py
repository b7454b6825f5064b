"""Layers of a defocus map: radii, confidence, and a view that fades where radii are unsure."""

from typing import TYPE_CHECKING, Any, NamedTuple

import napari.layers
import numpy as np
import numpy.typing as npt
from napari.utils import Colormap

from ...inference.engine import Progress
from ...map_colors import radius_colormap
from ...map_statistics import UNSURE
from ...physical_size import radii_record
from ..layers.origin import insert_result, origin_entry, origin_of
from ..layers.results import METADATA_KEY, LayerTemplate, layer_pixel_size
from ..layers.status_text import DescribedPixels
from ..threads.runner import Worker
from .layer_kinds import are_channels
from .map_source import MAP_KEY, newest_map
from .map_view import paint_view, view_limit

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari.viewer import Viewer

    from .map_result import MapResult

#: Opacity of sure radii over their image.
_OPACITY = 0.7
#: Pixels of a plane up to which a view is painted at once, and by a thread beyond.
_AT_ONCE = 1_000_000


class Image(DescribedPixels, napari.layers.Image):  # type: ignore[misc]  # napari has no types
    """Layer that shows a map in colors, transparent where unsure, and tells radius and confidence.

    napari derives icon and type of a layer from the name of its class.

    Parameters
    ----------
    result : MapResult
        The map, and its colors.
    """

    def __init__(self, result: "MapResult", **kwargs: Any) -> None:
        self._estimated, self._limit = result.estimated, result.limit
        super().__init__(result.view, rgb=True, opacity=_OPACITY, **kwargs)

    @property
    def color_limit(self) -> float:
        """Radius in pixels that gets the last color; setting it paints the map anew."""
        return self._limit

    @color_limit.setter
    def color_limit(self, limit: float) -> None:
        if limit != self._limit:
            self._limit = limit
            self._paint()

    def shows(self, defocus: object) -> bool:
        """Return whether it shows a map."""
        return self._estimated.map is defocus

    def show_map(self, result: "MapResult") -> None:
        """Show another map of the same shape."""
        self._estimated = result.estimated
        if result.limit == self._limit:
            self.data = result.view
        else:
            self._paint()

    def _paint(self) -> None:
        """Show the map in its colors, a large one when a thread has painted it."""
        estimated, limit = self._estimated, self._limit
        shown = estimated.shown
        if shown.radius.ndim > 2 or shown.radius.size <= _AT_ONCE:
            self.data = paint_view(shown, limit)
            return

        def steps() -> "Generator[Progress, None, Any]":
            yield Progress(0, 0)
            return paint_view(shown, limit)

        def show(colors: Any) -> None:
            if self._estimated is estimated and self._limit == limit:
                self.data = colors

        worker = Worker(steps)
        worker.returned.connect(show)
        worker.start()

    def describe_pixel(self, pixel: tuple[int, ...]) -> str:
        """Describe radius and confidence of a pixel."""
        radius, confidence = (float(part[pixel]) for part in self._estimated.map)
        size = layer_pixel_size(self)
        length = "" if size is None else f" ({radius * size.side:.3g} µm)"
        text = f"{radius:.3g} px{length}, confidence {confidence:.2f}"
        if confidence < UNSURE:
            return f"{text}: unsure"
        featureless = self._estimated.featureless
        if featureless is not None and featureless[pixel]:
            return f"{text}: taken from nearby, for nothing shows here"
        return text


class MapLayers(NamedTuple):
    """Layers of a map: confidence and radii, both hidden, and the view of what is sure."""

    confidence: napari.layers.Image
    view: Image
    radius: napari.layers.Image

    def are_in(self, viewer: "Viewer") -> bool:
        """Return whether a viewer has all of them."""
        return all(layer in viewer.layers for layer in self)


def add_map(viewer: "Viewer", result: "MapResult", template: LayerTemplate) -> MapLayers:
    """Add a map: confidence and radii, both hidden, and a view that fades where it is unsure.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer that the layers are added to. All its maps get the same color limits.
    result : MapResult
        The map.
    template : LayerTemplate
        Properties of the image that the layers take over.

    Returns
    -------
    MapLayers
    """
    layers = make_map_layers(result, template)
    add_map_layers(viewer, layers)
    viewer.layers.selection.active = layers.view
    return layers


def add_map_layers(viewer: "Viewer", layers: "Sequence[napari.layers.Image]") -> None:
    """Add layers of one map, in colors that it shares with all maps of a viewer."""
    for layer in layers:
        if isinstance(layer, Image):
            _hide_other_views(viewer, layer)
    for layer in layers:
        insert_result(viewer, layer)
    share_color_limits(viewer)


def make_map_layers(result: "MapResult", template: LayerTemplate) -> MapLayers:
    """Return the layers of a map, which no viewer has yet; parameters as for `add_map`."""
    defocus = result.estimated.map
    median = result.estimated.statistics.median_radius
    record = result.provenance | radii_record("px", template.pixel_size, median)
    metadata = {**template.metadata, METADATA_KEY: record, **origin_entry(template.image)}
    return MapLayers(
        napari.layers.Image(
            defocus.confidence,
            name=template.title("confidence"),
            visible=False,
            colormap="gray",
            contrast_limits=(0.0, 1.0),
            metadata={**metadata, MAP_KEY: None},
            **template.placement,
        ),
        Image(
            result,
            name=template.title("defocus", "sure"),
            metadata={**metadata, MAP_KEY: None},
            **template.placement,
        ),
        napari.layers.Image(
            defocus.radius,
            name=template.title("defocus"),
            visible=False,
            metadata={**metadata, MAP_KEY: result.estimated},
            **appearance(result.limit, signed=defocus.signed),
            **template.placement,
        ),
    )


def map_view(viewer: "Viewer", image: napari.layers.Image) -> Image | None:
    """Return the layer that shows the newest map of an image in colors, if there is one."""
    newest = newest_map(viewer, image)
    estimated = None if newest is None else newest.metadata[MAP_KEY]
    shown = getattr(estimated, "map", None)
    views = (layer for layer in viewer.layers if isinstance(layer, Image))
    return next((view for view in views if shown is not None and view.shows(shown)), None)


def _hide_other_views(viewer: "Viewer", view: Image) -> None:
    """Hide maps of the same image and of its other channels, whose colors would mix with these."""
    image = origin_of(view)
    for layer in viewer.layers:
        if isinstance(layer, Image) and image is not None:
            other = origin_of(layer)
            if other is image or (other is not None and are_channels(image, other)):
                layer.visible = False


def update_map(layers: MapLayers, result: "MapResult") -> None:
    """Show another map of the same image in its layers."""
    defocus, median = result.estimated.map, result.estimated.statistics.median_radius
    size = layer_pixel_size(layers.radius)
    for layer in layers:
        layer.metadata[METADATA_KEY] = result.provenance | radii_record("px", size, median)
    layers.radius.metadata[MAP_KEY] = result.estimated
    layers.confidence.data, layers.radius.data = defocus.confidence, defocus.radius
    layers.view.show_map(result)


def share_color_limits(viewer: "Viewer") -> None:
    """Give all maps of a viewer the color limits of the one with the largest radii."""
    maps = [layer for layer in viewer.layers if layer.metadata.get(MAP_KEY) is not None]
    limit = max((float(layer.contrast_limits[1]) for layer in maps), default=1.0)
    for layer in maps:
        layer.contrast_limits = (-limit if layer.contrast_limits[0] < 0 else 0.0, limit)
    for layer in viewer.layers:
        if isinstance(layer, Image):
            layer.color_limit = limit


def map_appearance(radius: npt.NDArray[np.floating], *, signed: bool) -> dict[str, Any]:
    """Return keyword arguments for an image layer that shows a defocus map.

    Parameters
    ----------
    radius : (...) float array
        Blur radii in pixels.
    signed : bool
        Whether radii have a sign; if so, colors diverge and limits are symmetric about zero.

    Returns
    -------
    dict
        colormap and contrast_limits.

    Examples
    --------
    >>> map_appearance(np.array([[-3.0, 1.0]]), signed=True)["contrast_limits"]
    (-3.0, 3.0)
    """
    return appearance(view_limit(radius), signed=signed)


def appearance(limit: float, *, signed: bool) -> dict[str, Any]:
    """Return the same for a map whose limit of colors was measured before."""
    limit = round(limit, 1)
    colors = radius_colormap(signed=signed).lut(256)
    return {
        "colormap": Colormap(colors, name="defocus ±" if signed else "defocus"),
        "contrast_limits": (-limit, limit) if signed else (0.0, limit),
    }
