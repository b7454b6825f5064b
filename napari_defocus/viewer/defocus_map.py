"""The Defocus Map widget: how far out of focus every pixel of a layer is."""

from typing import TYPE_CHECKING, Any

from ..errors import ImageError
from .choices import LayerChoice, is_image
from .histogram import RadiusHistogram
from .jobs import MapJob, MapResult
from .reading import source_of
from .regions import Window, spatial_shape
from .results import map_layers
from .run_controls import Remark
from .task_widget import TaskWidget

if TYPE_CHECKING:
    import napari.viewer
    from napari.layers import Image


class DefocusMapWidget(TaskWidget[MapResult]):
    """Estimates a defocus map from one image, or from two dual-pixel views.

    The map and its confidence become layers that lie exactly on the image.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer it is docked in; napari passes it.

    Examples
    --------
    In napari's console::

        _, widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus Map")
        widget.image.value = viewer.layers[0]
        worker = widget.run()
    """

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:
        self._right = LayerChoice(
            viewer,
            is_image,
            name="right",
            label="right view",
            none="none (one image)",
            tooltip="The right dual-pixel view, if 'image' is the left one: radii then get a sign",
        )
        super().__init__(
            viewer,
            verb="Estimate map",
            doing="Defocus of",
            task="single",
            inputs=[self._right],
            settings=[],
        )
        self._right.changed.connect(self._offer_models)
        self._summary = Remark()
        self._histogram = RadiusHistogram()
        self._controls.container.append(self._summary)
        self._controls.container.native.layout().addWidget(self._histogram)

    def _job(self, window: Window) -> MapJob:
        right: Image | None = self._right.value
        if right is None:
            return MapJob(self._source(window), None, self._how())
        left = self._layer()
        if spatial_shape(right) != spatial_shape(left) or right.rgb != left.rgb:
            raise ImageError(
                f"the views must be alike: {left.name!r} has shape {spatial_shape(left)} and "
                f"{right.name!r} {spatial_shape(right)}, both color or both gray"
            )
        return MapJob(self._source(window), source_of(right, window), self._how())

    def _receive(self, result: MapResult) -> None:
        confidence, radius = map_layers(result, self._target)
        self._add(confidence)
        self._add(radius).colorbar.visible = True
        self._summary.say(describe(result, self._target.pixel))
        self._histogram.show_counts(result.counts)

    def _offer_models(self, *_: Any) -> None:
        self._model.task = "single" if self._right.value is None else "dual"
        self._show_auto()


def describe(result: MapResult, pixel: tuple[float, str] | None) -> str:
    """One line about a map; `pixel` is the size of a pixel and its unit, if known."""
    size = "" if pixel is None else f" ({result.median * pixel[0]:.2g} {pixel[1]})"
    return f"median {result.median:.1f} px{size}, {result.sharp:.0%} in focus"
