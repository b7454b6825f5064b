"""The Batch widget: many files, one by one, with a table of what becomes of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.types import FileDialogMode
from magicgui.widgets import (
    CheckBox,
    ComboBox,
    Container,
    FileEdit,
    FloatSlider,
    LineEdit,
    PushButton,
    Widget,
)

from ..batch.how import How
from ..batch.plan import make_plan
from ..batch.settings import Settings
from ..errors import OptionError
from ..models.registry import DETAILS
from . import batch_job
from .batch_job import BatchJob, Step, Tally
from .batch_table import BatchTable
from .choices import ModelChoice
from .compute_controls import ComputeControls
from .input_list import InputList
from .opening import open_in
from .rows import Visibility, align_labels
from .run_controls import Remark, RunControls, attempt
from .running import Running

if TYPE_CHECKING:
    import napari.viewer
    from napari.qt.threading import GeneratorWorker

    from ..batch.process import Outcome

_ENDINGS = {
    "done": "done; report.html is in the folder of the results",
    "cancelled": "cancelled; run again to go on",
    "failed": "failed: see the notification",
}
_WIDTH = 360


class BatchWidget(Container[Widget]):
    """Maps or deblurs many files, and goes on where an earlier run ended.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where files and results are opened.

    Examples
    --------
    In napari's console::

        _, widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Batch")
        widget.inputs.value = ["scans"]
        widget.out.value = "results"
        worker = widget.run()
    """

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:
        self._viewer = viewer
        self._job: BatchJob | None = None
        self._tally = Tally(0)
        self._inputs = InputList(name="inputs")
        self._out = FileEdit(name="out", label="results in", mode=FileDialogMode.EXISTING_DIRECTORY)
        self._task = ComboBox(
            name="task",
            choices=["deblur", "map", "both"],
            tooltip="Write a sharper picture, radii and confidence, or all of these",
        )
        self._detail = ComboBox(name="detail", choices=DETAILS, tooltip="As in the Deblur widget")
        self._strength = FloatSlider(name="strength", value=1.0, min=0.0, max=2.0)
        self._protect = FloatSlider(
            name="protect", label="protect (px)", value=0.5, min=0.0, max=4.0
        )
        self._model = ModelChoice("deblur", name="model", label="deblurring")
        self._map_model = ModelChoice("single", name="map_model", label="estimation")
        self._dual_pixel = CheckBox(
            name="dual_pixel",
            label="",
            text="Both dual-pixel views",
            tooltip="Estimate from both halves of Canon dual-pixel raw files, where there are two",
        )
        self._pattern = LineEdit(
            name="pattern",
            label="named",
            value=Settings.pattern,
            tooltip="{name} of the file, {what} the result is, {suffix}",
        )
        self._existing = ComboBox(
            name="existing",
            choices=["refuse", "keep", "replace"],
            tooltip="What to do about files of these names that no batch has made",
        )
        self._compute = ComputeControls()
        self.pause_button = PushButton(name="pause", text="Pause", enabled=False)
        self._controls = RunControls(
            "Run",
            run=self.run,
            cancel=self.cancel,
            as_python=self.as_python,
            as_command_line=self.as_command_line,
            beside=[self.pause_button],
        )
        self._summary = Remark()
        self.table = BatchTable(lambda row: attempt(lambda: self.open(row)))
        self._running: Running[list[Outcome]] = Running(
            on_progress=self._controls.show_progress,
            on_result=lambda outcomes: None,
            on_end=self._show_end,
        )
        super().__init__(
            widgets=[
                self._inputs,
                self._out,
                self._task,
                self._detail,
                self._strength,
                self._protect,
                self._model,
                self._map_model,
                self._dual_pixel,
                self._pattern,
                self._existing,
                *self._compute.widgets,
            ]
        )
        layout = self.native.layout()
        layout.addWidget(self._controls.container.native)
        layout.addWidget(self._summary.native)
        layout.addWidget(self.table)
        self.native.setMinimumWidth(_WIDTH)
        self._visibility = Visibility(
            self.native, shown=lambda: align_labels(self), hidden=lambda: None
        )
        self.pause_button.changed.connect(self._toggle_pause)
        self._model.names.changed.connect(self._offer_detail)
        self.native.destroyed.connect(self._running.abandon)

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._running.busy

    def run(self) -> "GeneratorWorker[Any, None, list[Outcome]]":
        """Start with the present settings, or go on where an earlier run of the folder ended.

        Returns
        -------
        napari.qt.threading.GeneratorWorker
            Started; it returns an outcome for each file.

        Raises
        ------
        DefocusError
            If nothing is chosen, something chosen cannot be used, or a run is under way.
        """
        if self.busy:
            raise OptionError("a run is under way; wait for its end or cancel it first")
        plan = make_plan(self._given(), self._folder(), self._settings())
        job = BatchJob(plan)
        self._job, self._tally = job, Tally(len(plan.items))
        self.table.show_plan(plan)
        self._summary.say(self._tally.text())
        worker = self._running.start(job.steps, f"Batch of {len(plan.items)} files")
        worker.yielded.connect(lambda step: self._show_step(job, step))
        worker.finished.connect(job.close)
        worker.paused.connect(lambda: self.pause_button.native.setText("Go on"))
        worker.resumed.connect(lambda: self.pause_button.native.setText("Pause"))
        self._worker = worker
        self.pause_button.enabled = True
        self._controls.show_running()
        return worker

    def cancel(self) -> None:
        """Stop the present run, if there is one, at its next tile; what is finished stays."""
        self._running.cancel()

    def open(self, row: int) -> None:
        """Open a file of the present plan, and its results as far as they are there.

        Raises
        ------
        DefocusError
            If one of them cannot be read; the others are opened.
        """
        if self._job is None:
            return
        item = self._job.plan.items[row]
        open_in(self._viewer, [item.source, *filter(Path.exists, item.results.values())])

    def as_python(self) -> str:
        """Python code that does the same as ``run``."""
        return batch_job.as_python(self._given(), str(self._folder()), self._settings())

    def as_command_line(self) -> str:
        """The command that does the same as ``run``."""
        return batch_job.as_command_line(self._given(), str(self._folder()), self._settings())

    def _given(self) -> list[str]:
        given: list[str] = self._inputs.value
        if not given:
            raise OptionError("no file is given; add files or a folder under 'inputs'")
        return given

    def _folder(self) -> Path:
        given = str(self._out.line_edit.value).strip()
        if not given:
            raise OptionError("no folder for the results is given; choose one under 'results in'")
        return Path(given)

    def _settings(self) -> Settings:
        compute = self._compute.compute
        tile = "whole" if compute.tile is None else str(compute.tile)
        how = How(
            encoding=self._compute.encoding.value,
            scale=str(self._compute.scale.value),
            device=compute.device,
            precision=compute.precision,
            tile=tile,
        )
        return Settings(
            task=self._task.value,
            strength=self._strength.value,
            protect=self._protect.value,
            detail=self._detail.value,
            model=self._model.value,
            map_model=self._map_model.value,
            dual_pixel=self._dual_pixel.value,
            how=how,
            pattern=self._pattern.value,
            existing=self._existing.value,
        )

    def _show_step(self, job: BatchJob, step: Step) -> None:
        if job is not self._job:
            return
        self.table.show_event(step.event)
        if step.event.outcome is not None:
            self._tally.add(step.event.outcome)
            self._summary.say(self._tally.text())

    def _show_end(self, ending: str) -> None:
        self.pause_button.enabled = False
        self.pause_button.native.setText("Pause")
        self._controls.show_end(_ENDINGS[ending], complete=ending == "done")

    def _toggle_pause(self) -> None:
        self._worker.toggle_pause()

    def _offer_detail(self, model: str) -> None:
        """Let detail be chosen only where it counts."""
        if model != "auto":
            self._detail.value = DETAILS[0]
        self._detail.enabled = model == "auto"
