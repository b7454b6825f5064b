"""Batch widget: processes many files and shows the state of each in a table."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.types import FileDialogMode
from magicgui.widgets import (
    CheckBox,
    ComboBox,
    Container,
    FileEdit,
    LineEdit,
    PushButton,
    Widget,
)

from ..batch.existing import ExistingFileError
from ..batch.plan import make_plan
from ..batch.settings import Existing, Settings
from ..errors import OptionError
from . import batch_job
from .batch_job import BatchJob, BatchProgress, Tally
from .batch_question import ask_about_existing
from .batch_table import BatchTable
from .choices import ModelChoice
from .compute_controls import ComputeControls
from .deblur_controls import DeblurControls
from .input_list import InputList
from .labels import align_labels
from .open_files import open_files
from .run_controls import RunControls, WrappedLabel
from .runner import Runner
from .visibility import VisibilityFilter

if TYPE_CHECKING:
    import napari.viewer
    from napari.qt.threading import GeneratorWorker

    from ..batch.process import Outcome

_ENDINGS = {
    "done": "done; report.html is in the folder of the results",
    "canceled": "canceled; run again to continue",
    "failed": "failed: see the notification",
}
_WIDTH = 360


class BatchWidget(Container[Widget]):
    """Map or deblur many files, continuing where an earlier run ended.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer in which files and results are opened.

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
        self._inputs = InputList(name="inputs", label="files")
        self._out = FileEdit(
            name="out",
            label="results folder",
            mode=FileDialogMode.EXISTING_DIRECTORY,
            tooltip="Where results and the report are written",
        )
        self._task = ComboBox(
            name="task",
            choices=["deblur", "map", "both", "focus"],
            tooltip="deblur: a sharper image; map: blur radii and confidence; both: all of them; "
            "focus: a table of the best planes of stacks",
        )
        self._deblur = DeblurControls()
        self._model = ModelChoice("deblur", name="model", label="deblur model")
        self._map_model = ModelChoice("single", name="map_model", label="map model")
        self._dual_pixel = CheckBox(
            name="dual_pixel",
            label="",
            text="Both dual-pixel views",
            tooltip="Estimate the map from both halves of Canon dual-pixel raw files",
        )
        self._pattern = LineEdit(
            name="pattern",
            label="file names",
            value=Settings.pattern,
            tooltip="Name of each result, made of {name} of the input, {what} it is, and {suffix}",
        )
        self._existing = ComboBox(
            name="existing",
            label="if a result exists",
            choices=[("ask", "refuse"), ("keep it", "keep"), ("replace it", "replace")],
            tooltip="For files of these names that no batch has made, that were changed since, or "
            "that were made with other settings",
        )
        self._compute = ComputeControls()
        self.pause_button = PushButton(name="pause", text="Pause", enabled=False)
        self._controls = RunControls(
            "Run",
            run=self._run_or_ask,
            cancel=self.cancel,
            as_python=self.as_python,
            as_command_line=self.as_command_line,
            beside=[self.pause_button],
        )
        self._summary = WrappedLabel()
        self.table = BatchTable(lambda row: self._controls.attempt(lambda: self.open(row)))
        self._runner: Runner[list[Outcome]] = Runner(
            on_progress=self._controls.show_progress,
            on_result=lambda outcomes: None,
            on_end=self._show_end,
        )
        super().__init__(
            widgets=[
                self._inputs,
                self._out,
                self._task,
                *self._deblur.widgets,
                self._model,
                self._map_model,
                self._dual_pixel,
                self._pattern,
                self._existing,
                self._compute.values.imaging,
                *self._compute.widgets,
            ]
        )
        layout = self.native.layout()
        layout.addWidget(self._controls.container.native)
        layout.addWidget(self._summary.native)
        layout.addWidget(self.table)
        self.native.setMinimumWidth(_WIDTH)
        self._visibility = VisibilityFilter(self.native, on_show=lambda: align_labels(self))
        self.pause_button.changed.connect(self._toggle_pause)
        self._model.names.changed.connect(self._deblur.follow_model)
        self.native.destroyed.connect(self._abandon)

    @property
    def viewer(self) -> "napari.viewer.Viewer":
        """Viewer in which files and results are opened."""
        return self._viewer

    @property
    def run_button(self) -> PushButton:
        """Button that starts a run."""
        return self._controls.run_button

    @property
    def busy(self) -> bool:
        """Whether a batch is running."""
        return self._runner.busy

    def run(self) -> "GeneratorWorker[Any, None, list[Outcome]]":
        """Start with the current settings, continuing where an earlier run of the folder ended.

        Returns
        -------
        napari.qt.threading.GeneratorWorker
            Already started; returns the outcome of each file.

        Raises
        ------
        DefocusError
            If no files or folder are chosen, a setting cannot be used, a batch is running, or
            files are in the way; the button asks about these.
        """
        return self._start(self._settings())

    def _run_or_ask(self) -> None:
        try:
            self.run()
        except ExistingFileError as error:
            ask_about_existing(self.native, error.obstacle, self._run_with)

    def _run_with(self, existing: Existing) -> None:
        settings = replace(self._settings(), existing=existing)
        self._controls.attempt(lambda: self._start(settings))

    def _start(self, settings: Settings) -> "GeneratorWorker[Any, None, list[Outcome]]":
        if self.busy:
            raise OptionError("a batch is running; wait until it ends or cancel it first")
        plan = make_plan(self._input_paths(), self._folder(), settings)
        job = BatchJob(plan)
        self._job, self._tally = job, Tally(len(plan.items))
        self.table.show_plan(plan)
        self._summary.set_text(self._tally.text())
        worker = self._runner.start(job.steps, f"Batch of {len(plan.items)} files")
        worker.yielded.connect(lambda progress: self._show_progress(job, progress))
        worker.finished.connect(job.close)
        worker.paused.connect(lambda: self._show_pause(job, "Resume"))
        worker.resumed.connect(lambda: self._show_pause(job, "Pause"))
        self._worker = worker
        self.pause_button.enabled = True
        self._controls.show_running()
        return worker

    def cancel(self) -> None:
        """Stop the current run, if any, at its next tile; finished results stay."""
        self._runner.cancel()

    def open(self, row: int) -> None:
        """Open a file of the current plan, and those of its results that exist.

        Raises
        ------
        DefocusError
            If one of them cannot be read; the others are opened all the same.
        """
        if self._job is None:
            return
        item = self._job.plan.items[row]
        pictures = [path for kind, path in item.results.items() if kind != "focus"]
        open_files(self._viewer, [item.source, *filter(Path.exists, pictures)])

    def as_python(self) -> str:
        """Return Python code that does the same as ``run``."""
        return batch_job.as_python(self._input_paths(), str(self._folder()), self._settings())

    def as_command_line(self) -> str:
        """Return the command line that does the same as ``run``."""
        return batch_job.as_command_line(self._input_paths(), str(self._folder()), self._settings())

    def _input_paths(self) -> list[str]:
        paths: list[str] = self._inputs.value
        if not paths:
            raise OptionError("no files to process; add files or a folder under 'files'")
        return paths

    def _folder(self) -> Path:
        folder = str(self._out.line_edit.value).strip()
        if not folder:
            raise OptionError("no folder for the results; choose one under 'results folder'")
        return Path(folder)

    def _settings(self) -> Settings:
        return Settings(
            task=self._task.value,
            deblurring=self._deblur.settings(
                model=self._model.value, map_model=self._map_model.value
            ),
            dual_pixel=self._dual_pixel.value,
            options=self._compute.options,
            pattern=self._pattern.value,
            existing=self._existing.value,
        )

    def _show_progress(self, job: BatchJob, progress: BatchProgress) -> None:
        if job is not self._job:
            return
        self.table.show_event(progress.event)
        if progress.event.outcome is not None:
            self._tally.add(progress.event.outcome)
            self._summary.set_text(self._tally.text())

    def _show_pause(self, job: BatchJob, text: str) -> None:
        if job is self._job:
            self.pause_button.native.setText(text)

    def _abandon(self, *_: Any) -> None:
        """Stop and show nothing more, because the panel is destroyed; results so far stay."""
        self._job = None
        self._runner.abandon()

    def _show_end(self, ending: str) -> None:
        self.pause_button.enabled = False
        self.pause_button.native.setText("Pause")
        self._controls.show_end(_ENDINGS[ending], complete=ending == "done")

    def _toggle_pause(self) -> None:
        self._worker.toggle_pause()
