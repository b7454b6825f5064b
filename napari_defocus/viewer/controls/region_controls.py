"""Controls that choose the region of a layer to work on."""

from typing import TYPE_CHECKING, Any, get_args

from magicgui.widgets import ComboBox, PushButton, Widget

from ..layers.geometry import placement
from ..layers.region_mask import RegionMask, region_mask
from ..layers.regions import (
    WHERE_THE_MAP_IS,
    Planes,
    Region,
    displayed_axes,
    narrow_to_plane,
    shapes_window,
    view_window,
    whole_layer,
)
from ..layers.window import Window
from ..maps.layer_kinds import is_shapes
from .choices import LayerChoice

if TYPE_CHECKING:
    from napari.layers import Image, Shapes
    from napari.viewer import Viewer

#: Color of the outline of a region.
_EDGE_COLOR = "#ffb000"


class RegionControls:
    """Controls for region, shapes layer and planes; only those that apply are visible.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer whose view and sliders are used.
    takes_map : bool
        Whether the region can be where the map is.
    stack_axes : int
        Number of axes before Y and X that are worked on whole, whatever the region.
    """

    def __init__(self, viewer: "Viewer", *, takes_map: bool = False, stack_axes: int = 0) -> None:
        self._viewer, self._stack_axes = viewer, stack_axes
        self._layer: Image | None = None
        further = (WHERE_THE_MAP_IS,) if takes_map else ()
        self.region = ComboBox(
            name="region",
            choices=(*get_args(Region), *further),
            tooltip="The whole layer, the part in view, or drawn shapes. Where the map is: the "
            "whole layer, of which pixels without a map stay as they are",
        )
        self.draw_button = PushButton(
            name="draw_region",
            text="Draw region",
            tooltip="Add a Shapes layer over the image, with the lasso selected; draw around what "
            "is to be worked on",
        )
        self.shapes = LayerChoice(
            viewer,
            is_shapes,
            name="shapes",
            tooltip="Its selected shapes count, or all of them",
            none="none drawn yet",
        )
        self.planes = ComboBox(
            name="planes",
            choices=get_args(Planes),
            tooltip="Every plane of the stack, or only what is shown",
        )
        self.region.changed.connect(self._show_relevant)
        self.draw_button.changed.connect(lambda: self.draw())

    @property
    def widgets(self) -> list[Widget]:
        """The controls, from top to bottom."""
        return [self.region, self.draw_button, self.shapes, self.planes]

    def follow(self, layer: "Image | None") -> None:
        """Show the controls that apply to `layer`."""
        self._layer = layer
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

    def mask(self, layer: "Image", window: Window) -> RegionMask | None:
        """Return the pixels of a window that drawn shapes enclose, if the region is shapes.

        Raises
        ------
        OptionError
            If they enclose none.
        """
        if self.region.value != "shapes" or self.shapes.value is None:
            return None
        return region_mask(layer, self.shapes.value, window)

    @property
    def is_where_the_map_is(self) -> bool:
        """Whether pixels without a map stay as they are."""
        return bool(self.region.value == WHERE_THE_MAP_IS)

    def draw(self) -> "Shapes":
        """Make shapes the region: the chosen layer, or a new one, with the lasso selected."""
        from napari.layers import Shapes

        shapes = self.shapes.value
        if shapes is None:
            layer = self._layer
            name = "region" if layer is None else f"{layer.name} region"
            place = {} if layer is None else placement(layer, whole_layer(layer))
            shapes = Shapes(
                name=name,
                ndim=2 if layer is None else layer.ndim,
                face_color="transparent",
                edge_color=_EDGE_COLOR,
                edge_width=2,
                **place,
            )
            self._viewer.add_layer(shapes)
            self.shapes.reset_choices()
            self.shapes.value = shapes
        self.region.value = "shapes"
        self._viewer.layers.selection.active = shapes
        shapes.mode = "add_polygon_lasso"
        return shapes

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
        self.shapes.visible = self.draw_button.visible = self.region.value == "shapes"
        stack = self._layer is not None and self._layer.ndim - 2 > self._stack_axes
        self.planes.visible = stack and self.region.value != "current view"
