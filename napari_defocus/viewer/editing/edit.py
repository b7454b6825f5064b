"""Edit widget: a brush over a map, and the map that results."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from magicgui.widgets import FloatSlider, PushButton

from ...errors import MapError, OptionError
from ..controls.choices import LayerChoice
from ..controls.pieces import Pieces, PiecewisePanel
from ..controls.run_controls import WrappedLabel
from ..layers.origin import origin_of, origin_recorded
from ..layers.regions import whole_layer
from ..layers.results import layer_template
from ..maps.layer_kinds import is_image
from ..maps.map_layers import add_map, update_map
from ..maps.map_result import MapResult
from ..maps.map_source import newest_map
from ..threads.runner import Runner, Worker
from ..threads.viewer_window import is_open
from .edit_job import EditJob
from .edit_layer import add_edits
from .edit_state import MapEdits, all_edits, edits_of
from .edit_tools import EditTools

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

_HINT = "Paint over the picture; Ctrl+Z undoes a stroke. What is not painted stays the estimate."


class EditWidget(PiecewisePanel):
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

    def _build(self, viewer: "Viewer") -> Pieces:
        self._edits: MapEdits | None = None
        self._used: MapEdits | None = None  # by the run in progress
        self._image = LayerChoice(viewer, is_image, name="image", tooltip="Image of the map")
        self._paint = PushButton(name="paint_button", text="Paint on the map")
        self._tools = EditTools()
        yield
        self._softness = FloatSlider(
            name="softness",
            label="softness (px)",
            value=3.0,
            min=0.0,
            max=30.0,
            tooltip="Width of the transition between edits and estimate",
        )
        self._run = PushButton(
            name="use", text="Use edits", tooltip="Make a map of estimate and edits", enabled=False
        )
        self._status = WrappedLabel()
        self._runner: Runner[MapResult | None] = Runner(
            on_progress=lambda progress: None, on_result=self._receive, on_end=self._show_end
        )
        yield from self._add_rows(
            self._image,
            self._paint,
            *self._tools.widgets,
            self._softness,
            self._tools.surface,
            self._run,
        )
        self.native.layout().addWidget(self._status.native)
        self._status.set_text(_HINT)
        self._paint.changed.connect(lambda: self._attempt(self.paint))
        self._run.changed.connect(lambda: self._attempt(self.run))
        self._image.changed.connect(self._follow_edits)
        self._follow_layers()
        viewer.layers.events.removed.connect(self._forget_removed)
        self.native.destroyed.connect(self._abandon)
        self._follow_edits()

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
        edits.touched = False
        worker = self._runner.start(
            EditJob(edits, softness, only_changes).steps,
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
        self._run.enabled = self._edits is not None
        self._tools.act_on(self._edits)

    def _show_end(self, ending: str) -> None:
        if ending == "done":
            self._status.set_text("The edited map is used by the next steps.")
            self.use_pending()  # those of another image

    def _attempt(self, action: Any) -> None:
        try:
            action()
        except (OptionError, MapError) as error:
            self._status.set_text(str(error))

    def _forget_removed(self, event: Any) -> None:
        if self._edits is not None and event.value is self._edits.layer:
            self._edits = None
            self._run.enabled = False
            self._tools.act_on(None)

    def _abandon(self, *_: Any) -> None:
        self._unfollow_layers()
        self._viewer.layers.events.removed.disconnect(self._forget_removed)
        for edits in all_edits(self._viewer):
            self._tools.leave(edits)
        if is_open(self._viewer):
            self._runner.detach(self._receive, lambda ending: None)
        else:
            self._runner.abandon()
