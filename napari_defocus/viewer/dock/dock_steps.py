"""Steps of a dock, which act on one image, as one kind of image, of one objective, by one map."""

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from magicgui.widgets import RadioButtons
from qtpy.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from ...errors import DefocusError
from ...options import IMAGINGS, Options
from ..checking.check import CheckWidget
from ..controls.choices import LayerChoice, NewestChoice
from ..controls.loading import loading_label
from ..controls.objective_controls import ObjectiveControls
from ..controls.pieces import GrowthTimer
from ..controls.tab_order import order_tab_key
from ..deblurring.deblur import DeblurWidget
from ..editing.edit import EditWidget
from ..layers.image_source import image_source
from ..layers.kind_of_image import KindFinder, KindOfImage, kind_of_image
from ..layers.origin import origin_of
from ..mapping.defocus_map import DefocusMapWidget
from ..maps.layer_kinds import is_image, selected_image
from ..refocusing.refocus import RefocusWidget
from ..stacking.focus_stack import FocusStackWidget

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from napari.viewer import Viewer

_WIDGETS: dict[str, type[Any]] = {
    "Map": DefocusMapWidget,
    "Edit": EditWidget,
    "Deblur": DeblurWidget,
    "Check": CheckWidget,
    "Refocus": RefocusWidget,
    "Stack": FocusStackWidget,
}
#: Settings that say what of an image is worked on, and how its values are read; black and white
#: come before the choice that would fill them.
_SHARED = ("planes", "encoding", "black", "white", "value_range", "range_axis", "nodata")
_LIST_EVENTS = ("inserted", "removed", "reordered", "renamed")


