"""Focus Stack widget: best plane of a stack, picture sharp everywhere, depth."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox, Container, PushButton, Widget

from ...errors import OptionError
from ...jobs import EstimateJob
from ...options import Options
from ...views import Views
from ..controls.pieces import Pieces
from ..controls.task_widget import Task, TaskWidget
from ..layers.axes import axis_name
from ..layers.regions import spatial_shape
from ..layers.results import layer_template
from ..layers.window import Window
from ..threads.runner import Worker
from .shown_profile import ShownProfile
from .stack_jobs import FocusLayerJob, FocusResult, MergeLayerJob, MergeResult
from .stack_results import merged_layers

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

_ALIGN = [
    ("auto", "auto"),
    ("not at all", "none"),
    ("shift", "shift"),
    ("shift, scale, rotation", "similarity"),
]
_DEPTH_COLORS = (
    "in the depth map, dark lies at the first planes and yellow at the last ones; what is not sure "
    "is left out"
)
#: Shown for an image without planes.
_SINGLE = "A single plane: choose a stack, with an axis before Y and X."


class FocusStackWidget(TaskWidget[FocusResult | MergeResult]):
    """Find the best plane of a stack layer, and merge its planes.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer that the widget is docked in; napari passes it.

    Examples
    --------
    In napari's console::

        _, widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Focus Stack")
        widget.image.value = viewer.layers["stack"]
        worker = widget.run()  # the profile
        worker = widget.merge()  # the picture and the depth
        widget.profile_view.go_to_best()
    """

    def _build(self, viewer: "Viewer") -> Pieces:
        self._profiled: Image | None = None
        self._merging = self._depth_wanted = False
        self._started: FocusLayerJob | None = None
        self._merged: tuple[Image, Image, FocusLayerJob | None] | None = None
        self._axis = ComboBox(
            name="axis", choices=self._axes, tooltip="Axis along which the focus changes"
        )
        self._align = ComboBox(
            name="align",
            choices=_ALIGN,
            tooltip="How planes may have moved. auto: shift, scale and rotation for photographs, "
            "shift for microscopy; planes that do not clearly move stay as they are",
        )
        self._deblur_rest = CheckBox(
            name="deblur_rest",
            label="",
            text="Deblur the rest",
            tooltip="Deblur what no plane shows sharply",
        )
        self.profile_view = ShownProfile(viewer)
        self.native.destroyed.connect(self.profile_view.close)
        yield
        yield from self._build_task(
            Task(
                verb="Measure focus",
                doing="Working through",
                models="single",
                inputs=[self._axis],
                settings=[self._align, self._deblur_rest],
                stack_axes=1,
            )
        )
        self._buttons = {
            "best": PushButton(text="Go to best plane", enabled=False),
            "merge": PushButton(text="All in focus", tooltip="Merge the planes into one picture"),
            "depth": PushButton(text="Depth map", tooltip="Show in which plane a pixel is sharp"),
            "copy": PushButton(text="Copy table", enabled=False),
        }
        actions = (self.profile_view.go_to_best, self.merge, self._show_depth, self.copy_table)
        for button, action in zip(self._buttons.values(), actions, strict=True):
            button.changed.connect(lambda *_, action=action: self._controls.attempt(action))
        self._rows = [
            _row([self._buttons[name] for name in names])
            for names in (("merge", "depth"), ("best", "copy"))
        ]
        self._controls.add_results(*self._rows, self.profile_view.statement, self.profile_view.plot)
        self._image.changed.connect(self._choose_axis)
        self._choose_axis()

    def run(self) -> Worker[FocusResult | MergeResult]:
        """Measure the profile of the stack."""
        self._merging = False
        return self._start()

    def merge(self) -> Worker[FocusResult | MergeResult]:
        """Merge the planes; picture and depth become new layers."""
        self._merging, self._depth_wanted = True, False
        return self._start()

    def show_depth(self) -> Worker[FocusResult | MergeResult]:
        """Merge the planes, and show the depth above the picture."""
        self._merging = self._depth_wanted = True
        return self._start()

    def _start(self) -> Worker[FocusResult | MergeResult]:
        worker = super().run()
        layer = self._layer()
        window = self._region.window(layer)
        self._template = layer_template(layer, self._window(window))
        self._started = self._job(window)
        return worker

    def copy_table(self) -> None:
        """Copy the table to the clipboard."""
        from qtpy.QtWidgets import QApplication

        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.profile_view.table())
            self._controls.show_note("table copied")

    def _job(self, window: Window) -> FocusLayerJob:
        layer = self._layer()
        if layer.ndim < 3 or self._axis.value is None:
            raise OptionError(
                f"the layer {layer.name!r} is a single plane; choose a stack, with an axis before "
                "Y and X"
            )
        window = self._window(window)
        source = self._source(window)
        common: dict[str, Any] = {
            "axis": int(self._axis.value),
            "model": self._model.value,
            "mask": self._region.mask(layer, window),
        }
        if not self._merging:
            self._profiled = layer
            return FocusLayerJob(source, self._compute.options, **common)
        return MergeLayerJob(
            source,
            self._compute.options,
            align=self._align.value,
            deblur_rest=self._deblur_rest.value,
            **common,
        )

    def _window(self, window: Window) -> Window:
        """Return a region with all planes of the stack."""
        axis = int(self._axis.value)
        start, stop = list(window.start), list(window.stop)
        start[axis], stop[axis] = 0, spatial_shape(self._layer())[axis]
        return Window(tuple(start), tuple(stop))

    def _auto_job(self, blank: Any, options: Options) -> EstimateJob:
        return EstimateJob(Views(blank), options=options)

    def _show_result(self, result: FocusResult | MergeResult) -> None:
        if isinstance(result, FocusResult):
            self.profile_view.show(result, self._profiled)
            for name in ("best", "copy"):
                self._buttons[name].enabled = True
        elif self._depth_wanted:
            self._report.outcome = _DEPTH_COLORS

    def _add_result(self, result: FocusResult | MergeResult) -> None:
        if isinstance(result, FocusResult):
            return  # the panel shows the profile
        depth, image = (self._add(layer) for layer in merged_layers(result, self._template))
        image.visible = depth.colorbar.visible = True
        self._merged = depth, image, self._started
        if self._depth_wanted:
            self._raise_depth(depth, image)

    def _show_depth(self) -> None:
        """Show the depth of the last merging if that is what is chosen now, or merge."""
        self._merging = True
        job = self._job(self._region.window(self._layer()))
        if self._merged is not None:
            depth, image, merged = self._merged
            layers = self._viewer.layers
            if depth in layers and image in layers and job.repeats(merged):
                self._raise_depth(depth, image)
                self._controls.show_note(_DEPTH_COLORS)
                return
        self.show_depth()

    def _raise_depth(self, depth: "Image", image: "Image") -> None:
        depth.visible = True
        layers = self._viewer.layers
        layers.move(layers.index(depth), layers.index(image) + 1)
        layers.selection.active = depth

    def _axes(self, _: Any) -> list[tuple[str, int]]:
        layer: Image | None = self._image.value if hasattr(self, "_image") else None
        if layer is None:
            return []
        return [(axis_name(layer, axis), axis) for axis in range(layer.ndim - 2)]

    def _choose_axis(self, *_: Any) -> None:
        """Offer the axes of the layer, and choose Z, or the last one."""
        self._axis.reset_choices()
        layer: Image | None = self._image.value
        single = layer is not None and layer.ndim < 3
        self.profile_view.explain(_SINGLE if single else "")
        if layer is None or single:
            return
        labels = [str(label).lower() for label in layer.axis_labels[: layer.ndim - 2]]
        self._axis.value = labels.index("z") if "z" in labels else len(labels) - 1


def _row(widgets: Sequence[Widget]) -> Container[Widget]:
    row: Container[Widget] = Container(widgets=widgets, layout="horizontal", labels=False)
    row.margins = (0, 0, 0, 0)
    return row
