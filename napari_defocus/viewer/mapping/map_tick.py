"""Tick that shows the colors of a map over its image and all results of it."""

from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox

from ..layers.origin import origin_of
from ..maps.map_layers import map_view

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from napari.viewer import Viewer


class MapTick:
    """Tick that follows the layer of a map in colors, and moves it above what would cover it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer with the layers.
    """

    def __init__(self, viewer: "Viewer") -> None:
        self._viewer = viewer
        self._view: Layer | None = None
        self.control = CheckBox(
            name="show_map",
            label="",
            text="Show the map over the picture",
            tooltip="In colors, where it is sure; above results that would cover it",
            visible=False,
        )
        self.control.changed.connect(self._show)

    def follow(self, image: "Image | None") -> None:
        """Show and hide the map of an image; there is no tick if it has none."""
        self.leave()
        self._view = None if image is None else map_view(self._viewer, image)
        if self._view is not None:
            self._view.events.visible.connect(self._update)
            self._update()
        self.control.visible = self._view is not None

    def leave(self) -> None:
        """Follow no map any more."""
        if self._view is not None:
            self._view.events.visible.disconnect(self._update)
            self._view = None

    def _update(self, *_: Any) -> None:
        with self.control.changed.blocked():
            self.control.value = self._view is not None and self._is_seen(self._view)

    def _is_seen(self, view: "Layer") -> bool:
        return bool(view.visible) and not any(layer.visible for layer in self._above(view))

    def _above(self, view: "Layer") -> "list[Layer]":
        """Return the results of the same image that lie above its map."""
        layers, image = self._viewer.layers, origin_of(view)
        return [each for each in layers[layers.index(view) + 1 :] if origin_of(each) is image]

    def _show(self, shown: bool) -> None:
        view = self._view
        if view is None or view not in self._viewer.layers:
            return
        above = self._above(view)
        if shown and above:
            layers = self._viewer.layers
            layers.move(layers.index(view), layers.index(above[-1]) + 1)
        view.visible = shown
