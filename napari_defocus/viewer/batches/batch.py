"""Batch widget: processes many files and shows the state of each in a table."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.types import FileDialogMode
from magicgui.widgets import CheckBox, Container, FileEdit, PushButton, Widget

from ...batch.existing import ExistingFileError
from ...batch.settings import Existing, Settings
from ...errors import OptionError
from ...inference.engine import Progress
from ..controls.labels import align_labels
from ..controls.run_controls import RunControls, WrappedLabel
from ..controls.tab_order import order_tab_key
from ..controls.visibility import VisibilityFilter
from ..threads.runner import Runner, Worker
from . import batch_job
from .batch_job import BatchJob, BatchProgress, ObstacleProgress, PlanProgress, Tally
from .batch_opening import OpeningControls, open_item
from .batch_question import ask_about_existing
from .batch_settings import BatchSettings
from .batch_table import BatchTable
from .input_list import InputList

if TYPE_CHECKING:
    import napari.viewer
    from napari.qt.threading import GeneratorWorker

    from ...batch.process import Outcome

_ENDINGS = {
    "done": "done; a double click or Enter on a file opens it with its results",
    "canceled": "canceled; run again to continue",
    "failed": "failed",
}
#: Name of the folder of results beside the files, unless another is chosen.
_FOLDER = "deblurred"
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
        self._failure = self._preset = ""
        self._obstacle: ExistingFileError | None = None
        self._inputs = InputList(name="inputs", label="files")
        self._out = FileEdit(
            name="out",
            label="results folder",
            mode=FileDialogMode.EXISTING_DIRECTORY,
            tooltip="Where results and the report are written; by default beside the files",
        )
        self._settings = BatchSettings(viewer)
        self.pause_button = PushButton(name="pause", text="Pause", enabled=False)
        self.unfold_button = CheckBox(
            text="Settings", tooltip="Task, what is deblurred, names of results, and more"
        )
        self._controls = RunControls(
            "Run",
            run=self.run,
            cancel=self.cancel,
            as_python=self.as_python,
            as_command_line=self.as_command_line,
            beside=[self.pause_button, self.unfold_button],
        )
        self._controls.run_button.tooltip = "Results and a report are written into the folder"
        self._summary = WrappedLabel()
        self.opening = OpeningControls()
        self.table = BatchTable(lambda file: self._controls.attempt(lambda: self.open(file)))
        self._runner: Runner[list[Outcome]] = Runner(
            on_progress=self._show_progress,
            on_result=lambda outcomes: None,
            on_end=self._show_end,
        )
        super().__init__(widgets=[self._inputs, self._out, *self._settings.widgets])
        self._settings.show(False)
        layout = self.native.layout()
        layout.addWidget(self._controls.container.native)
        layout.addWidget(self._summary.native)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.opening.container.native)
        self.native.setMinimumWidth(_WIDTH)
        order_tab_key(self.native)
        self._visibility = VisibilityFilter(self.native, on_show=lambda: align_labels(self))
        self.unfold_button.changed.connect(self._unfold)
        self.pause_button.changed.connect(self._toggle_pause)
        self._inputs.text.native.textChanged.connect(self._preset_folder)
        self._settings.same.changed.connect(
            lambda: self._controls.attempt(self._settings.take_from_deblur)
        )
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
            If no files or folder are chosen, a setting cannot be used, or a batch is running. Files
            that cannot be found are an error of the worker. If files are in the way, it returns
            nothing, and the panel asks what to do.
        """
        return self._start(self._settings.values())

    def _run_with(self, existing: Existing) -> None:
        settings = replace(self._settings.values(), existing=existing)
        self._controls.attempt(lambda: self._start(settings))

    def _start(self, settings: Settings) -> "GeneratorWorker[Any, None, list[Outcome]]":
        if self.busy:
            raise OptionError("a batch is running; wait until it ends or cancel it first")
        job = self._job = BatchJob(self._input_paths(), self._folder(), settings)
        self._failure, self._obstacle = "", None
        worker = self._runner.start(job.steps, "Batch", on_error=self._take_error)
        worker.finished.connect(lambda: self._offer_results(job))
        worker.paused.connect(lambda: self._show_pause(job, "Resume"))
        worker.resumed.connect(lambda: self._show_pause(job, "Pause"))
        self._worker = worker
        self.pause_button.enabled = True
        self._controls.show_running()
        return worker

    def cancel(self) -> None:
        """Stop the current run, if any, at its next tile; finished results stay."""
        self._runner.cancel()

    def open(self, file: int) -> "Worker[Any] | None":
        """Open a file of the current plan, and those of its results that exist.

        Parameters
        ----------
        file : int
            Its number in the plan.

        Returns
        -------
        Worker or None
            A worker of napari, already started; layers are added when it has read them. None before
            the first run.
        """
        if self._job is None or self._job.plan is None:
            return None
        return open_item(self._viewer, self._job.plan.items[file], self._controls.show_error)

    def as_python(self) -> str:
        """Return Python code that does the same as ``run``."""
        return batch_job.as_python(
            self._input_paths(), str(self._folder()), self._settings.values()
        )

    def as_command_line(self) -> str:
        """Return the command line that does the same as ``run``."""
        return batch_job.as_command_line(
            self._input_paths(), str(self._folder()), self._settings.values()
        )

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

    def _unfold(self, shown: bool) -> None:
        self._settings.show(shown)
        align_labels(self)

    def _preset_folder(self, *_: Any) -> None:
        """Offer a folder beside the files, unless the user chose another."""
        current, folder = str(self._out.line_edit.value).strip(), self._inputs.folder
        if folder is not None and current in ("", ".", self._preset):
            self._preset = str(folder / _FOLDER)
            self._out.line_edit.value = self._preset

    def _show_progress(self, progress: Progress) -> None:
        self._controls.show_progress(progress)
        if isinstance(progress, PlanProgress):
            self._tally = Tally(len(progress.plan.items))
            self._summary.set_text(self._tally.text())
            self.table.show_plan(progress.plan)
        elif isinstance(progress, ObstacleProgress):
            self._obstacle = progress.error
        if not isinstance(progress, BatchProgress):
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

    def _take_error(self, error: Exception) -> None:
        self._failure = str(error)

    def _offer_results(self, job: BatchJob) -> None:
        if job is self._job and job.plan is not None:
            self.opening.show_folder(job.plan.folder)

    def _show_end(self, ending: str) -> None:
        self.pause_button.enabled = False
        self.pause_button.native.setText("Pause")
        if self._obstacle is not None:
            self._controls.show_error(str(self._obstacle))
            ask_about_existing(self.native, self._obstacle, self._run_with)
        elif self._failure:
            self._controls.show_error(self._failure)
        else:
            self._controls.show_end(_ENDINGS[ending], complete=ending == "done")

    def _toggle_pause(self) -> None:
        self._worker.toggle_pause()