class DockSteps:
    """Steps of a dock, made when they are first asked for, and what they share.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer with the layers.
    areas : dict of str to QScrollArea
        Places of the steps, by their names.
    panel : QWidget
        The dock, in which the Tab key leads through the steps too.
    """

    def __init__(self, viewer: "Viewer", areas: dict[str, QScrollArea], panel: QWidget) -> None:
        self._viewer, self._areas, self._panel = viewer, areas, panel
        self._steps: dict[str, Any] = {}  # their controls are attributes that magicgui makes
        self._growing: dict[str, tuple[Any, GrowthTimer]] = {}
        self._kind: KindOfImage | None = None
        self._kinds = KindFinder(lambda: self._show_kind(self.image.value))
        self.image = LayerChoice(viewer, is_image, name="image", tooltip="Layer to work on")
        self.imaging = RadioButtons(
            name="imaging", label="kind", choices=IMAGINGS, orientation="horizontal"
        )
        self.objective = ObjectiveControls(self._share_optics)

    def start(self, active: "Layer | None") -> None:
        """Follow the layers, now that the choices stand in the dock; begin with an active one."""
        image = selected_image(self._viewer, active)
        if image is not None:
            self.image.value = image
        self._follow_image(self.image.value)
        self.image.changed.connect(self._follow_image)
        self.imaging.changed.connect(self._share_kind)
        for event in _LIST_EVENTS:
            getattr(self._viewer.layers.events, event).connect(self._update_choices)
        self._viewer.layers.events.inserted.connect(self._take_new)
        self.image.native.destroyed.connect(self._abandon)

    def begin(self, name: str) -> None:
        """Make a step whenever the window has time, unless it is there or under way."""
        if name in self._steps or name in self._growing:
            return
        step = _WIDGETS[name](self._viewer, at_once=False)
        loading = loading_label()
        self._areas[name].setWidget(_top_aligned(loading, step.native))
        timer = GrowthTimer(step, lambda: self._adopt(name), loading)
        self._growing[name] = step, timer

    def step(self, name: str) -> Any:
        """Return a step, complete."""
        self.begin(name)
        if name in self._growing:
            self._growing[name][1].finish()
        return self._steps[name]

    def cancel(self) -> None:
        """Stop what is running."""
        for step in self._steps.values():
            step.cancel()

    def leave_edits(self, name: str) -> None:
        """Use edits that were painted, before another step is shown."""
        if "Edit" in self._steps and name != "Edit":
            self._steps["Edit"].use_pending()

    def _adopt(self, name: str) -> None:
        """Let a step that is complete share image, kind of image and map with the others."""
        step, _ = self._growing.pop(name)
        self._steps[name] = step
        step.hide_shared_choices()
        if self.image.value is not None:
            step.image.value = self.image.value
        if hasattr(step, "imaging"):
            step.imaging.value = self._chosen_kind()
            step.optics.value = self.objective.text
        for setting in _SHARED:
            self._share_setting(setting, step)
        if name == "Deblur":
            step.keep_maps()
        step.image.changed.connect(self._take_image)
        defocus = getattr(step, "defocus", None)
        if isinstance(defocus, NewestChoice):
            for other in self._map_choices():
                defocus.value = other.value
            defocus.changed.connect(self._share_map)
        order_tab_key(self._panel)

    def _follow_image(self, image: "Image | None") -> None:
        """Let all steps work on an image, as what it seems to be."""
        for step in self._steps.values():
            if image not in step.image.choices:
                step.image.reset_choices()
            if image in step.image.choices:
                step.image.value = image
        self.objective.follow(image)
        self._show_kind(image)

    def _show_kind(self, image: "Image | None") -> None:
        """Preset the switch by what an image seems to be, as soon as that is known."""
        self._kind = None
        if image is not None:
            with suppress(DefocusError):
                self._kind = self._kinds.find(image_source(image), Options())
        if self._kind is not None:
            with self.imaging.changed.blocked():
                self.imaging.value = self._kind.imaging
            self.imaging.tooltip = (
                f"Taken for {self._kind.imaging}: {self._kind.reason}. A photograph has display "
                "values; in microscopy values are proportional to light"
            )
        self._share_kind()

    def _take_image(self, image: "Image | None") -> None:
        """Follow a step whose image was set by a script."""
        if image is not self.image.value:
            self.image.value = image

    def _chosen_kind(self) -> str:
        """Return "auto" where the switch stands as the image says."""
        as_preset = self._kind is None or self.imaging.value == self._kind.imaging
        return "auto" if as_preset else str(self.imaging.value)

    def _share_kind(self, *_: Any) -> None:
        for step in self._steps.values():
            if hasattr(step, "imaging"):
                step.imaging.value = self._chosen_kind()
        self.objective.container.visible = self.imaging.value == "microscopy"

    def _share_optics(self, optics: str) -> None:
        for step in self._steps.values():
            if hasattr(step, "optics"):
                step.optics.value = optics

    def _share_setting(self, setting: str, step: Any) -> None:
        """Let a setting of a step follow that of the others, and these follow it."""
        control = getattr(step, setting, None)
        if control is None:
            return
        for other in self._steps.values():
            if other is not step and hasattr(other, setting):
                control.value = getattr(other, setting).value
        control.changed.connect(partial(self._set_everywhere, setting))

    def _set_everywhere(self, setting: str, value: Any) -> None:
        for step in self._steps.values():
            control = getattr(step, setting, None)
            if control is not None and control.value != value:
                control.value = value

    def _share_map(self, chosen: Any) -> None:
        """Let all steps work with the map that was chosen in one of them."""
        for choice in self._map_choices():
            if chosen in choice.choices:
                choice.value = chosen

    def _map_choices(self) -> list[NewestChoice]:
        """Return the choices of a map in the steps that were made."""
        choices = (getattr(step, "defocus", None) for step in self._steps.values())
        return [choice for choice in choices if isinstance(choice, NewestChoice)]

    def _update_choices(self, *_: Any) -> None:
        self.image.reset_choices()

    def _take_new(self, event: Any) -> None:
        """Leave an image that is hidden, as references of samples are, for one that is shown."""
        layer, image = event.value, self.image.value
        is_hidden = image is not None and not image.visible
        if is_hidden and layer.visible and is_image(layer) and origin_of(layer) is None:
            self.image.value = layer

    def _abandon(self, *_: Any) -> None:
        self._kinds.stop()
        self.objective.leave()
        self._viewer.layers.events.inserted.disconnect(self._take_new)
        for event in _LIST_EVENTS:
            getattr(self._viewer.layers.events, event).disconnect(self._update_choices)


def look_at_selected(viewer: "Viewer", active: "Layer | None") -> None:
    """Look at the colors of the image that a dock begins with, which is remembered."""
    image = selected_image(viewer, active)
    if image is not None:
        with suppress(DefocusError):
            kind_of_image(image_source(image), Options())


def _top_aligned(*panels: QWidget) -> QWidget:
    """Return a widget with panels at its top, whose rows are not spread over its height."""
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    for panel in panels:
        layout.addWidget(panel)
    layout.addStretch(1)
    return holder
