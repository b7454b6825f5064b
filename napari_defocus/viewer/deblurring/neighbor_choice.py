"""Choice of the axis whose neighboring planes help to restore each other."""

from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox

from ..layers.axes import axis_name

if TYPE_CHECKING:
    from napari.layers import Image

#: Names of axes along which planes show no neighboring depths.
_OTHER_AXES = {"t", "time", "c", "channel", "p", "position"}


class NeighborChoice(ComboBox):
    """Drop-down list of the axes of a stack of micrographs; it is visible where there are any."""

    def __init__(self) -> None:
        self._layer: Image | None = None
        self._offered = False
        super().__init__(
            name="stack_axis",
            label="neighbor planes",
            choices=self._axes,
            nullable=False,
            tooltip="Planes of a z-stack that show the same specimen help each other: 0.2 to "
            "1.7 dB in simulations, in a third more time",
        )

    @property
    def axis(self) -> int | None:
        """Number of the chosen axis; None if neighbors are not used, or cannot be."""
        return self.value if self._offered else None

    def offer(self, layer: "Image | None", is_stack_of_micrographs: bool) -> None:
        """Offer the axes of a layer, if neighbors can help there."""
        if layer is not self._layer:
            self._layer = layer
            self.reset_choices()
            self.value = None
        self._offered = self.visible = is_stack_of_micrographs and len(self.choices) > 1

    def _axes(self, _: Any) -> list[tuple[str, int | None]]:
        layer = self._layer
        if layer is None or layer.rgb:
            return [("not used", None)]
        axes = [
            axis
            for axis in range(layer.ndim - 2)
            if str(layer.axis_labels[axis]).lower() not in _OTHER_AXES
        ]
        return [("not used", None), *((f"along {axis_name(layer, axis)}", axis) for axis in axes)]
