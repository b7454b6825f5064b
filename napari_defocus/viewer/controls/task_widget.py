"""Base class of the widgets that process one image layer."""

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from magicgui.widgets import PushButton, Widget

from ...errors import DefocusError, OptionError
from ...jobs import Job
from ...options import Options
from ..jobs.layer_jobs import Runnable
from ..layers.image_source import ImageSource, image_source
from ..layers.kind_of_image import KindFinder, kind_of_image
from ..layers.origin import insert_result
from ..layers.results import LayerData, LayerTemplate, layer_template
from ..layers.window import Window
from ..maps.layer_kinds import is_image, selected_image
from ..threads.runner import Runner, Worker
from ..threads.viewer_window import is_open
from .choices import LayerChoice
from .compute_controls import ComputeControls
from .labels import align_labels
from .model_choice import ModelChoice
from .pieces import Pieces, PiecewisePanel
from .region_controls import RegionControls
from .run_controls import RunControls
from .run_report import RunReport
from .visibility import VisibilityFilter

if TYPE_CHECKING:
    from napari.layers import Image

    from ...networks.descriptor import Task as ModelTask

ResultT = TypeVar("ResultT")

_WIDTH = 320


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a panel does, and the controls that it has of its own.

    Parameters
    ----------
    verb : str
        Text of the Run button.
    doing : str
        Text in the activity dock before the name of the layer.
    models : {"single", "dual", "deblur"}
        Task of the models to choose from.
    inputs, settings : sequence of Widget
        Additional controls, below the image and below the model.
    advanced : sequence of Widget
        Those of the inputs and settings that are hidden until "More options" is checked, as the
        model is.
    stack_axes : int
        Number of axes before Y and X that are worked on whole, whatever the region.
    """

    verb: str
    doing: str
    models: "ModelTask"
    inputs: Sequence[Widget] = ()
    settings: Sequence[Widget] = ()
    advanced: Sequence[Widget] = ()
    stack_axes: int = 0


class TaskWidget(PiecewisePanel, Generic[ResultT]):
    """Panel that processes an image layer in a worker thread.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer with the layers; results are added to it.
    at_once : bool
        Make all controls at once, as `PiecewisePanel` says.
    """

    #: Whether a model can be chosen.
    has_model = True

    def _build_task(self, task: Task) -> Pieces:
        """Make the controls of a task, yielding after each few."""
        viewer = self._viewer
        self._doing = task.doing
        self._template = LayerTemplate("", {}, {})
        self._first_pixel: tuple[int, ...] = ()
        self._description = ""
        self._kinds = KindFinder(self._show_auto)
        self._image = LayerChoice(viewer, is_image, name="image", tooltip="Layer to work on")
        self._model = ModelChoice(
            task.models,
            name="model",
            label="deblur model" if task.models == "deblur" else "map model",
        )
        self._model.visible = False
        yield
        self._region = RegionControls(
            viewer, takes_map=task.models == "deblur", stack_axes=task.stack_axes
        )
        yield
        self._compute = ComputeControls(self._contrast_limits)
        yield
        self._controls = RunControls(
            task.verb,
            run=self.run,
            cancel=self.cancel,
            as_python=self.as_python,
            as_command_line=self.as_command_line,
        )
        self._report = RunReport(self._controls)
        self._runner: Runner[ResultT] = Runner(
            on_progress=self._controls.show_progress,
            on_result=self._receive,
            on_end=self._report.show_end,
        )
        yield
        yield from self._add_rows(
            self._image,
            self._compute.values.imaging,
            *task.inputs,
            *self._region.widgets,
            self._model,
            *task.settings,
            *self._compute.widgets,
        )
        self.native.layout().addWidget(self._controls.container.native)  # without label
        self.native.setMinimumWidth(_WIDTH)
        self._advanced = [*([self._model] if self.has_model else []), *task.advanced]
        self._show_advanced(self._compute.more.value)
        self._compute.more.changed.connect(self._show_advanced)
        yield
        self._image.changed.connect(self._region.follow)
        self._image.changed.connect(self._controls.forget)
        for control in (self._image, self._compute.values.imaging, self._compute.values.encoding):
            control.changed.connect(self._show_auto)
        self._start_with_selection()
        self._visibility = VisibilityFilter(self.native, on_show=lambda: align_labels(self))
        self.native.destroyed.connect(self._abandon)
        yield

    @property
    def run_button(self) -> PushButton:
        """Button that starts a run."""
        return self._controls.run_button

    @property
    def busy(self) -> bool:
        """Whether a run is in progress."""
        return self._runner.busy

    def run(self) -> Worker[ResultT]:
        """Start with the current settings; results become new layers.

        Returns
        -------
        Worker
            A worker of napari, already started; connect to its ``returned``, ``errored``,
            ``aborted`` or ``finished``.

        Raises
        ------
        DefocusError
            If no image is chosen, the region is empty, or a run is in progress.
        """
        layer = self._layer()
        window = self._region.window(layer)
        job = self._current_job(window)
        self._description = f"{self._doing} {layer.name}"
        report = self._report
        worker = self._runner.start(
            job.steps, self._description, report.take_warning, report.take_error
        )
        self._template, self._first_pixel = layer_template(layer, window), window.start
        report.begin(job.notes)
        self._controls.show_running()
        return worker

    def _show_advanced(self, shown: bool) -> None:
        for control in self._advanced:
            control.visible = shown

    def hide_shared_choices(self) -> None:
        """Hide image, kind of image and optics, which a dock lets choose for several widgets."""
        self._image.visible = self._compute.values.imaging.visible = False
        self._compute.values.hide_optics()

    def cancel(self) -> None:
        """Stop the current run, if any; it adds no layers."""
        self._runner.cancel()

    def as_python(self) -> str:
        """Return Python code that does the same as ``run``."""
        return self._current_job(self._region.window(self._layer())).as_python()

    def as_command_line(self) -> str:
        """Return the command line that does the same as ``run``, to a file."""
        return self._current_job(self._region.window(self._layer())).as_command_line()

    @abstractmethod
    def _job(self, window: Window) -> Any:
        """Return the job for part of the chosen image, with the current settings."""

    def _current_job(self, window: Window) -> Runnable[ResultT]:
        """Return what a run does with the settings that the kind of image presets."""
        with suppress(DefocusError):  # the job reports images that cannot be used
            options = Options(encoding=self._compute.values.encoding.value)
            kind_of_image(image_source(self._layer()), options)  # is at hand from now on
        self._show_auto()
        return self._whole_job(window)

    def _whole_job(self, window: Window) -> Runnable[ResultT]:
        """Return what a run does: the job, or several in one."""
        job: Runnable[ResultT] = self._job(window)
        return job

    @abstractmethod
    def _add_result(self, result: ResultT) -> None:
        """Add a result to the viewer, without the panel, which may be gone."""

    def _show_result(self, result: ResultT) -> None:
        """Show in the panel a result that was added."""

    def _receive(self, result: ResultT) -> None:
        self._add_result(result)
        self._show_result(result)

    @abstractmethod
    def _auto_job(self, blank: Any, options: Options) -> Job[Any]:
        """Return a job with the model "auto" for zeros of the image's shape and data type."""

    def _show_auto(self, *_: Any) -> None:
        """Show what "auto" stands for with the current image: its kind and a model."""
        layer = self._image.value
        name = imaging = ""
        if layer is not None:
            with suppress(DefocusError):  # run() reports images that cannot be used
                source = image_source(layer)
                encoding = self._compute.values.encoding.value
                kind = self._kinds.find(source, Options(encoding=encoding))
                if kind is None:
                    return  # once a thread has looked, this is called again
                imaging = kind.imaging
                chosen = self._chosen_imaging
                options = Options(
                    encoding=encoding, imaging=imaging if chosen == "auto" else chosen
                )
                job = self._auto_job(source.blank(), source.reading_options(options))
                name = job.models[0].name
        self._model.show_auto(name)
        self._compute.values.show_auto(imaging)
        self._follow_kind(imaging if self._chosen_imaging == "auto" else self._chosen_imaging)

    def _follow_kind(self, imaging: str) -> None:
        """Preset controls for a kind of image; an empty word stands for none."""

    @property
    def _chosen_imaging(self) -> str:
        return str(self._compute.values.imaging.value)

    def _contrast_limits(self) -> tuple[float, float] | None:
        layer: Image | None = self._image.value
        return None if layer is None else tuple(layer.contrast_limits)

    def _layer(self) -> "Image":
        layer: Image | None = self._image.value
        if layer is None:
            raise OptionError("no image is chosen; open one, or choose one under 'image'")
        return layer

    def _source(self, window: Window) -> ImageSource:
        return image_source(self._layer(), window)

    def _add(self, layer: LayerData) -> "Image":
        from napari.layers import Image

        data, arguments = layer
        image = Image(data, **arguments)
        insert_result(self._viewer, image)
        return image

    def _abandon(self, *_: Any) -> None:
        """Follow the layers no more, because the panel is destroyed; a run goes on without it."""
        self._unfollow_layers()
        self._kinds.stop()
        if is_open(self._viewer):
            self._runner.detach(self._deliver, self._tell_end)
        else:
            self._runner.abandon()

    def _deliver(self, result: ResultT) -> None:
        """Add the result of a run whose panel is gone."""
        if is_open(self._viewer):
            self._add_result(result)

    def _tell_end(self, ending: str) -> None:
        """Tell of the end of a run whose panel is gone; of errors, a notification tells."""
        if ending == "done" and is_open(self._viewer):
            from napari.utils.notifications import show_info

            show_info(f"{self._description}: done")

    def _start_with_selection(self) -> None:
        self._follow_layers()
        image = selected_image(self._viewer)
        if image is not None:
            self._image.value = image
        self._region.follow(self._image.value)
        self._show_auto()
