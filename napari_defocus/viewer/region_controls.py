"""The part of the widgets that says where in a layer to work."""

from typing import TYPE_CHECKING, Any, get_args

from magicgui.widgets import ComboBox, Widget

from .choices import LayerChoice, is_shapes
from .regions import Planes, Region, Window, around_shapes, current_plane, in_view, whole

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


class RegionControls:
    """Region, shapes layer and planes; shows only those that matter.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Whose view and sliders count.
    """

    def __init__(self, viewer: "Viewer") -> None:
        self._viewer = viewer
        self._stack = False
        self.region = ComboBox(
            name="region",
            choices=get_args(Region),
            tooltip="The whole layer, what is in view now, or the box around drawn shapes",
        )
        self.shapes = LayerChoice(
            viewer,
            is_shapes,
            name="shapes",
            tooltip="The box around its selected shapes, or around all of them",
            none="none drawn yet",
        )
        self.planes = ComboBox(
            name="planes",
            choices=get_args(Planes),
            tooltip="Every plane of the stack, or only the one the sliders show",
        )
        self.region.changed.connect(self._show_relevant)

    @property
    def widgets(self) -> list[Widget]:
        """The controls, from top to bottom."""
        return [self.region, self.shapes, self.planes]

    def follow(self, layer: "Image | None") -> None:
        """Offer what makes sense for `layer`."""
        self._stack = layer is not None and layer.ndim > 2
        self._show_relevant()

    def window(self, layer: "Image") -> Window:
        """What is chosen, in the indices of `layer`.

        Raises
        ------
        OptionError
            If there is nothing: the layer is out of view, or no shape lies on it.
        """
        point, displayed = self._viewer.dims.point, self._viewer.dims.displayed
        if self.region.value == "current view":
            return in_view(layer, point, displayed)
        window = whole(layer)
        if self.region.value == "shapes":
            window = around_shapes(layer, self.shapes.value)
        if self.planes.value == "current":
            window = current_plane(window, layer, point)
        return window

    def _show_relevant(self, *_: Any) -> None:
        self.shapes.visible = self.region.value == "shapes"
        self.planes.visible = self._stack and self.region.value != "current view"
