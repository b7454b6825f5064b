"""Live preview: the part in view deblurred with the present settings, again and again."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
from qtpy.QtCore import QTimer

from ..errors import DefocusError
from ..image.value_range import Range
from ..inference.engine import Progress
from .jobs import DeblurJob, MapJob
from .map_layers import MAP_KEY, KnownMap
from .regions import Window, current_plane, in_view, spatial_shape
from .results import Target, target_of
from .rows import Visibility
from .running import start_worker

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.qt.threading import GeneratorWorker
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

    from ..defocus_map import DefocusMap

NAME = "deblur preview"
#: Changes closer together than this, in milliseconds, count as one.
_PAUSE = 250
#: Pixels around what is in view that the networks see, so that its edge looks as in the result.
_MARGIN = 64
#: At most about this many pixels are deblurred; of a larger view, the middle.
_MOST_PIXELS = 1_000_000


@dataclass(frozen=True)
class Known:
    """What one preview found out, and the next need not.

    Parameters
    ----------
    encoding : str
        Under which the range was measured.
    value_range : (float, float) or None
        Black and white of the whole layer; None where the API finds them.
    of : Window or None
        What the map is of.
    defocus : DefocusMap or None
        The map, if it was estimated.
    """

    encoding: str
    value_range: Range | None
    of: Window | None = None
    defocus: "DefocusMap | None" = None


@dataclass(frozen=True)
class PreviewJob:
    """Deblur the surroundings of a window, and cut the window out.

    Parameters
    ----------
    job : DeblurJob
        For the surroundings.
    inner : Window
        In the indices of the surroundings.
    known : Known or None
        From an earlier preview of the same pixels.
    """

    job: DeblurJob
    inner: Window
    known: Known | None

    def steps(self) -> Generator[Progress, None, tuple[npt.NDArray[Any], Known]]:
        """Do it; returns the window's pixels."""
        job, encoding = self.job, self.job.how.encoding
        known = self.known
        if known is None or known.encoding != encoding:
            known = Known(encoding, (yield from job.image.value_range(encoding)))
        job = replace(job, image=replace(job.image, known_range=known.value_range))
        if job.defocus is None:
            defocus = known.defocus if known.of == job.image.window else None
            if defocus is None:
                found = yield from MapJob(job.image, None, replace(job.how, model="auto")).steps()
                defocus = found.estimated.map
            known = replace(known, of=job.image.window, defocus=defocus)
            job = replace(job, defocus=KnownMap(defocus))
        result = yield from job.steps()
        return result.image[self.inner.slices], known


class Preview:
    """Keeps a layer up to date with what is in view, while it is switched on.

    A change while a preview is being computed stops that one; the next starts when it has stopped.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layer goes.
    panel : QWidget
        The widget it belongs to; there is no preview while that is hidden.
    image : callable
        Returns the layer to deblur.
    job : callable
        Takes a window of that layer and returns what to do.
    report : callable
        Called with what there is to say about the preview.
    stopped : callable
        Called when it switches itself off: it failed, or the user removed its layer.
    """

    def __init__(
        self,
        viewer: "Viewer",
        panel: "QWidget",
        *,
        image: "Callable[[], Image]",
        job: Callable[[Window], DeblurJob],
        report: Callable[[str], None],
        stopped: Callable[[], None],
    ) -> None:
        self._viewer, self._image, self._job = viewer, image, job
        self._report, self._stopped = report, stopped
        self._panel = panel
        self._on = False
        self._again = False
        self._window: Window | None = None
        self._known: Known | None = None
        self._layer: Image | None = None
        self._target = Target("", {}, {})
        self._worker: GeneratorWorker[Progress, None, tuple[npt.NDArray[Any], Known]] | None = None
        self._outdated = False
        self._timer = QTimer(panel)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._start)
        self._visibility = Visibility(panel, shown=self.request, hidden=self._discard)
        viewer.scene.camera.events.connect(self.request)
        viewer.dims.events.connect(self.request)
        viewer.layers.events.removed.connect(self._note_removal)

    @property
    def layer(self) -> "Image | None":
        """Its layer, while there is one."""
        return self._layer

    @property
    def busy(self) -> bool:
        """Whether a preview is being computed or about to be."""
        return self._worker is not None or self._timer.isActive()

    def switch(self, on: bool) -> None:
        """Switch it on or off."""
        self._on = on
        if on:
            self.request()
        else:
            self._discard()

    def request(self, *_: Any) -> None:
        """Options it anew, once nothing has changed for a moment."""
        if self._on and self._panel.isVisible():
            self._timer.start()

    def forget(self, *_: Any) -> None:
        """Options it anew for other pixels: of another layer, or changed ones."""
        self._known = None
        self.request()

    def close(self, *_: Any) -> None:
        """Stop for good: the panel has gone, and perhaps the window."""
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
            self._take_off()
            self._report(f"no preview: {error}")
            return
        self._outdated = False
        self._report("preview…")
        worker = self._worker = start_worker(job.steps)
        worker.returned.connect(self._show)
        worker.errored.connect(self._fail)
        worker.finished.connect(self._end)
        worker.start()

    def _prepare(self) -> PreviewJob:
        image, window = self._image(), self._in_view()
        around = window.grown(_MARGIN, spatial_shape(image))
        self._window, self._target = window, target_of(image, window)
        return PreviewJob(self._job(around), window.within(around), self._known)

    def _in_view(self) -> Window:
        image, dims = self._image(), self._viewer.dims
        shown = in_view(image, dims.point, dims.displayed).middle(_MOST_PIXELS)
        return current_plane(shown, image, dims.point)

    def _show(self, result: tuple[npt.NDArray[Any], Known]) -> None:
        if self._outdated:
            return
        pixels, self._known = result
        how = {**self._target.look, **self._target.place}
        if self._layer is not None and _update(self._layer, pixels, how):
            return
        from napari.layers import Image

        self._take_off()
        chosen = set(self._viewer.layers.selection)
        self._layer = Image(pixels, name=NAME, metadata={MAP_KEY: None}, **how)
        self._viewer.add_layer(self._layer)
        self._viewer.layers.selection = chosen

    def _fail(self, _: Exception) -> None:
        self._stopped()

    def _end(self) -> None:
        self._worker = None
        if self._again:
            self._start()
        elif not self._outdated:
            self._report("preview of what is in view")
            self._catch_up()

    def _catch_up(self) -> None:
        """Start again if the canvas was drawn, at another place, only after this was started."""
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
        """Show no preview for now."""
        self._quit()
        self._take_off()
        self._report("")

    def _take_off(self) -> None:
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _note_removal(self, event: Any) -> None:
        if self._layer is not None and event.value is self._layer:
            self._layer = None
            self._stopped()
        else:
            self.request()


def _update(layer: "Image", pixels: npt.NDArray[Any], how: dict[str, Any]) -> bool:
    """Show other pixels in a layer; False if they need another one."""
    if layer.rgb != how["rgb"] or layer.data.ndim != pixels.ndim:
        return False
    layer.data = pixels
    for name in ("scale", "translate", "rotate", "shear", "affine", "units"):
        setattr(layer, name, how[name])
    return True
