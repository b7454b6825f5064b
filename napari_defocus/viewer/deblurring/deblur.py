"""Deblur widget: restores an image layer, guided by its defocus map."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, PushButton

from ...deblur_settings import DeblurSettings
from ...jobs import DeblurJob
from ...options import Options
from ..comparing.compare import CompareControls
from ..controls.choices import map_choice, newest_inputs
from ..controls.pieces import Pieces
from ..controls.run_controls import row
from ..controls.task_widget import Task, TaskWidget
from ..controls.visibility import VisibilityFilter
from ..files.save_button import SaveButton
from ..layers.image_source import image_source
from ..layers.results import LayerTemplate, layer_template
from ..layers.window import Window
from ..maps.layer_kinds import is_plugin_map, newest_result
from ..maps.map_layers import add_map
from ..maps.map_source import EDITED, MAP_KEY, covering_source, newest_map
from ..threads.runner import Worker
from .channel_jobs import ChannelsJob
from .channels import ChannelControls
from .deblur_controls import DeblurControls
from .deblur_job import DeblurLayerJob, DeblurResult
from .deblur_range import DeblurRange
from .deblurred import Deblurred, LiveAmount, show_deblurred
from .mixture import describe_share
from .neighbor_choice import NeighborChoice
from .preview import Preview

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.utils.events import EventEmitter
    from napari.viewer import Viewer


class DeblurWidget(TaskWidget[tuple[DeblurResult, ...]]):
    """Deblur an image layer, guided by a map layer or by a map estimated first.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer that the widget is docked in; napari passes it.

    Examples
    --------
    In napari's console::

        _, widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Deblur")
        widget.image.value = viewer.layers[0]
        widget.strength.value = 0.8
        worker = widget.run()
    """

    def _build(self, viewer: "Viewer") -> Pieces:
        self._defocus = map_choice(
            viewer,
            tooltip="Blur radii in pixels: a map layer, edited or not, or labels painted by hand",
        )
        yield
        self._deblur = DeblurControls()
        yield
        self._kind = ""
        self._keeps_maps = False
        self._live = CheckBox(
            name="preview",
            label="",
            text="Live preview of the part in view",
            tooltip="A temporary layer that follows view and settings; hiding the panel removes it",
        )
        self._replace = CheckBox(
            name="replace_last",
            label="",
            text="Replace last result",
            tooltip="The next run shows its result in the layer of the last one of this image",
        )
        self._templates: list[LayerTemplate] = []
        self._used, self._replaces = DeblurSettings(), False
        self._channels = ChannelControls(viewer)
        self._neighbors = NeighborChoice()
        yield
        yield from self._build_task(
            Task(
                verb="Deblur",
                doing="Deblurring",
                models="deblur",
                inputs=[*self._channels.widgets, self._defocus],
                settings=[self._neighbors, *self._deblur.widgets, self._live, self._replace],
                advanced=[self._deblur["protect_radius"], self._deblur["strength"], self._replace],
            )
        )
        yield from self._build_results(viewer)
        self._connect()

    def _build_results(self, viewer: "Viewer") -> Pieces:
        """Make what shows results and goes on from them."""
        self._range = DeblurRange(self._deblur, self._defocus)
        layout = self.native.layout()
        layout.insertWidget(layout.count() - 1, self._range.histogram)
        self._preview = Preview(
            viewer,
            self.native,
            image=self._layer,
            job=self._job,
            amount=lambda: self._deblur.amount,
            report=self._controls.show_note,
            on_stop=lambda: setattr(self._live, "value", False),
        )
        yield
        self.compare = CompareControls(viewer)
        self._controls.container.insert(3, self.compare.container)
        self._saving = SaveButton(self.compare.result, self._controls)
        discard = PushButton(
            name="discard",
            text="Discard",
            tooltip="Remove the result, and show its image again, which was never changed",
        )
        discard.changed.connect(lambda: self._controls.attempt(self.compare.discard))
        self._controls.container.insert(4, row(self._saving.button, discard))
        self._ending = VisibilityFilter(self.native, on_hide=self.compare.end)
        self._amount = LiveAmount(viewer, self._tell_share)
        yield

    def _connect(self) -> None:
        """Let controls follow each other, and the preview follow them."""
        self._watched: list[EventEmitter] = []
        self._defocus.changed.connect(self._preset_bokeh)
        self._live.changed.connect(self._preview.switch)
        self._image.changed.connect(self._defocus.follow)
        self._image.changed.connect(self._channels.follow)
        self._channels.follow(self._image.value)
        self._image.changed.connect(self._watch)
        self._defocus.changed.connect(self._watch)
        self._model.names.changed.connect(self._deblur.follow_model)
        self._deblur["detail"].changed.connect(self._show_auto)
        self._deblur["amount"].changed.connect(self._mix)
        self._deblur["amount"].changed.connect(self._preview.mix)
        for setting in self._deblur.widgets:
            if setting is not self._deblur["amount"]:
                setting.changed.connect(self._preview.request)
        for control in self._compute.settings:
            control.changed.connect(self._preview.request)
        self._model.names.changed.connect(self._preview.request)
        self.native.destroyed.connect(self._preview.close)
        self.native.destroyed.connect(self.compare.close)
        self.native.destroyed.connect(self._amount.close)
        self._defocus.follow(self._image.value)
        self._watch()
        for choice in (self._image, self._region.region, self._region.planes):
            choice.changed.connect(self._offer_neighbors)
        self._offer_neighbors()

    @property
    def channels(self) -> ChannelControls:
        """Ticks for further channels, and whose map they are deblurred by."""
        return self._channels

    @property
    def neighbors(self) -> NeighborChoice:
        """Choice of the axis whose neighboring planes help."""
        return self._neighbors

    @property
    def save_button(self) -> PushButton:
        """Button that writes the result to a file."""
        return self._saving.button

    @property
    def previewing(self) -> bool:
        """Whether a preview is being computed."""
        return self._preview.busy

    def run(self) -> Worker[tuple[DeblurResult, ...]]:
        """Start with the current settings; results become new layers, or replace the last ones.

        Raises
        ------
        DefocusError
            If no image is chosen, the region is empty, or a run is in progress.
        """
        worker = super().run()
        self._used = self._deblur.settings(model=self._model.value)
        self._replaces = bool(self._replace.value)
        window = self._region.window(self._layer())
        self._templates = [layer_template(layer, window) for layer in self._layers()]
        return worker

    def _layers(self) -> "list[Image]":
        """Return the chosen image and the further channels that are ticked."""
        return [self._layer(), *self._channels.ticked]

    def _whole_job(self, window: Window) -> ChannelsJob:
        layers, shared = self._layers(), self._channels.map_channel
        number = layers.index(shared) if shared is not None and shared in layers else None
        jobs = (self._channel_job(each, window) for each in layers)
        axis = self._neighbors.axis
        return ChannelsJob(tuple(replace(each, stack_axis=axis) for each in jobs), number)

    def _job(self, window: Window) -> DeblurLayerJob:
        return self._channel_job(self._layer(), window)

    def _channel_job(self, image: "Image", window: Window) -> DeblurLayerJob:
        from napari.layers import Labels

        chosen = image is self._layer()
        painted = chosen and isinstance(self._defocus.value, Labels)
        base = newest_map(self._viewer, image) if painted else None
        if chosen:
            partial = self._region.is_where_the_map_is
            inputs = self._defocus.map_inputs(image, window, partial=partial)
        else:
            inputs = newest_inputs(self._viewer, image, window)
        return DeblurLayerJob(
            image=image_source(image, window),
            options=self._compute.options,
            settings=self._deblur.settings(model=self._model.value),
            base=None if base is None else covering_source(base, image, window),
            mask=self._region.mask(image, window),
            **inputs,
        )

    def _update_choices(self, *_: Any) -> None:
        super()._update_choices()
        self._channels.update()

    def keep_maps(self) -> None:
        """Add maps that are estimated on the way as layers too, for the other steps of a dock."""
        self._keeps_maps = True

    def save(self, path: "str | os.PathLike[str]", *, overwrite: bool = False) -> Worker[None]:
        """Write the result that is selected, or the newest, to a file.

        Parameters
        ----------
        path : path
            File to write; its suffix names the format.
        overwrite : bool
            Replace an existing file.

        Returns
        -------
        Worker
            A worker of napari, already started.

        Raises
        ------
        OptionError
            If there is no result.
        """
        return self._saving.save(path, overwrite=overwrite)

    def _follow_kind(self, imaging: str) -> None:
        self._kind = imaging
        self._preset_bokeh()
        self._offer_neighbors()

    def _offer_neighbors(self, *_: Any) -> None:
        """Offer neighboring planes where whole stacks of micrographs are restored."""
        whole = self._region.region.value != "current view" and self._region.planes.value == "all"
        self._neighbors.offer(self._image.value, self._kind == "microscopy" and whole)

    def _preset_bokeh(self, *_: Any) -> None:
        """Leave the blurred background of a photograph alone, unless the user chose otherwise.

        An image of radii says by itself where to deblur; painted labels only where they are.
        """
        from napari.layers import Image

        chosen = self._defocus.value
        own = isinstance(chosen, Image) and chosen.metadata.get(MAP_KEY) is None
        automatic = self._kind == "photograph" and not own
        self._deblur.bokeh.preset("auto" if automatic else 0.0)

    def _auto_job(self, blank: Any, options: Options) -> DeblurJob:
        return DeblurJob(blank, settings=self._deblur.settings(), options=options)

    def _watch(self, *_: Any) -> None:
        """Make the preview follow changes to the pixels of the chosen layers."""
        for emitter in self._watched:
            emitter.disconnect(self._preview.forget)
        layers = [layer for layer in (self._image.value, self._defocus.value) if layer is not None]
        self._watched = [layer.events.data for layer in layers]
        self._watched += [layer.events.paint for layer in layers if hasattr(layer, "paint")]
        for emitter in self._watched:
            emitter.connect(self._preview.forget)
        self._preview.forget()

    def _add_result(self, result: tuple[DeblurResult, ...]) -> None:
        for template, each in zip(self._templates, result, strict=True):
            self._add_one(template, each)
        chosen = self._templates[0].image
        image = None if chosen is None else chosen.layer()
        if len(result) > 1 and image is not None:  # not the result of another channel
            self._viewer.layers.selection.active = newest_result(self._viewer, image)

    def _add_one(self, template: LayerTemplate, result: DeblurResult) -> None:
        image = None if template.image is None else template.image.layer()
        earlier = None
        if self._replaces and image is not None:
            earlier = newest_result(self._viewer, image)
        painted = result.estimated is not None and result.estimated.estimated.model == EDITED
        if result.estimated is not None and (self._keeps_maps or painted):
            add_map(self._viewer, result.estimated, template)
        for layer in self._viewer.layers:
            if is_plugin_map(layer):
                layer.visible = False
        entry = Deblurred(result.mixture, template, self._used)
        show_deblurred(self._viewer, result, entry, earlier)

    def _show_result(self, result: tuple[DeblurResult, ...]) -> None:
        self.compare.renew()
        self._report.notes += [each.note for each in result if each.note]
        self._report.outcome = describe_share(max(each.changed for each in result))
        self._mix()  # the amount may have changed during the run

    def _mix(self, *_: Any) -> None:
        """Show the last result of the image with the amount as chosen now."""
        layers = [] if self._image.value is None else self._layers()
        results = [newest_result(self._viewer, layer) for layer in layers]
        shown = [layer for layer in results if layer is not None]
        self._amount.request(shown, self._deblur.amount)

    def _tell_share(self, share: float) -> None:
        self._controls.show_note(describe_share(share))
