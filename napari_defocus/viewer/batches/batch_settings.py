"""Controls for the settings of a batch, folded until they are asked for."""

from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox, LineEdit, PushButton, Widget

from ...batch.settings import Settings
from ...errors import OptionError
from ..controls.compute_controls import ComputeControls
from ..controls.model_choice import ModelChoice
from ..deblurring.deblur_controls import DeblurControls

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from ..deblurring.deblur import DeblurWidget

_TASKS = {"deblur": "deblur", "blur map": "map", "both": "both", "focus of stacks": "focus"}


class BatchSettings:
    """Controls for the task, deblurring, models, names of results, and computing.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer in whose docks the settings of *Deblur* are looked for.
    """

    def __init__(self, viewer: "Viewer") -> None:
        self._viewer = viewer
        self.task = ComboBox(
            name="task",
            choices=list(_TASKS.items()),
            tooltip="deblur: a sharper image; blur map: blur radii and confidence; both: all of "
            "them; focus of stacks: a table of the best planes",
        )
        self.same = PushButton(
            name="same_as_deblur",
            text="Use settings of Deblur",
            tooltip="Take over the settings of the step Deblur, as they are now",
        )
        self.deblur = DeblurControls()
        self.model = ModelChoice("deblur", name="model", label="deblur model")
        self.map_model = ModelChoice("single", name="map_model", label="map model")
        self.dual_pixel = CheckBox(
            name="dual_pixel",
            label="",
            text="Both dual-pixel views",
            tooltip="Estimate the map from both halves of Canon dual-pixel raw files",
        )
        self.neighbors = ComboBox(
            name="stack_axis",
            label="neighbor planes",
            choices=[("not used", None), ("along Z", "auto")],
            nullable=False,
            tooltip="Planes of z-stacks of micrographs help each other. along Z: along the axis Z, "
            "or the only axis of planes; other files are listed as failed",
        )
        self.pattern = LineEdit(
            name="pattern",
            label="file names",
            value=Settings.pattern,
            tooltip="Name of each result, made of {name} of the input, {what} it is, and {suffix}",
        )
        self.existing = ComboBox(
            name="existing",
            label="if a result exists",
            choices=[
                ("ask", "refuse"),
                ("keep it", "keep"),
                ("replace it", "replace"),
                ("keep both (-2)", "beside"),
            ],
            tooltip="For files of these names that no batch has made, that were changed since, or "
            "that were made with other settings",
        )
        self.compute = ComputeControls()
        self.model.names.changed.connect(self.deblur.follow_model)
        self.task.changed.connect(self._follow_task)
        self.show(False)

    @property
    def widgets(self) -> list[Widget]:
        """The controls, from top to bottom."""
        return [*self._first, *self.compute.widgets]

    @property
    def _first(self) -> list[Widget]:
        return [
            self.task,
            self.same,
            *self.deblur.widgets,
            self.model,
            self.map_model,
            self.dual_pixel,
            self.neighbors,
            self.pattern,
            self.existing,
            self.compute.values.imaging,
        ]

    def show(self, shown: bool) -> None:
        """Unfold or fold the controls."""
        for widget in (*self._first, self.compute.more):
            widget.visible = shown
        self.compute.more.value = shown and self.compute.more.value
        if shown:
            self._follow_task()

    def values(self) -> Settings:
        """Return the settings as chosen.

        Raises
        ------
        OptionError
            If one of them is not accepted.
        """
        return Settings(
            task=self.task.value,
            deblurring=self.deblur.settings(model=self.model.value, map_model=self.map_model.value),
            dual_pixel=self.dual_pixel.value,
            options=self.compute.options,
            pattern=self.pattern.value,
            existing=self.existing.value,
            stack_axis=self.neighbors.value if self._sharpens else None,
        )

    def take_from_deblur(self) -> None:
        """Take over the settings of the step *Deblur* of a dock, or of the widget.

        Raises
        ------
        OptionError
            If none of them is open.
        """
        step = self._find_deblur()
        compute = self.compute
        placed = (compute.device, compute.precision, compute.tile)
        for control in (*self.deblur.widgets, self.model, *compute.settings, *placed):
            control.value = getattr(step, control.name).value
        self.neighbors.value = None if step.neighbors.axis is None else "auto"

    def _find_deblur(self) -> "DeblurWidget":
        from ..deblurring.deblur import DeblurWidget
        from ..dock.dock import DefocusDock

        window = getattr(self._viewer, "window", None)
        for widget in () if window is None else window.dock_widgets.values():
            if isinstance(widget, DeblurWidget):
                return widget
            if isinstance(widget, DefocusDock):
                step = widget.step("Deblur")
                assert isinstance(step, DeblurWidget)
                return step
        raise OptionError("Deblur is not open; open the dock Defocus and set its step Deblur first")

    def _follow_task(self, *_: Any) -> None:
        """Enable what the task uses."""
        for widget in (*self.deblur.widgets, self.model, self.same, self.neighbors):
            widget.enabled = self._sharpens
        if self._sharpens:
            self.deblur.follow_model(self.model.value)

    @property
    def _sharpens(self) -> bool:
        """Whether the task restores images."""
        return self.task.value in ("deblur", "both")
