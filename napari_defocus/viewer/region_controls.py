"""Controls that choose the region of a layer to work on."""

from typing import TYPE_CHECKING, Any, get_args

from magicgui.widgets import ComboBox, Widget

from .choices import LayerChoice, is_shapes
from .regions import (
    Planes,
    Region,
    displayed_axes,
    narrow_to_plane,
    shapes_window,
    view_window,
    whole_layer,
)
from .window import Window

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


class RegionControls:
    """Controls for region, shapes layer and planes; only those that apply are visible.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer whose view and sliders are used.
    """

    def __init__(self, viewer: "Viewer") -> None:
        self._viewer = viewer
        self._stack = False
        self.region = ComboBox(
            name="region",
            choices=get_args(Region),
            tooltip="The whole layer, the part in view, or the box around drawn shapes",
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
            tooltip="Every plane of the stack, or only what is shown",
        )
        self.region.changed.connect(self._show_relevant)

    @property
    def widgets(self) -> list[Widget]:
        """The controls, from top to bottom."""
        return [self.region, self.shapes, self.planes]

    def follow(self, layer: "Image | None") -> None:
        """Show the controls that apply to `layer`."""
        self._stack = layer is not None and layer.ndim > 2
        self._show_relevant()

    def window(self, layer: "Image") -> Window:
        """Return the chosen region, in indices of `layer`.

        Raises
        ------
        OptionError
            If the region is empty: the layer is out of view, or no shape lies on it.
        """
        point, displayed = self._viewer.dims.point, self._viewer.dims.displayed
        if self.region.value == "current view":
            return view_window(layer, point, displayed)
        window = whole_layer(layer)
        if self.region.value == "shapes":
            self.choose_only_shapes()
            window = shapes_window(layer, self.shapes.value)
        if self.planes.value == "current":
            window = narrow_to_plane(window, layer, point, displayed_axes(layer, point, displayed))
        return window

    def choose_only_shapes(self) -> None:
        """Choose the Shapes layer if none is chosen and only one can be meant."""
        if self.shapes.value is not None:
            return
        layers = [layer for layer in self._viewer.layers if is_shapes(layer)]
        drawn = [layer for layer in layers if layer.data]
        visible = [layer for layer in drawn if layer.visible]
        for candidates in (layers, drawn, visible):
            if len(candidates) == 1:
                self.shapes.value = candidates[0]
                return

    def _show_relevant(self, *_: Any) -> None:
        if self.region.value == "shapes":
            self.choose_only_shapes()
        self.shapes.visible = self.region.value == "shapes"
        self.planes.visible = self._stack and self.region.value != "current view"
