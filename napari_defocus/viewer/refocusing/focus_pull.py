"""Controls of a focus pull: a stack of pictures whose focus moves from one radius to another."""

from typing import TYPE_CHECKING

import numpy as np
from magicgui.widgets import CheckBox, FloatSpinBox, SpinBox, Widget

from ...optics.refocus import focus_steps

if TYPE_CHECKING:
    from napari.layers import Image, Labels

#: Approximate number of radii that are looked at for the farthest, and the percentile that counts.
_SAMPLE, _FARTHEST = 20_000, 99.0


class FocusPull:
    """Tick, last focus and number of pictures; the last two are visible while it is ticked."""

    def __init__(self) -> None:
        self._preset = 0.0
        self.tick = CheckBox(
            name="pull",
            label="",
            text="Focus pull: a stack in which the focus moves",
            tooltip="The slider below the picture goes through it; "
            "saved as a stack (.tif) or a film (.webp)",
        )
        self.last = FloatSpinBox(
            name="last_focus",
            label="to (px)",
            value=0.0,
            min=-10_000.0,
            max=10_000.0,
            step=0.1,
            tooltip="Radius in the map of what shall be sharp in the last picture",
        )
        self.number = SpinBox(
            name="pictures", value=9, min=2, max=100, tooltip="Number of pictures of the stack"
        )
        self.tick.changed.connect(self._show)
        self._show(False)

    @property
    def widgets(self) -> list[Widget]:
        """The controls, from top to bottom."""
        return [self.tick, self.last, self.number]

    def focuses(self, first: float) -> float | tuple[float, ...]:
        """Return the focus of each picture, or the first one alone if there is no pull."""
        if not self.tick.value:
            return first
        return focus_steps(first, float(self.last.value), int(self.number.value))

    def preset(self, layer: "Image | Labels") -> None:
        """End at the farthest objects of a map, unless the user chose another end."""
        if self.last.value != self._preset:
            return
        step = max(1, int((layer.data.size / _SAMPLE) ** 0.5))
        radii = np.asarray(layer.data[..., ::step, ::step])
        radii = radii[np.isfinite(radii)]
        if radii.size:
            self._preset = round(float(np.percentile(radii, _FARTHEST)), 1)
            self.last.value = self._preset

    def _show(self, shown: bool) -> None:
        self.last.visible = self.number.visible = shown
