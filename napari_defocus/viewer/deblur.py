"""The Deblur widget: a sharper picture of a layer, guided by its defocus map."""

from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox, FloatSlider

from ..models.registry import DETAILS
from .choices import LayerChoice, is_map
from .jobs import DeblurJob, DeblurResult
from .map_layers import map_source
from .preview import Preview
from .regions import Window
from .results import deblurred_layer
from .task_widget import TaskWidget

if TYPE_CHECKING:
    import napari.viewer
    from napari.utils.events import EventEmitter


class DeblurWidget(TaskWidget[DeblurResult]):
    """Deblurs an image layer, guided by a map layer or by a map estimated on the way.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer it is docked in; napari passes it.

    Examples
    --------
    In napari's console::

        _, widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Deblur")
        widget.image.value = viewer.layers[0]
        widget.strength.value = 0.8
        worker = widget.run()
    """

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:
        self._defocus = LayerChoice(
            viewer,
            is_map,
            name="defocus",
            label="defocus map",
            none="estimate it",
            tooltip="Radii in pixels: a map layer, edited or not, or labels painted by hand",
        )
        self._strength = FloatSlider(
            name="strength", value=1.0, min=0.0, max=2.0, tooltip="0 leaves the image as it is"
        )
        self._protect = FloatSlider(
            name="protect",
            label="protect (px)",
            value=0.5,
            min=0.0,
            max=4.0,
            tooltip="What is less out of focus than this radius stays untouched",
        )
        self._detail = ComboBox(
            name="detail",
            value="faithful",
            choices=DETAILS,
            tooltip="faithful: what the image still tells, for measuring; natural: adds fine "
            "detail that is likely rather than known. For the model auto",
        )
        self._live = CheckBox(
            name="preview",
            label="",
            text="Live preview of what is in view",
            tooltip="Follows view and settings; only a preview, gone when this panel is hidden",
        )
        super().__init__(
            viewer,
            verb="Deblur",
            doing="Deblurring",
            task="deblur",
            inputs=[self._defocus],
            settings=[self._detail, self._strength, self._protect, self._live],
        )
        self._preview = Preview(
            viewer,
            self.native,
            image=self._layer,
            job=self._job,
            report=self._controls.show_note,
            stopped=lambda: setattr(self._live, "value", False),
        )
        self._live.changed.connect(self._preview.switch)
        self._watched: list[EventEmitter] = []
        self._image.changed.connect(self._watch)
        self._defocus.changed.connect(self._watch)
        self._model.names.changed.connect(self._offer_detail)
        self._detail.changed.connect(self._show_auto)
        for setting in (self._detail, self._strength, self._protect):
            setting.changed.connect(self._preview.request)
        for control in (self._compute.scale, self._compute.encoding):
            control.changed.connect(self._preview.request)
        self._model.names.changed.connect(self._preview.request)
        self.native.destroyed.connect(self._preview.close)
        self._watch()

    def _job(self, window: Window) -> DeblurJob:
        image = self._layer()
        chosen = self._defocus.value
        return DeblurJob(
            image=self._source(window),
            defocus=None if chosen is None else map_source(chosen, image, window),
            strength=self._strength.value,
            protect=self._protect.value,
            detail=self._detail.value,
            how=self._how(),
        )

    def _detail_wanted(self) -> str:
        return str(self._detail.value)

    def _offer_detail(self, model: str) -> None:
        """Let detail be chosen only where it counts."""
        if model != "auto":
            self._detail.value = DETAILS[0]
        self._detail.enabled = model == "auto"

    def _watch(self, *_: Any) -> None:
        """Let the preview follow the pixels of the chosen layers."""
        for emitter in self._watched:
            emitter.disconnect(self._preview.forget)
        chosen = [layer for layer in (self._image.value, self._defocus.value) if layer is not None]
        self._watched = [layer.events.data for layer in chosen]
        self._watched += [layer.events.paint for layer in chosen if hasattr(layer, "paint")]
        for emitter in self._watched:
            emitter.connect(self._preview.forget)
        self._preview.forget()

    def _receive(self, result: DeblurResult) -> None:
        self._add(deblurred_layer(result, self._target))
