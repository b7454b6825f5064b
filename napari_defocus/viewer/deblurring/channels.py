"""Controls for the channels of an image that are worked on together, and by which maps."""

from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox, Container, Widget
from qtpy.QtWidgets import QWidget

from ..maps.layer_kinds import are_channels

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

_OWN = "own map for each"


class ChannelControls:
    """Ticks for further channels of the chosen image, and the choice of one map for all.

    Channels are gray layers of the same shape at the same place. The controls are hidden where
    there is one only.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer with the layers.
    """

    def __init__(self, viewer: "Viewer") -> None:
        self._viewer = viewer
        self._image: Image | None = None
        self._ticks: dict[Image, CheckBox] = {}
        self.box: Container[Widget] = Container(
            name="channels",
            label="channels too",
            labels=False,
            tooltip="Further channels of the image that are deblurred in the same run",
        )
        self.box.margins = (0, 0, 0, 0)
        self.maps = ComboBox(
            name="channel_maps",
            label="maps",
            choices=self._map_choices,
            nullable=False,
            tooltip="Whether each channel is deblurred by a map of its own, or all by that of one",
        )
        self._show()

    @property
    def widgets(self) -> list[Widget]:
        """The controls, from top to bottom."""
        return [self.box, self.maps]

    @property
    def ticked(self) -> "list[Image]":
        """Further channels that are ticked; can be set."""
        return [layer for layer, tick in self._ticks.items() if tick.value]

    @ticked.setter
    def ticked(self, layers: "list[Image]") -> None:
        for layer, tick in self._ticks.items():
            tick.value = layer in layers

    @property
    def map_channel(self) -> "Image | None":
        """Channel whose map serves all; None if each has its own."""
        layer: Image | None = self.maps.value
        return layer

    def follow(self, image: "Image | None") -> None:
        """Offer the other channels of an image."""
        self._image = image
        self.update()

    def update(self, *_: Any) -> None:
        """Offer the channels that the viewer has now; keep the ticks."""
        image = self._image if self._image in self._viewer.layers else None
        others = [
            layer
            for layer in self._viewer.layers
            if image is not None and layer is not image and are_channels(image, layer)
        ]
        names = [layer.name for layer in others]
        if others != list(self._ticks) or names != [tick.text for tick in self._ticks.values()]:
            kept = {layer for layer, tick in self._ticks.items() if tick.value}
            self.box.clear()
            self._ticks = {
                layer: CheckBox(text=layer.name, value=layer in kept) for layer in others
            }
            before = self.maps.native.previousInFocusChain()
            for tick in self._ticks.values():
                self.box.append(tick)
                tick.changed.connect(self.maps.reset_choices)
                tick.changed.connect(self._show)
                QWidget.setTabOrder(before, tick.native)
                before = tick.native
            self._show()
        self.maps.reset_choices()

    def _map_choices(self, _: Any = None) -> "list[tuple[str, Image | None]]":
        chosen = [] if self._image is None else [self._image, *self.ticked]
        return [(_OWN, None), *((f"all by that of {each.name}", each) for each in chosen)]

    def _show(self, *_: Any) -> None:
        self.box.visible = bool(self._ticks)
        self.maps.visible = bool(self.ticked)
