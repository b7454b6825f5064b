"""Deblur widget: restores an image layer, guided by its defocus map."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, PushButton
from qtpy.QtWidgets import QWidget

from ..deblur_settings import DeblurSettings
from ..inference.engine import Progress
from ..jobs import DeblurJob
from ..options import Options
from .choices import is_plugin_map, map_choice, newest_result
from .compare import CompareControls
from .deblur_controls import DeblurControls
from .deblur_range import DeblurRange
from .deblurred import Deblurred, LiveAmount, show_deblurred
from .layer_jobs import DeblurLayerJob, DeblurResult
from .map_layers import add_map
from .map_source import EDITED, MAP_KEY, covering_source, newest_map
from .preview import Preview
from .runner import Worker
from .save import save_layer, suggested_path
from .task_widget import TaskWidget
from .visibility import VisibilityFilter
from .window import Window

if TYPE_CHECKING:
    import napari.viewer
    from napari.utils.events import EventEmitter


class DeblurWidget(TaskWidget[DeblurResult]):
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

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:
        self._defocus = map_choice(
            viewer,
            tooltip="Blur radii in pixels: a map layer, edited or not, or labels painted by hand",
        )
        self._deblur = DeblurControls()
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
        self._used = DeblurSettings()
        super().__init__(
            viewer,
            verb="Deblur",
            doing="Deblurring",
            task="deblur",
            inputs=[self._defocus],
            settings=[*self._deblur.widgets, self._live, self._replace],
        )
        self._defocus.changed.connect(self._preset_bokeh)
        self._range = DeblurRange(self._deblur, self._defocus)
        layout = self.native.layout()
        layout.insertWidget(layout.count() - 1, self._range.histogram)
        QWidget.setTabOrder(self.more.native, self._range.histogram)
        self._preview = Preview(
            viewer,
            self.native,
            image=self._layer,
            job=self._job,
            report=self._controls.show_note,
            on_stop=lambda: setattr(self._live, "value", False),
        )
        self._live.changed.connect(self._preview.switch)
        self.compare = CompareControls(viewer)
        self._controls.container.insert(3, self.compare.container)
        self.save_button = PushButton(
            text="Save…", tooltip="Write the result, with the metadata of its image's file"
        )
        self.save_button.changed.connect(self._choose_file)
        self._controls.container.insert(4, self.save_button)
        self._ending = VisibilityFilter(self.native, on_hide=self.compare.end)
        self._watched: list[EventEmitter] = []
        self._image.changed.connect(self._defocus.follow)
        self._image.changed.connect(self._watch)
        self._defocus.changed.connect(self._watch)
        self._model.names.changed.connect(self._deblur.follow_model)
        self._deblur["detail"].changed.connect(self._show_auto)
        self._amount = LiveAmount(viewer, self._tell_share)
        self._deblur["amount"].changed.connect(self._mix)
        for setting in self._deblur.widgets:
            setting.changed.connect(self._preview.request)
        for control in self._compute.settings:
            control.changed.connect(self._preview.request)
        self._model.names.changed.connect(self._preview.request)
        self.native.destroyed.connect(self._preview.close)
        self.native.destroyed.connect(self.compare.close)
        self.native.destroyed.connect(self._amount.close)
        self._defocus.follow(self._image.value)
        self._watch()

    def run(self) -> Worker[DeblurResult]:
        """Start with the current settings; results become new layers, or replace the last one."""
        settings = self._deblur.settings(model=self._model.value)
        worker = super().run()
        self._used = settings
        return worker

    def _job(self, window: Window) -> DeblurLayerJob:
        from napari.layers import Labels

        image, chosen = self._layer(), self._defocus.value
        base = newest_map(self._viewer, image) if isinstance(chosen, Labels) else None
        return DeblurLayerJob(
            image=self._source(window),
            options=self._compute.options,
            settings=self._deblur.settings(model=self._model.value),
            base=None if base is None else covering_source(base, image, window),
            mask=self._region.mask(image, window),
            **self._defocus.map_inputs(image, window, partial=self._region.is_where_the_map_is),
        )

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
        layer, file = self.compare.result(), Path(path)

        def steps() -> Generator[Progress, None, None]:
            yield Progress(0, 0)
            save_layer(layer, file, overwrite=overwrite)

        worker = Worker(steps)
        worker.returned.connect(lambda _: self._controls.show_note(f"saved {file}"))
        worker.errored.connect(lambda error: self._controls.show_error(str(error)))
        worker.start()
        return worker

    def _choose_file(self) -> None:
        from qtpy.QtWidgets import QFileDialog

        def choose() -> None:
            start = str(suggested_path(self.compare.result()))
            path, _ = QFileDialog.getSaveFileName(self.native, "Save the result", start)
            if path:
                self.save(path, overwrite=True)  # the dialog has asked

        self._controls.attempt(choose)

    def _follow_kind(self, imaging: str) -> None:
        self._kind = imaging
        self._preset_bokeh()

    def _preset_bokeh(self, *_: Any) -> None:
        """Leave the blurred background of a photograph alone, unless the user chose otherwise.

        A map painted by hand says by itself where to deblur.
        """
        chosen = self._defocus.value
        painted = chosen is not None and chosen.metadata.get(MAP_KEY) is None
        automatic = self._kind == "photograph" and not painted
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

    def _receive(self, result: DeblurResult) -> None:
        painted = result.estimated is not None and result.estimated.estimated.model == EDITED
        if result.estimated is not None and (self._keeps_maps or painted):
            add_map(self._viewer, result.estimated, self._template)
        for layer in self._viewer.layers:
            if is_plugin_map(layer):
                layer.visible = False
        image = self._template.image and self._template.image.layer()
        earlier = newest_result(self._viewer, image) if self._replace.value and image else None
        entry = Deblurred(result.mixture, self._template, self._used)
        show_deblurred(self._viewer, result, entry, earlier)
        self.compare.renew()
        self._outcome = _describe_share(result.changed)
        self._mix()  # the amount may have changed during the run

    def _mix(self, *_: Any) -> None:
        """Show the last result of the image with the amount as chosen now."""
        image = self._image.value
        result = None if image is None else newest_result(self._viewer, image)
        if result is not None:
            self._amount.request([result], self._deblur.amount)

    def _tell_share(self, share: float) -> None:
        self._controls.show_note(_describe_share(share))


def _describe_share(share: float) -> str:
    return f"{percent(share)} of the pixels changed; the rest was sharp, unsure or left alone"


def percent(share: float) -> str:
    """Return a share in percent, which is 0 only if it is nothing."""
    return "less than 1%" if 0 < share < 0.01 else f"{share:.0%}"
