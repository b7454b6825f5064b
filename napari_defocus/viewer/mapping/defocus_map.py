"""Defocus Map widget: estimates the blur radius of every pixel of an image layer."""

from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox

from ...errors import ImageError
from ...jobs import EstimateJob
from ...map_statistics import MapStatistics
from ...options import Options
from ...physical_size import PixelSize, describe_radius
from ...views import Views
from ..controls.choices import LayerChoice
from ..controls.histogram import RadiusHistogram
from ..controls.pieces import Pieces
from ..controls.run_controls import WrappedLabel
from ..controls.task_widget import Task, TaskWidget
from ..controls.visibility import VisibilityFilter
from ..layers.image_source import image_source
from ..layers.regions import spatial_shape
from ..layers.results import layer_pixel_size
from ..layers.window import Window
from ..maps.layer_kinds import is_image
from ..maps.map_layers import add_map
from ..maps.map_result import MapResult
from ..maps.map_source import MAP_KEY, EstimatedMap, newest_map
from .map_job import EstimateLayerJob
from .map_tick import MapTick

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


class DefocusMapWidget(TaskWidget[MapResult]):
    """Estimate a defocus map from one image or from two dual-pixel views.

    The map and its confidence become layers at the position of the image.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer that the widget is docked in; napari passes it.

    Examples
    --------
    In napari's console::

        _, widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus Map")
        widget.image.value = viewer.layers[0]
        worker = widget.run()
    """

    def _build(self, viewer: "Viewer") -> Pieces:
        self._kind = ""
        self._right = LayerChoice(
            viewer,
            is_image,
            name="right",
            label="right view",
            none="none (one image)",
            tooltip="The right dual-pixel view if 'image' is the left one; gives radii with a sign",
        )
        yield from self._build_task(
            Task(
                verb="Estimate map",
                doing="Estimating defocus of",
                models="single",
                inputs=[self._right],
                advanced=[self._right],
            )
        )
        self._right.changed.connect(self._offer_models)
        self._summary = WrappedLabel()
        self._histogram = RadiusHistogram()
        self._tick = MapTick(viewer)
        self._controls.add_results(self._summary, self._histogram, self._tick.control)
        self.native.destroyed.connect(self._tick.leave)
        self._image.changed.connect(self._show_newest)
        self._show_newest()
        self._showing = VisibilityFilter(self.native, on_show=self._show_newest)

    @property
    def show_map(self) -> CheckBox:
        """Tick that shows the newest map of the image over its results."""
        return self._tick.control

    def _job(self, window: Window) -> EstimateLayerJob:
        source, right = self._source(window), self._right_layer(self._layer())
        return EstimateLayerJob(
            source,
            self._compute.options,
            model=self._model.value,
            right=None if right is None else image_source(right, window),
            mask=self._region.mask(self._layer(), window),
        )

    def _auto_job(self, blank: Any, options: Options) -> EstimateJob:
        views = Views(blank, None if self._right.value is None else blank)
        return EstimateJob(views, options=options)

    def _right_layer(self, left: "Image") -> "Image | None":
        right: Image | None = self._right.value
        if right is None:
            return None
        if spatial_shape(right) != spatial_shape(left) or right.rgb != left.rgb:
            raise ImageError(
                f"the two views differ: {_describe_layer(left)}, {_describe_layer(right)}; "
                "both must have the same shape, and both be in color or gray"
            )
        return right

    def _add_result(self, result: MapResult) -> None:
        add_map(self._viewer, result, self._template)

    def _show_result(self, result: MapResult) -> None:
        self._show_map(result.estimated, self._template.pixel_size)
        self._tick.follow(self._image.value)

    def _show_newest(self, *_: Any) -> None:
        """Tell of the newest map of the image, if there is one, whichever step has made it."""
        image: Image | None = self._image.value
        layer = None if image is None else newest_map(self._viewer, image)
        self._tick.follow(image)
        if layer is not None:
            self._show_map(layer.metadata[MAP_KEY], layer_pixel_size(layer))
            return
        self._summary.set_text("")
        self._histogram.hide()

    def _show_map(self, estimated: EstimatedMap, pixel_size: PixelSize | None) -> None:
        statistics = estimated.statistics
        self._summary.set_text(describe(statistics, pixel_size))
        self._histogram.show_counts(estimated.counts, statistics.focus_radius)

    def _follow_kind(self, imaging: str) -> None:
        self._kind = imaging
        self._show_right(self._compute.more.value)

    def _show_advanced(self, shown: bool) -> None:
        super()._show_advanced(shown)
        self._show_right(shown)

    def _show_right(self, shown: bool) -> None:
        """Offer a right view among more options, for no microscope has one."""
        is_used = self._right.value is not None
        self._right.visible = shown and (is_used or self._kind != "microscopy")

    def _offer_models(self, *_: Any) -> None:
        self._model.task = "single" if self._right.value is None else "dual"
        self._show_auto()


def _describe_layer(layer: "Image") -> str:
    return f"{layer.name!r} has shape {spatial_shape(layer)}{' in color' if layer.rgb else ''}"


def describe(statistics: MapStatistics, pixel_size: PixelSize | None) -> str:
    """Return a line about a map, with the size of its blur where that of the pixels is known."""
    if statistics.sure == 0:
        return "No pixel tells how far it is out of focus: there is nothing to judge by"
    radius = describe_radius(statistics.median_radius, pixel_size)
    return (
        f"{statistics.in_focus:.0%} in focus (at most {statistics.focus_radius:.1f} px of blur), "
        f"of the {statistics.sure:.0%} of the pixels that tell; median radius {radius}"
    )
