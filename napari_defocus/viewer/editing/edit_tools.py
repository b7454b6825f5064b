"""Tools that edits of a map are painted with."""

from collections.abc import Generator
from typing import Any

import numpy as np
import numpy.typing as npt
from magicgui.widgets import CheckBox, FloatSlider, RadioButtons, Slider, Widget

from ...inference.engine import Progress
from ...map_edits import LEAVE_ALONE, SHARPEN, radius_label
from ..threads.latest_run import LatestRun
from ..threads.runner import Steps
from .edit_state import MapEdits

_LEAVE, _SHARPEN, _SET, _FORGET = "leave alone", "sharpen", "set radius", "forget"


class EditTools:
    """Controls of tool, radius and brush, which act on one layer of edits at a time."""

    def __init__(self) -> None:
        self._edits: MapEdits | None = None
        self.tool = RadioButtons(
            name="tool",
            choices=[_LEAVE, _SHARPEN, _SET, _FORGET],
            tooltip="leave alone: stays as it is; sharpen: is deblurred by the estimated radius, "
            "however unsure; set radius: is deblurred by that of the slider; forget: the estimate",
        )
        self.tool.value = _LEAVE
        self.radius = FloatSlider(
            name="radius", label="radius (px)", value=3.0, min=0.1, max=24.0, step=0.1
        )
        self.brush = Slider(name="brush", label="brush (px)", value=40, min=1, max=300)
        self.surface = CheckBox(
            name="surface",
            label="",
            text="A click fills the surface under it",
            tooltip="All connected pixels of about the same radius and color",
        )
        self._filling: LatestRun[npt.NDArray[np.bool_]] = LatestRun()
        for control in (self.tool, self.radius, self.brush, self.surface):
            control.changed.connect(self._set)
        self._set()

    @property
    def widgets(self) -> tuple[Widget, ...]:
        """Tool, radius and brush, from top to bottom."""
        return self.tool, self.radius, self.brush

    def act_on(self, edits: MapEdits | None) -> None:
        """Paint with these tools on a layer of edits."""
        self._edits = edits
        if edits is not None and self._fill not in edits.layer.mouse_drag_callbacks:
            edits.layer.mouse_drag_callbacks.append(self._fill)
        self._set()

    def leave(self, edits: MapEdits) -> None:
        """Act no more on clicks in a layer of edits."""
        if self._fill in edits.layer.mouse_drag_callbacks:
            edits.layer.mouse_drag_callbacks.remove(self._fill)

    def _set(self, *_: Any) -> None:
        """Set brush and label of the layer of edits as chosen."""
        self.radius.enabled = self.tool.value == _SET
        if self._edits is None:
            return
        labels = {_LEAVE: LEAVE_ALONE, _SHARPEN: SHARPEN, _FORGET: 0}
        set_radius = radius_label(float(self.radius.value))
        layer = self._edits.layer
        layer.selected_label = labels.get(str(self.tool.value), set_radius)
        layer.brush_size = self.brush.value
        layer.mode = "pan_zoom" if self.surface.value else "paint"

    def _fill(self, layer: Any, event: Any) -> Generator[None, None, None]:
        """Fill the surface under a click that moves nothing."""
        if not self.surface.value or self._edits is None or self._edits.layer is not layer:
            return
        yield
        moved = False
        while event.type == "mouse_move":
            moved = True
            yield
        if not moved:
            self.fill_around(tuple(np.rint(layer.world_to_data(event.position)).astype(int)))

    def fill_around(self, place: tuple[int, ...]) -> None:
        """Give the selected label to the surface around a pixel, once a thread has found it."""
        edits = self._edits
        if edits is None or not all(
            0 <= i < size for i, size in zip(place, edits.layer.data.shape, strict=True)
        ):
            return
        label = edits.layer.selected_label

        def steps() -> Steps[npt.NDArray[np.bool_]]:
            yield Progress(0, 0)
            return edits.surface(place)

        def paint(surface: npt.NDArray[np.bool_]) -> None:
            indices = np.nonzero(surface)
            plane = tuple(np.full_like(indices[0], each) for each in place[:-2])
            edits.layer.data_setitem((*plane, *indices), label)

        self._filling.request(steps, paint)
