"""Live preview: a layer with the part in view, deblurred with the current settings."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
from qtpy.QtCore import QTimer

from ...errors import DefocusError, OptionError
from ...inference.engine import Progress
from ..controls.visibility import VisibilityFilter
from ..layers.geometry import placement
from ..layers.origin import origin, origin_entry
from ..layers.regions import narrow_to_plane, spatial_shape, view_window
from ..layers.results import layer_template
from ..layers.window import Window
from ..maps.map_source import MAP_KEY
from ..threads.latest_run import LatestRun
from .deblur_job import DeblurLayerJob
from .preview_frame import PreviewFrame
from .preview_job import PreviewCache, PreviewJob, PreviewResult
from .preview_size import coarseness, pixel_step

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

NAME = "deblur preview"
#: Pause after the last change before a preview starts, in milliseconds.
_PAUSE = 250
#: Pixels around the part in view that are processed too, so that its edges look as in the result.
_MARGIN = 64


class Preview:
    """Layer that follows view and settings while the preview is switched on.

    A coarse preview comes first and a fine one replaces it. A change stops the computation in
    progress; the next one starts when that has stopped. Another amount needs none.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer that the layer is added to.
    panel : QWidget
        Widget that the preview belongs to; while it is hidden, there is no preview.
    image : callable
        Returns the layer to deblur.
    job : callable
        Takes a window of that layer and returns the job that deblurs it.
    amount : callable
        Returns the share of the result that the preview shows, which the job names too.
    report : callable
        Called with the text that describes the state of the preview.
    on_stop : callable
        Called when the preview switches itself off: it failed, or the user removed its layer.
    """

    def __init__(
        self,
        viewer: "Viewer",
        panel: "QWidget",
        *,
        image: "Callable[[], Image]",
        job: Callable[[Window], DeblurLayerJob],
        amount: Callable[[], float],
        report: Callable[[str], None],
        on_stop: Callable[[], None],
    ) -> None:
        self._viewer, self._image, self._job, self._amount = viewer, image, job, amount
        self._report, self._on_stop = report, on_stop
        self._panel = panel
        self._on = False
        self._fine: tuple[PreviewJob, dict[str, Any]] | None = None  # that comes next
        self._window: Window | None = None
        self._cache: PreviewCache | None = None
        self._shown: PreviewResult | None = None
        self._layer: Image | None = None
        self._frame = PreviewFrame(viewer)
        self._passes: LatestRun[PreviewResult] = LatestRun(
            on_progress=self._show_progress, on_error=self._fail, on_end=self._end_pass
        )
        self._mixing: LatestRun[npt.NDArray[Any]] = LatestRun()
        self._timer = QTimer(panel)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._start)
        self._visibility = VisibilityFilter(panel, on_show=self.request, on_hide=self._discard)
        viewer.scene.camera.events.connect(self.request)
        viewer.dims.events.connect(self.request)
        viewer.layers.events.removed.connect(self._note_removal)

    @property
    def layer(self) -> "Image | None":
        """Layer of the preview, if it exists."""
        return self._layer

    @property
    def frame(self) -> PreviewFrame:
        """The frame around the preview."""
        return self._frame

    @property
    def busy(self) -> bool:
        """Whether a preview is being computed or scheduled."""
        running = self._passes.worker is not None or self._mixing.worker is not None
        return running or self._timer.isActive()

    def switch(self, on: bool) -> None:
        """Switch the preview on or off."""
        self._on = on
        if on:
            self.request()
        else:
            self._discard()

    def request(self, *_: Any) -> None:
        """Schedule a new preview, for when view and settings rest."""
        if self._on and self._panel.isVisible():
            self._timer.start()

    def forget(self, *_: Any) -> None:
        """Schedule a new preview after the pixels have changed."""
        self._cache = None
        self.request()

    def mix(self, *_: Any) -> None:
        """Show the preview in the amount that is chosen now, without networks."""
        shown = self._shown
        if shown is None:
            return

        def show(picture: npt.NDArray[Any]) -> None:
            if shown is self._shown and self._layer is not None:
                self._layer.data = picture

        self._mixing.request(partial(shown.mixture.steps, self._amount()), show)

    def close(self, *_: Any) -> None:
        """Stop for good, because the panel is destroyed."""
        self._on = False
        self._quit()

    def _start(self) -> None:
        """Compute a coarse preview, and a fine one when that is shown."""
        try:
            fine, arguments = self._prepare()
        except DefocusError as error:
            self._discard()
            self._report(f"no preview: {error}")
            return
        self._frame.rename("earlier preview…")
        coarse = replace(fine, coarseness=coarseness(fine.inner.shape, fine.step))
        self._fine = (fine, arguments) if coarse.coarseness > 1 else None
        self._run(coarse, arguments)

    def _run(self, job: PreviewJob, arguments: dict[str, Any]) -> None:
        self._report("computing the preview…")
        self._passes.request(job.steps, lambda result: self._show(result, arguments))

    def _prepare(self) -> tuple[PreviewJob, dict[str, Any]]:
        """Return the job for the part in view, and the arguments of its layer."""
        image, window = self._image(), self._in_view()
        step = pixel_step(window.shape, self._screen_pixels(image))
        inner = window.align(step)
        around = inner.expand(_MARGIN * step, spatial_shape(image))
        job = PreviewJob(self._job(around), inner.relative_to(around), step, cache=self._cache)
        self._window = window
        metadata = {MAP_KEY: None, **origin_entry(origin(image))}
        place = placement(image, inner, step)
        return job, {**layer_template(image, inner).appearance, **place, "metadata": metadata}

    def _screen_pixels(self, image: "Image") -> float:
        """Return how many pixels of the screen one of an image covers, along an axis."""
        world = float(image.extent.step[-2:].min())
        return world * float(self._viewer.scene.camera.zoom) * self._panel.devicePixelRatioF()

    def _in_view(self) -> Window:
        image, dims = self._image(), self._viewer.dims
        if sorted(dims.displayed) != [dims.ndim - 2, dims.ndim - 1]:
            raise OptionError(
                "the preview shows planes of the last two axes only; switch the viewer to 2D "
                "display of these"
            )
        window = view_window(image, dims.point, dims.displayed)
        return narrow_to_plane(window, image, dims.point)

    def _show_progress(self, progress: Progress) -> None:
        share = f" {progress.done / progress.total:.0%}" if progress.total else ""
        self._report(f"computing the {'fine' if self._fine is None else 'coarse'} preview…{share}")

    def _show(self, result: PreviewResult, arguments: dict[str, Any]) -> None:
        self._mixing.stop()
        self._shown, self._cache = result, result.cache
        if self._layer is None or not _update(self._layer, result.picture, arguments):
            self._add_layer(result.picture, arguments)
        assert self._layer is not None
        self._raise_layer(self._layer)
        self._frame.show(self._layer, "preview" if self._fine is None else "coarse preview…")
        if self._amount() != result.amount:
            self.mix()

    def _add_layer(self, picture: npt.NDArray[Any], arguments: dict[str, Any]) -> None:
        from napari.layers import Image

        self._remove_layer()
        selection = set(self._viewer.layers.selection)
        self._layer = Image(picture, name=NAME, **arguments)
        self._viewer.add_layer(self._layer)
        self._viewer.layers.selection = selection

    def _raise_layer(self, layer: "Image") -> None:
        """Lay the preview over all other layers, which may have come since."""
        layers = self._viewer.layers
        if layers[-1] is not layer:
            layers.move(layers.index(layer), len(layers))

    def _fail(self, _: Exception) -> None:
        if self._on:  # the panel may be gone
            self._on_stop()

    def _end_pass(self) -> None:
        """Go on with the fine preview, or rest."""
        if self._fine is not None:
            (fine, arguments), self._fine = self._fine, None
            self._run(replace(fine, cache=self._cache), arguments)
            return
        self._report("preview of the part in view")
        self._catch_up()

    def _catch_up(self) -> None:
        """Schedule a new preview if the canvas was drawn elsewhere only after this one started."""
        try:
            moved = self._in_view() != self._window
        except DefocusError:
            moved = True
        if moved:
            self.request()

    def _quit(self) -> None:
        self._timer.stop()
        self._passes.stop()
        self._mixing.stop()
        self._fine = self._shown = None

    def _discard(self) -> None:
        """Stop and remove the preview until it is requested again."""
        self._quit()
        self._remove_layer()
        self._report("")

    def _remove_layer(self) -> None:
        self._frame.hide()
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _note_removal(self, event: Any) -> None:
        if self._layer is not None and event.value is self._layer:
            self._frame.hide()
            self._layer = None
            self._on_stop()
        else:
            self.request()


def _update(layer: "Image", pixels: npt.NDArray[Any], arguments: dict[str, Any]) -> bool:
    """Show new pixels in a layer; return False if they need another layer."""
    if layer.rgb != arguments["rgb"] or layer.data.ndim != pixels.ndim:
        return False
    layer.data = pixels
    for name in ("scale", "translate", "rotate", "shear", "affine", "units"):
        setattr(layer, name, arguments[name])
    return True
