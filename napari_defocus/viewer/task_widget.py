"""What the widgets have in common: an image, a region, how to compute, a run at a time."""

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from magicgui.widgets import Container, Widget

from ..errors import DefocusError, OptionError
from ..models.registry import DETAILS, default_name
from .choices import LayerChoice, ModelChoice, is_image
from .compute_controls import ComputeControls
from .jobs import How, Job
from .reading import Source, source_of
from .recipe import as_command_line, as_python
from .region_controls import RegionControls
from .regions import Window
from .results import LayerData, Target, target_of
from .rows import Visibility, align_labels
from .run_controls import RunControls
from .running import Running

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from napari.qt.threading import GeneratorWorker
    from napari.viewer import Viewer

    from ..networks.descriptor import Task

ResultT = TypeVar("ResultT")

_ENDINGS = {"done": "done", "cancelled": "cancelled", "failed": "failed: see the notification"}
_WIDTH = 320


class TaskWidget(Container[Widget], Generic[ResultT]):
    """A widget that does one thing to an image layer, in a thread.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Whose layers, and where results go.
    verb : str
        What the Run button says.
    doing : str
        What the activity dock says before the name of the layer.
    task : {"single", "dual", "deblur"}
        Which models are offered.
    inputs, settings : sequence of Widget
        Further controls: after the image, and after the model.
    """

    def __init__(
        self,
        viewer: "Viewer",
        *,
        verb: str,
        doing: str,
        task: "Task",
        inputs: Sequence[Widget],
        settings: Sequence[Widget],
    ) -> None:
        self._viewer = viewer
        self._doing = doing
        self._target = Target("", {}, {})
        self._image = LayerChoice(viewer, is_image, name="image", tooltip="The layer to work on")
        self._model = ModelChoice(task, name="model")
        self._region = RegionControls(viewer)
        self._compute = ComputeControls()
        self._controls = RunControls(
            verb,
            run=self.run,
            cancel=self.cancel,
            as_python=self.as_python,
            as_command_line=self.as_command_line,
        )
        self._running: Running[ResultT] = Running(
            on_progress=self._controls.show_progress,
            on_result=self._receive,
            on_end=self._show_end,
        )
        super().__init__(
            widgets=[
                self._image,
                *inputs,
                *self._region.widgets,
                self._model,
                *settings,
                *self._compute.widgets,
            ]
        )
        self.native.layout().addWidget(self._controls.container.native)  # without a label
        self.native.setMinimumWidth(_WIDTH)
        self._image.changed.connect(self._region.follow)
        for control in (self._image, self._compute.encoding):
            control.changed.connect(self._show_auto)
        self._start_with_selection()
        self._visibility = Visibility(self.native, shown=self._align, hidden=lambda: None)
        self.native.destroyed.connect(self._running.abandon)
        for event in ("inserted", "removed", "reordered", "renamed"):
            getattr(viewer.layers.events, event).connect(self._update_choices)

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._running.busy

    def run(self) -> "GeneratorWorker[Any, None, ResultT]":
        """Start with the present settings; results come as new layers.

        Returns
        -------
        napari.qt.threading.GeneratorWorker
            Started; connect to its ``returned``, ``errored``, ``aborted`` or ``finished``.

        Raises
        ------
        DefocusError
            If no image is chosen, the region is empty, or a run is under way.
        """
        layer = self._layer()
        window = self._region.window(layer)
        job = self._job(window)
        worker = self._running.start(job.steps, f"{self._doing} {layer.name}")
        self._target = target_of(layer, window)
        self._controls.show_running()
        return worker

    def cancel(self) -> None:
        """Stop the present run, if there is one; nothing is added to the viewer."""
        self._running.cancel()

    def as_python(self) -> str:
        """Python code that does the same as ``run``."""
        return as_python(self._job(self._region.window(self._layer())).call())

    def as_command_line(self) -> str:
        """The command that does the same as ``run``, to a file."""
        return as_command_line(self._job(self._region.window(self._layer())).call())

    @abstractmethod
    def _job(self, window: Window) -> Job[ResultT]:
        """The present settings, for part of the image."""

    @abstractmethod
    def _receive(self, result: ResultT) -> None:
        """Show a result."""

    def _detail_wanted(self) -> str:
        """How much may be inferred, as far as it can be chosen."""
        return DETAILS[0]

    def _show_auto(self, *_: Any) -> None:
        """Show which model "auto" stands for with the present image."""
        layer = self._image.value
        name = ""
        if layer is not None:
            with suppress(DefocusError):  # what cannot be used is told when it is run
                imaging = source_of(layer).imaging(self._compute.encoding.value)
                name = default_name(self._model.task, self._detail_wanted(), imaging)
        self._model.show_auto(name)

    def _layer(self) -> "Image":
        layer: Image | None = self._image.value
        if layer is None:
            raise OptionError("no image is chosen; open one, or choose one under 'image'")
        return layer

    def _source(self, window: Window) -> Source:
        return source_of(self._layer(), window)

    def _how(self) -> How:
        chosen = self._compute
        return How(
            model=self._model.value,
            scale=chosen.scale.value,
            encoding=chosen.encoding.value,
            compute=chosen.compute,
        )

    def _add(self, layer: LayerData) -> "Image":
        from napari.layers import Image

        data, how = layer
        added = Image(data, **how)
        self._viewer.add_layer(added)
        return added

    def _show_end(self, ending: str) -> None:
        self._controls.show_end(_ENDINGS[ending], complete=ending == "done")

    def _align(self) -> None:
        align_labels(self)

    def _update_choices(self, *_: Any) -> None:
        self.reset_choices()

    def _start_with_selection(self) -> None:
        active: Layer | None = self._viewer.layers.selection.active
        if active is not None and is_image(active):
            self._image.value = active
        self._region.follow(self._image.value)
        self._show_auto()
