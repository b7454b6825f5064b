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
from .edit_layer import add_edits, fill_surface
from .edit_state import MapEdits, all_edits, edits_of
from .layer_jobs import MapResult, map_result
from .map_layers import add_map, update_map
from .map_source import EDITED, MAP_KEY, newest_map
from .origin import origin_of, origin_recorded
from .regions import whole_layer
from .results import METADATA_KEY, layer_template
from .run_controls import WrappedLabel
from .runner import Runner, Worker
from .viewer_window import is_open

if TYPE_CHECKING:
    import napari.viewer
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
        self._edits: MapEdits | None = None
        self._used: MapEdits | None = None  # by the run in progress
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
            on_progress=lambda progress: None, on_result=self._receive, on_end=self._show_end
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
        self._image.changed.connect(self._follow_edits)
        viewer.layers.events.removed.connect(self._forget_removed)
        self.native.destroyed.connect(self._abandon)
        self._follow_edits()

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
        base = newest_map(self._viewer, image, edited=False)
        if base is None:
            raise OptionError(
                f"{image.name!r} has no map to edit yet; estimate it in the step Map first"
            )
        same = [edits for edits in edits_of(self._viewer, image) if edits.base is base]
        if same:
            self._edits = same[0]
        else:
            layer = add_edits(self._viewer, base, f"{image.name} map edits")
            self._edits = MapEdits(layer, base)
        self._show_edits(self._edits)
        self._follow_edits()
        return self._edits.layer

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
        if self._edits is None:
            raise OptionError("there are no edits yet; press 'Paint on the map' first")
        return self._use(self._edits, float(self._softness.value))

    def _use(
        self, edits: MapEdits, softness: float, *, only_changes: bool = False
    ) -> "Worker[MapResult | None]":
        """Make the edited map; on request only if edits or softness differ from the last one's."""
        estimated, record = edits.base.metadata[MAP_KEY], edits.base.metadata[METADATA_KEY]
        painted, edits.touched = edits.layer.data, False

        def steps() -> Generator[Progress, None, MapResult | None]:
            yield Progress(0, 0)
            labels = np.array(painted)  # here, for copying a large layer takes a while
            if only_changes and not edits.differ(labels, softness):
                return None
            edits.applied = labels, softness
            defocus = apply_edits(estimated.map, labels, softness)
            own = {
                "function": "apply_edits",
                "version": __version__,
                "parameters": {"softness": softness, "labels": array_hash(labels)},
                "input": record["input"],
                "estimate": record,
            }
            return map_result(defocus, own, estimated.options, EDITED)

        worker = self._runner.start(
            steps,
            f"Editing {edits.layer.name}",
            on_error=lambda error: self._status.set_text(str(error)),
        )
        self._used = edits
        return worker

    def cancel(self) -> None:
        """Stop the current run, if any."""
        self._runner.cancel()

    def use_pending(self) -> None:
        """Make edited maps where edits or their softness changed since they were made last."""
        for edits in all_edits(self._viewer):
            applied = None if edits.applied is None else edits.applied[1]
            chosen = edits is self._edits or applied is None
            softness = float(self._softness.value) if chosen else applied
            if not self.busy and (edits.touched or softness != applied):
                self._attempt(
                    lambda edits=edits, softness=softness: self._use(
                        edits, softness, only_changes=True
                    )
                )

    def _receive(self, result: MapResult | None) -> None:
        edits = self._used
        if result is not None and edits is not None and edits.layer in self._viewer.layers:
            touched = edits.touched
            self._show(edits, result)
            edits.touched = touched

    def _show(self, edits: MapEdits, result: MapResult) -> None:
        if not is_open(self._viewer):
            return
        if edits.edited is not None and edits.edited.are_in(self._viewer):
            update_map(edits.edited, result)
            return
        base, image = edits.base, edits.image
        if image is None:
            return
        template = replace(
            layer_template(base, whole_layer(base)),
            name=f"{image.name} edited",
            image=origin_recorded(base),
            plane="",
        )
        edits.edited = add_map(self._viewer, result, template)
        self._show_edits(edits)

    def _show_edits(self, edits: MapEdits) -> None:
        """Show the edits above all that was made from their image, and select them."""
        layers, image = self._viewer.layers, edits.image
        family = [i for i, layer in enumerate(layers) if image in (layer, origin_of(layer))]
        layers.move(layers.index(edits.layer), family[-1] + 1)
        edits.layer.visible = True
        layers.selection.active = edits.layer

    def _follow_edits(self, *_: Any) -> None:
        """Let brush and clicks act on the edits of the chosen image, if there are any."""
        image = self._image.value
        own = [] if image is None else edits_of(self._viewer, image)
        if self._edits not in own:
            self._edits = next(iter(own), None)
        if self._edits is not None:
            callbacks = self._edits.layer.mouse_drag_callbacks
            if self._fill not in callbacks:
                callbacks.append(self._fill)
        self._run.enabled = self._edits is not None
        self._set_tool()

    def _show_end(self, ending: str) -> None:
        if ending == "done":
            self._status.set_text("The edited map is used by the next steps.")
            self.use_pending()  # those of another image

    def _set_tool(self, *_: Any) -> None:
        """Set brush and label of the layer of edits as chosen."""
        self._radius.enabled = self._tool.value == _SET
        if self._edits is None:
            return
        labels = {_LEAVE: LEAVE_ALONE, _SHARPEN: SHARPEN, _FORGET: 0}
        set_radius = radius_label(float(self._radius.value))
        layer = self._edits.layer
        layer.selected_label = labels.get(str(self._tool.value), set_radius)
        layer.brush_size = self._brush.value
        layer.mode = "pan_zoom" if self._surface.value else "paint"

    def _fill(self, layer: "Labels", event: Any) -> Generator[None, None, None]:
        """Fill the surface under a click that moves nothing."""
        if not self._surface.value or self._edits is None or self._edits.layer is not layer:
            return
        yield
        moved = False
        while event.type == "mouse_move":
            moved = True
            yield
        if not moved:
            place = tuple(np.rint(layer.world_to_data(event.position)).astype(int))
            with suppress(IndexError):
                fill_surface(layer, self._edits.base.data, place)

    def _attempt(self, action: Any) -> None:
        try:
            action()
        except (OptionError, MapError) as error:
            self._status.set_text(str(error))

    def _forget_removed(self, event: Any) -> None:
        if self._edits is not None and event.value is self._edits.layer:
            self._edits = None
            self._run.enabled = False

    def _abandon(self, *_: Any) -> None:
        self._viewer.layers.events.removed.disconnect(self._forget_removed)
        for edits in all_edits(self._viewer):
            if self._fill in edits.layer.mouse_drag_callbacks:
                edits.layer.mouse_drag_callbacks.remove(self._fill)
        if is_open(self._viewer):
            self._runner.detach(self._receive, lambda ending: None)
        else:
            self._runner.abandon()
