"""Dock with all steps from an image to a checked result, which act on one image and one map."""

import sys
from collections.abc import Generator
from contextlib import suppress
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from magicgui.widgets import Container, PushButton, RadioButtons, Widget
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QRadioButton, QScrollArea, QSizePolicy, QTabWidget, QVBoxLayout, QWidget

from ..errors import DefocusError
from ..inference.engine import Progress
from ..options import IMAGINGS, Options
from .choices import LayerChoice, NewestChoice, is_image, selected_image
from .image_source import image_source
from .kind_of_image import KindOfImage, kind_of_image
from .runner import Worker
from .visibility import VisibilityFilter

if TYPE_CHECKING:
    import napari.viewer
    from napari.layers import Image
    from napari.viewer import Viewer

#: Modules and classes of the steps, which are imported when a step is first shown.
_STEPS = {
    "Map": ("defocus_map", "DefocusMapWidget"),
    "Edit": ("edit", "EditWidget"),
    "Deblur": ("deblur", "DeblurWidget"),
    "Check": ("check", "CheckWidget"),
    "Refocus": ("refocus", "RefocusWidget"),
    "Stack": ("focus_stack", "FocusStackWidget"),
}
#: Smallest height of a step, in pixels; what does not fit is scrolled to.
_HEIGHT = 200
#: Smallest width, in pixels, in which no step is cut off.
_WIDTH = 372
_LIST_EVENTS = ("inserted", "removed", "reordered", "renamed")


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
        self._steps: dict[str, Any] = {}  # their controls are attributes that magicgui makes
        self._kind: KindOfImage | None = None
        self._image = LayerChoice(viewer, is_image, name="image", tooltip="Layer to work on")
        self._imaging = RadioButtons(
            name="imaging", label="it is a", choices=IMAGINGS, orientation="horizontal"
        )
        self._batch = PushButton(
            name="batch", text="Batch…", tooltip="The same for many files, in a panel of its own"
        )
        super().__init__(widgets=[self._image, self._imaging])
        self._tabs = QTabWidget()
        for name in _STEPS:
            self._tabs.addTab(_scroll_area(), name)
        self.native.setMinimumWidth(_WIDTH)
        layout = self.native.layout()
        layout.addWidget(self._tabs, 1)
        layout.addWidget(self._batch.native)
        self._showing = VisibilityFilter(self.native, on_show=self._prepare)
        self._tabs.currentChanged.connect(self._change_step)
        self._image.changed.connect(self._follow_image)
        self._imaging.changed.connect(self._share_kind)
        self._batch.changed.connect(self._open_batch)
        for event in _LIST_EVENTS:
            getattr(viewer.layers.events, event).connect(self._update_choices)
        self.native.destroyed.connect(self._abandon)
        image = selected_image(viewer)
        if image is not None:
            self._image.value = image
        self._follow_image(self._image.value)
        self._first = QTimer(self.native)
        self._first.setSingleShot(True)
        self._first.timeout.connect(
            lambda: self.step(self._tabs.tabText(self._tabs.currentIndex()))
        )

    @property
    def viewer(self) -> "Viewer":
        """Viewer with the layers; results are added to it."""
        return self._viewer

    def step(self, name: str) -> Any:
        """Return the widget of a step, which is made when it is first asked for.

        Parameters
        ----------
        name : {"Map", "Edit", "Deblur", "Check", "Refocus", "Stack"}
            Name of its tab.
        """
        if name not in self._steps:
            self._steps[name] = self._make_step(name)
        return self._steps[name]

    def open_step(self, name: str) -> Any:
        """Show the tab of a step; return its widget."""
        self._tabs.setCurrentIndex(list(_STEPS).index(name))
        return self.step(name)

    def cancel(self) -> None:
        """Stop what is running."""
        for step in self._steps.values():
            step.cancel()

    def _change_step(self, index: int) -> None:
        """Make the step that is shown, and use edits that were painted before."""
        if "Edit" in self._steps and self._tabs.tabText(index) != "Edit":
            self._steps["Edit"].use_pending()
        self.step(self._tabs.tabText(index))

    def _make_step(self, name: str) -> Any:
        module, widget = _STEPS[name]
        step: Any = getattr(import_module(f".{module}", __package__), widget)(self._viewer)
        step.hide_shared_choices()
        if self._image.value is not None:
            step.image.value = self._image.value
        if hasattr(step, "imaging"):
            step.imaging.value = self._chosen_kind()
        if name == "Deblur":
            step.keep_maps()
        step.image.changed.connect(self._take_image)
        defocus = getattr(step, "defocus", None)
        if isinstance(defocus, NewestChoice):
            for other in self._map_choices():
                defocus.value = other.value
            defocus.changed.connect(self._share_map)
        area = self._tabs.widget(list(_STEPS).index(name))
        assert isinstance(area, QScrollArea)
        area.setWidget(_top_aligned(step.native))
        return step

    def _follow_image(self, image: "Image | None") -> None:
        """Let all steps work on an image, as what it seems to be."""
        self._kind = None
        if image is not None:
            with suppress(DefocusError):  # a run reports images that cannot be used
                self._kind = kind_of_image(image_source(image), Options())
        if self._kind is not None:
            with self._imaging.changed.blocked():
                self._imaging.value = self._kind.imaging
            self._imaging.tooltip = (
                f"Taken for {self._kind.imaging}: {self._kind.reason}. A photograph has display "
                "values; in microscopy values are proportional to light"
            )
        for step in self._steps.values():
            if image in step.image.choices:
                step.image.value = image
        self._share_kind()

    def _take_image(self, image: "Image | None") -> None:
        """Follow a step whose image was set by a script."""
        if image is not self._image.value:
            self._image.value = image

    def _chosen_kind(self) -> str:
        """Return "auto" where the switch stands as the image says."""
        as_preset = self._kind is None or self._imaging.value == self._kind.imaging
        return "auto" if as_preset else str(self._imaging.value)

    def _share_kind(self, *_: Any) -> None:
        for step in self._steps.values():
            if hasattr(step, "imaging"):
                step.imaging.value = self._chosen_kind()

    def _share_map(self, chosen: Any) -> None:
        """Let all steps work with the map that was chosen in one of them."""
        for choice in self._map_choices():
            if chosen in choice.choices:
                choice.value = chosen

    def _map_choices(self) -> list[NewestChoice]:
        """Return the choices of a map in the steps that were made."""
        choices = (getattr(step, "defocus", None) for step in self._steps.values())
        return [choice for choice in choices if isinstance(choice, NewestChoice)]

    def _prepare(self) -> None:
        """Make the step that is shown when the window has time, and load the others' code."""
        self._order_tab_key()
        self._first.start()
        if any(f"{__package__}.{module}" not in sys.modules for module, _ in _STEPS.values()):
            Worker(_load_steps).start()

    def _order_tab_key(self) -> None:
        """Lead the Tab key from the image to its kind, and on to the steps.

        magicgui makes the buttons of the kind anew when the dock gets its parent.
        """
        kinds = self._imaging.native.findChildren(QRadioButton)
        order = [self._image.native, *kinds, self._tabs, self._tabs.tabBar()]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _open_batch(self) -> None:
        self._viewer.window.add_plugin_dock_widget("napari-defocus", "Batch", tabify=True)

    def _update_choices(self, *_: Any) -> None:
        self._image.reset_choices()

    def _abandon(self, *_: Any) -> None:
        for event in _LIST_EVENTS:
            getattr(self._viewer.layers.events, event).disconnect(self._update_choices)


def _load_steps() -> Generator[Progress, None, None]:
    """Load the code of the steps, one after another."""
    for module, _ in _STEPS.values():
        yield Progress(0, 0)
        import_module(f".{module}", __package__)


def _top_aligned(panel: QWidget) -> QWidget:
    """Return a widget with a panel at its top, whose rows are not spread over its height."""
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(panel)
    layout.addStretch(1)
    return holder


def _scroll_area() -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumHeight(_HEIGHT)
    area.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
    return area
