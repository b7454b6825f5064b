"""Live preview: a layer with the part in view, deblurred with the current settings."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
from qtpy.QtCore import QTimer

from ..errors import DefocusError, OptionError
from ..inference.engine import Progress
from ..options import Options
from .deblur_job import DeblurLayerJob
from .map_source import MAP_KEY
from .regions import narrow_to_plane, spatial_shape, view_window
from .results import LayerTemplate, layer_template
from .runner import Worker
from .visibility import VisibilityFilter
from .window import Window

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

    from ..defocus_map import DefocusMap

NAME = "deblur preview"
#: Pause after the last change before a preview starts, in milliseconds.
_PAUSE = 250
#: Pixels around the part in view that are processed too, so that its edges look as in the result.
_MARGIN = 64
#: Approximate limit of pixels in a preview; of a larger view, the center is deblurred.
_MAX_PIXELS = 1_000_000


@dataclass(frozen=True)
class PreviewCache:
    """Intermediate results of a preview that the next one can use again.

    Parameters
    ----------
    chosen : Options
        Options for which the range was measured.
    value_range : (float, float) or array or None
        Black and white of the whole layer; None where the API determines them.
    window, options : Window and Options, optional
        Region and options for which the map was estimated.
    defocus : DefocusMap, optional
        The map, if one was estimated.
    """

    chosen: Options
    value_range: Any
    window: Window | None = None
    options: Options | None = None
    defocus: "DefocusMap | None" = None


@dataclass(frozen=True)
class PreviewJob:
    """Deblurs a region with a margin, and cuts the margin off.

    Parameters
    ----------
    job : DeblurLayerJob
        Job for the region with its margin.
    inner : Window
        The region without margin, in indices of the job's window.
    cache : PreviewCache, optional
        From an earlier preview of the same pixels.
    """

    job: DeblurLayerJob
    inner: Window
    cache: PreviewCache | None

    def steps(self) -> Generator[Progress, None, tuple[npt.NDArray[Any], PreviewCache]]:
        """Yield after every tile; return the deblurred region and a cache for the next preview."""
        source, options, cache = self.job.image, self.job.options, self.cache
        if cache is None or cache.chosen != options:
            measured = yield from source.complete_options(options)
            cache = PreviewCache(options, measured.value_range)
        measured = replace(options, value_range=cache.value_range)
        job = yield from replace(self.job, options=measured).read()
        if job.estimate is not None and job.settings.strength > 0:
            if cache.defocus is None or (cache.window, cache.options) != (source.window, options):
                defocus = yield from job.estimate.steps()
                cache = replace(cache, window=source.window, options=options, defocus=defocus)
            assert cache.defocus is not None
            job = job.with_map(cache.defocus)
        job = self.job.edited(job)
        image = yield from job.steps()
        return image[self.inner.slices], cache


_Result = tuple[npt.NDArray[Any], PreviewCache]


class Preview:
    """Layer that follows view and settings while the preview is switched on.

    A change stops the computation in progress; the next one starts when that has stopped.

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
        report: Callable[[str], None],
        on_stop: Callable[[], None],
    ) -> None:
        self._viewer, self._image, self._job = viewer, image, job
        self._report, self._on_stop = report, on_stop
        self._panel = panel
        self._on = False
        self._again = False
        self._window: Window | None = None
        self._cache: PreviewCache | None = None
        self._layer: Image | None = None
        self._template = LayerTemplate("", {}, {})
        self._worker: Worker[_Result] | None = None
        self._outdated = False
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
    def busy(self) -> bool:
        """Whether a preview is being computed or scheduled."""
        return self._worker is not None or self._timer.isActive()

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

    def close(self, *_: Any) -> None:
        """Stop for good, because the panel is destroyed."""
        self._on = False
        self._quit()

    def _start(self) -> None:
        if self._worker is not None:
            self._quit()
            self._again = True
            return
        self._again = False
        try:
            job = self._prepare()
        except DefocusError as error:
            self._remove_layer()
            self._report(f"no preview: {error}")
            return
        self._outdated = False
        self._report("computing the preview…")
        worker = self._worker = Worker(job.steps)
        worker.returned.connect(self._show)
        worker.errored.connect(self._fail)
        worker.finished.connect(self._end)
        worker.start()

    def _prepare(self) -> PreviewJob:
        image, window = self._image(), self._in_view()
        around = window.expand(_MARGIN, spatial_shape(image))
        self._window, self._template = window, layer_template(image, window)
        return PreviewJob(self._job(around), window.relative_to(around), self._cache)

    def _in_view(self) -> Window:
        image, dims = self._image(), self._viewer.dims
        if sorted(dims.displayed) != [dims.ndim - 2, dims.ndim - 1]:
            raise OptionError(
                "the preview shows planes of the last two axes only; switch the viewer to 2D "
                "display of these"
            )
        window = view_window(image, dims.point, dims.displayed).crop_center(_MAX_PIXELS)
        return narrow_to_plane(window, image, dims.point)

    def _show(self, result: _Result) -> None:
        if self._outdated:
            return
        pixels, self._cache = result
        arguments = {**self._template.appearance, **self._template.placement}
        if self._layer is not None and _update(self._layer, pixels, arguments):
            return
        from napari.layers import Image

        self._remove_layer()
        selection = set(self._viewer.layers.selection)
        self._layer = Image(pixels, name=NAME, metadata={MAP_KEY: None}, **arguments)
        self._viewer.add_layer(self._layer)
        self._viewer.layers.selection = selection

    def _fail(self, _: Exception) -> None:
        if self._on:  # the panel may be gone
            self._on_stop()

    def _end(self) -> None:
        self._worker = None
        if self._again:
            self._start()
        elif not self._outdated:
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
        self._outdated, self._again = True, False
        self._timer.stop()
        if self._worker is not None:
            self._worker.quit()

    def _discard(self) -> None:
        """Stop and remove the preview until it is requested again."""
        self._quit()
        self._remove_layer()
        self._report("")

    def _remove_layer(self) -> None:
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _note_removal(self, event: Any) -> None:
        if self._layer is not None and event.value is self._layer:
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
