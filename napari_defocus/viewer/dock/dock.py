"""Dock with all steps from an image to a checked result; their code is loaded once it is shown."""

from collections.abc import Generator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from magicgui.widgets import Container, PushButton, RadioButtons, Widget
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QScrollArea, QSizePolicy, QTabWidget

from ...inference.engine import Progress
from ..controls.loading import loading_label
from ..controls.tab_order import order_tab_key
from ..controls.visibility import VisibilityFilter
from ..threads.runner import Worker

if TYPE_CHECKING:
    import napari.viewer
    from napari.viewer import Viewer

    from ..controls.choices import LayerChoice
    from ..controls.objective_controls import ObjectiveControls
    from .dock_steps import DockSteps

#: Names of the tabs, and modules with their code.
_TABS = {
    "Map": "..mapping.defocus_map",
    "Edit": "..editing.edit",
    "Deblur": "..deblurring.deblur",
    "Check": "..checking.check",
    "Refocus": "..refocusing.refocus",
    "Stack": "..stacking.focus_stack",
}
#: Smallest height of a step, in pixels; what does not fit is scrolled to.
_HEIGHT = 200
#: Smallest width, in pixels, in which no step is cut off.
_WIDTH = 372


class DefocusDock(Container[Widget]):
    """Steps *Map*, *Edit*, *Deblur*, *Check*, *Refocus* and *Stack* for one image, in tabs.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer that the widget is docked in; napari passes it.

    Examples
    --------
    In napari's console::

        _, dock = viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus")
        dock.image.value = viewer.layers["photo"]
        worker = dock.step("Deblur").run()
    """

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:
        self._viewer = viewer
        self._loaded: DockSteps | None = None
        self._is_gone = False
        self._active = viewer.layers.selection.active
        super().__init__()
        self._tabs = QTabWidget()
        self._areas = {name: _scroll_area() for name in _TABS}
        for name, area in self._areas.items():
            self._tabs.addTab(area, name)
        self._batch = PushButton(
            name="batch", text="Batch…", tooltip="The same for many files, in a panel of its own"
        )
        self._batch.changed.connect(self._open_batch)
        self.native.setMinimumWidth(_WIDTH)
        layout = self.native.layout()
        layout.addWidget(self._tabs, 1)
        layout.addWidget(self._batch.native)
        self._showing = VisibilityFilter(self.native, on_show=self._show)
        self._tabs.currentChanged.connect(self._change_step)
        self.native.destroyed.connect(self._abandon)

    @property
    def viewer(self) -> "Viewer":
        """Viewer with the layers; results are added to it."""
        return self._viewer

    @property
    def image(self) -> "LayerChoice":
        """Choice of the image that all steps work on."""
        return self._load_steps().image

    @property
    def imaging(self) -> RadioButtons:
        """Choice of what the image is taken for: photograph or microscopy."""
        return self._load_steps().imaging

    @property
    def objective(self) -> "ObjectiveControls":
        """Fields for the objective of the microscope, if the image is a micrograph."""
        return self._load_steps().objective

    def step(self, name: str) -> Any:
        """Return the widget of a step, which is made when it is first asked for.

        Parameters
        ----------
        name : {"Map", "Edit", "Deblur", "Check", "Refocus", "Stack"}
            Name of its tab.
        """
        return self._load_steps().step(name)

    def open_step(self, name: str) -> Any:
        """Show the tab of a step; return its widget."""
        self._tabs.setCurrentIndex(list(_TABS).index(name))
        return self.step(name)

    def cancel(self) -> None:
        """Stop what is running."""
        if self._loaded is not None:
            self._loaded.cancel()

    def _load_steps(self) -> "DockSteps":
        """Return what acts on the image; load its code now if that is not done yet."""
        if self._loaded is None:
            from .dock_steps import DockSteps

            self._loaded = DockSteps(self._viewer, self._areas, self.native)
            self.insert(0, self._loaded.image)
            self.insert(1, self._loaded.imaging)
            self.native.layout().insertWidget(2, self._loaded.objective.container.native)
            self._loaded.start(self._active)
            self._active = None
        return self._loaded

    def _show(self) -> None:
        """Make the step that is shown, once a thread has prepared for it."""
        if self._loaded is not None:
            self._begin()
            return
        loading = Worker(self._prepare)
        loading.returned.connect(self._begin)
        loading.start()

    def _prepare(self) -> Generator[Progress, None, None]:
        """Load the code of the steps, one after another, and look at the colors of the image."""
        for module in (".dock_steps", *_TABS.values()):
            yield Progress(0, 0)
            import_module(module, __package__)
        from .dock_steps import look_at_selected

        yield Progress(0, 0)
        look_at_selected(self._viewer, self._active)

    def _begin(self, *_: Any) -> None:
        if self._is_gone:
            return
        steps = self._load_steps()
        order_tab_key(self.native)  # with the buttons that magicgui made anew in the dock
        steps.begin(self._tabs.tabText(self._tabs.currentIndex()))

    def _change_step(self, index: int) -> None:
        """Begin to make the step that is shown, and use edits that were painted before."""
        if self._loaded is not None:
            self._loaded.leave_edits(self._tabs.tabText(index))
            self._loaded.begin(self._tabs.tabText(index))

    def _open_batch(self) -> None:
        self._viewer.window.add_plugin_dock_widget("napari-defocus", "Batch", tabify=True)

    def _abandon(self, *_: Any) -> None:
        self._is_gone = True


def _scroll_area() -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it follows the control that has the focus
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumHeight(_HEIGHT)
    area.setWidget(loading_label())
    area.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
    return area
