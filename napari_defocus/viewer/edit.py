"""Edit widget: a brush over a map, and the map that results."""

from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import CheckBox, Container, FloatSlider, PushButton, RadioButtons, Slider

from ..errors import MapError, OptionError
from ..inference.engine import Progress
from ..map_edits import LEAVE_ALONE, SHARPEN, apply_edits, radius_label
from ..provenance_record import array_hash
from ..version import __version__
from .choices import LayerChoice, is_image
from .edit_layer import add_edits, edits_differ, fill_surface
from .layer_jobs import MapResult, map_result
from .map_layers import MapLayers, add_map, update_map
from .map_source import EDITED, MAP_KEY, newest_map
from .origin import origin_of, origin_recorded
from .regions import whole_layer
from .results import METADATA_KEY, layer_template
from .run_controls import WrappedLabel
from .runner import Runner, Worker

if TYPE_CHECKING:
    import napari.viewer
    import numpy.typing as npt
    from napari.layers import Image, Labels

_LEAVE, _SHARPEN, _SET, _FORGET = "leave alone", "sharpen", "set radius", "forget"
_HINT = "Paint over the picture; Ctrl+Z undoes a stroke. What is not painted stays the estimate."


class EditWidget(Container[Any]):
    """Paint over the map of an image: leave alone, sharpen, set a radius, or forget edits.

    Edits are a labels layer; what is not painted stays the estimate.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer that the widget is docked in; napari passes it.

    Examples
    --------
    In napari's console::

        _, dock = viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus")
        widget = dock.step("Edit")
        edits = widget.paint()
        edits.data[100:200, 100:200] = 3  # a radius of 3 pixels
        worker = widget.run()
    """

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:
        self._viewer = viewer
        self._base: Image | None = None
        self._edits: Labels | None = None
        self._layers: MapLayers | None = None
        self._applied: tuple[npt.NDArray[Any], float] | None = None
        self._touched = False
        self._image = LayerChoice(viewer, is_image, name="image", tooltip="Image of the map")
        self._paint = PushButton(name="paint_button", text="Paint on the map")
        self._tool = RadioButtons(
            name="tool",
            choices=[_LEAVE, _SHARPEN, _SET, _FORGET],
            tooltip="leave alone: stays as it is; sharpen: is deblurred by the estimated radius, "
            "however unsure; set radius: is deblurred by that of the slider; forget: the estimate",
        )
        self._tool.value = _LEAVE
        self._radius = FloatSlider(
            name="radius", label="radius (px)", value=3.0, min=0.1, max=24.0, step=0.1
        )
        self._brush = Slider(name="brush", label="brush (px)", value=40, min=1, max=300)
        self._softness = FloatSlider(
            name="softness",
            label="softness (px)",
            value=3.0,
            min=0.0,
            max=30.0,
            tooltip="Width of the transition between edits and estimate",
        )
        self._surface = CheckBox(
            name="surface",
            label="",
            text="A click fills the surface under it",
            tooltip="All connected pixels of about the same radius",
        )
        self._run = PushButton(
            name="use", text="Use edits", tooltip="Make a map of estimate and edits", enabled=False
        )
        self._status = WrappedLabel()
        self._runner: Runner[MapResult | None] = Runner(
            on_progress=lambda done, total: None, on_result=self._receive, on_end=self._show_end
        )
        super().__init__(
            widgets=[
                self._image,
                self._paint,
                self._tool,
                self._radius,
                self._brush,
                self._softness,
                self._surface,
                self._run,
            ]
        )
        self.native.layout().addWidget(self._status.native)
        self._status.set_text(_HINT)
        self._paint.changed.connect(lambda: self._attempt(self.paint))
        self._run.changed.connect(lambda: self._attempt(self.run))
        for control in (self._tool, self._radius, self._brush, self._surface):
            control.changed.connect(self._set_tool)
        viewer.layers.events.removed.connect(self._forget_removed)
        self.native.destroyed.connect(self._abandon)
        self._set_tool()

    @property
    def viewer(self) -> "napari.viewer.Viewer":
        """Viewer with the layers."""
        return self._viewer

    @property
    def run_button(self) -> PushButton:
        """Button that makes the edited map."""
        return self._run

    @property
    def busy(self) -> bool:
        """Whether a run is in progress."""
        return self._runner.busy

    def hide_shared_choices(self) -> None:
        """Hide the choice of the image, which a dock makes for several widgets."""
        self._image.visible = False

    def paint(self) -> "Labels":
        """Add a layer for edits over the newest estimate, or go on with the one that is there.

        Raises
        ------
        OptionError
            If no image is chosen, or it has no estimated map.
        """
        image: Image | None = self._image.value
        if image is None:
            raise OptionError("no image is chosen; open one, or choose one under 'image'")
        if self._edits is None or self._base is not newest_map(self._viewer, image, edited=False):
            self._base = newest_map(self._viewer, image, edited=False)
            if self._base is None:
                raise OptionError(
                    f"{image.name!r} has no map to edit yet; estimate it in the step Map first"
                )
            self._layers = None
            self._edits = add_edits(self._viewer, self._base, f"{image.name} map edits")
            self._edits.mouse_drag_callbacks.append(self._fill)
            self._edits.events.set_data.connect(self._touch)
            self._applied, self._touched = None, True
        self._show_edits()
        self._run.enabled = True
        self._set_tool()
        return self._edits

    def run(self) -> "Worker[MapResult | None]":
        """Make a map of estimate and edits, which becomes the newest map of the image.

        Returns
        -------
        Worker
            A worker of napari, already started.

        Raises
        ------
        OptionError
            If there is no layer of edits, or a run is in progress.
        """
        return self._start(only_changes=False)

    def _start(self, *, only_changes: bool) -> "Worker[MapResult | None]":
        """Make the edited map; on request only if edits or softness differ from the last one's."""
        if self._edits is None or self._base is None:
            raise OptionError("there are no edits yet; press 'Paint on the map' first")
        estimated, edits = self._base.metadata[MAP_KEY], self._edits.data
        record = self._base.metadata[METADATA_KEY]
        softness, applied = float(self._softness.value), self._applied
        self._touched = False

        def steps() -> Generator[Progress, None, MapResult | None]:
            yield Progress(0, 0)
            labels = np.array(edits)  # here, for copying a large layer takes a while
            if only_changes and not edits_differ((labels, softness), applied):
                return None
            self._applied = labels, softness
            defocus = apply_edits(estimated.map, labels, softness)
            own = {
                "function": "apply_edits",
                "version": __version__,
                "parameters": {"softness": softness, "labels": array_hash(labels)},
                "input": record["input"],
                "estimate": record,
            }
            return map_result(defocus, own, estimated.options, EDITED)

        return self._runner.start(
            steps,
            f"Editing {self._edits.name}",
            on_error=lambda error: self._status.set_text(str(error)),
        )

    def cancel(self) -> None:
        """Stop the current run, if any."""
        self._runner.cancel()

    def use_pending(self) -> None:
        """Make the edited map if edits or their softness changed since it was made last."""
        if self._edits is None or self.busy:
            return
        if self._touched or self._applied is None or self._applied[1] != self._softness.value:
            self._attempt(lambda: self._start(only_changes=True))

    def _touch(self, *_: Any) -> None:
        """Note that edits may have changed."""
        self._touched = True

    def _receive(self, result: MapResult | None) -> None:
        if result is not None:
            touched = self._touched
            self._show(result)
            self._touched = touched

    def _show(self, result: MapResult) -> None:
        if self._layers is not None and self._layers.are_in(self._viewer):
            update_map(self._layers, result)
            return
        base = self._base
        image = None if base is None else origin_of(base)
        if base is None or image is None:
            return
        template = replace(
            layer_template(base, whole_layer(base)),
            name=f"{image.name} edited",
            image=origin_recorded(base),
        )
        self._layers = add_map(self._viewer, result, template)
        self._show_edits()

    def _show_edits(self) -> None:
        """Show the edits above all that was made from their image, and select them."""
        layers, edits = self._viewer.layers, self._edits
        if edits is None or edits not in layers:
            return
        image = origin_of(edits)
        family = [i for i, layer in enumerate(layers) if image in (layer, origin_of(layer))]
        layers.move(layers.index(edits), family[-1] + 1)
        edits.visible = True
        layers.selection.active = edits

    def _show_end(self, ending: str) -> None:
        if ending == "done":
            self._status.set_text("The edited map is used by the next steps.")

    def _set_tool(self, *_: Any) -> None:
        """Set brush and label of the layer of edits as chosen."""
        self._radius.enabled = self._tool.value == _SET
        if self._edits is None:
            return
        labels = {_LEAVE: LEAVE_ALONE, _SHARPEN: SHARPEN, _FORGET: 0}
        set_radius = radius_label(float(self._radius.value))
        self._edits.selected_label = labels.get(str(self._tool.value), set_radius)
        self._edits.brush_size = self._brush.value
        self._edits.mode = "pan_zoom" if self._surface.value else "paint"

    def _fill(self, layer: "Labels", event: Any) -> Generator[None, None, None]:
        """Fill the surface under a click that moves nothing."""
        if not self._surface.value or self._base is None:
            return
        yield
        moved = False
        while event.type == "mouse_move":
            moved = True
            yield
        if not moved:
            place = tuple(np.rint(layer.world_to_data(event.position)).astype(int))
            with suppress(IndexError):
                fill_surface(layer, self._base.data, place)

    def _attempt(self, action: Any) -> None:
        try:
            action()
        except (OptionError, MapError) as error:
            self._status.set_text(str(error))

    def _forget_removed(self, event: Any) -> None:
        if event.value is self._edits:
            self._edits = self._base = None
            self._run.enabled = False

    def _abandon(self, *_: Any) -> None:
        self._viewer.layers.events.removed.disconnect(self._forget_removed)
        self._runner.abandon()
