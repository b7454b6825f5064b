"""Check widget: marks detail of a sharp picture that its image does not support."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from magicgui.widgets import FloatSlider, Select

from ...errors import OptionError
from ...evidence.check_result import CLEAR_SCORE, FALSE_ALARMS, Check
from ...evidence.regions import Region
from ...jobs import CheckJob
from ...options import Options
from ..controls.choices import map_choice, sharp_choice
from ..controls.pieces import Pieces
from ..controls.run_controls import WrappedLabel
from ..controls.task_widget import Task, TaskWidget
from ..layers.image_source import image_source
from ..layers.window import Window
from .check_job import CheckLayerJob, CheckResult
from .check_overlay import flagged_layer

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

#: Height of the list of places, in pixels.
_PLACES_HEIGHT = 150
#: Sides of the part that is shown around a place, in sides of the place.
_SURROUNDINGS = 4
#: Side in screen pixels of the part of the canvas that the surroundings fill.
_CANVAS = 500.0
#: Most places that are listed.
_MOST_PLACES = 50


@dataclass(frozen=True)
class _Findings:
    """A check, the layer that shows it, and where in the image it begins."""

    check: Check
    overlay: "Labels"
    first_pixel: tuple[int, ...]

    def by_rate(self, rate: float) -> "_Findings":
        """Return the same check by another rate of false alarms, which the layer then shows."""
        check = self.check.with_false_alarms(rate)
        self.overlay.data = check.invented.astype(np.uint8)
        return replace(self, check=check)


class CheckWidget(TaskWidget[CheckResult]):
    """Check a sharp layer against the layer of the image that it was made from.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer that the widget is docked in; napari passes it.

    Examples
    --------
    In napari's console::

        _, widget = viewer.window.add_plugin_dock_widget("napari-defocus", "Check")
        widget.image.value = viewer.layers["photo"]
        widget.sharp.value = viewer.layers["photo deblurred"]
        worker = widget.run()
    """

    def _build(self, viewer: "Viewer") -> Pieces:
        self._findings: WeakKeyDictionary[Image, _Findings] = WeakKeyDictionary()
        self._rate = FALSE_ALARMS
        self._sharp = sharp_choice(
            viewer,
            none="choose one",
            tooltip="A layer of the same size that claims to show the image sharply",
        )
        self._defocus = map_choice(
            viewer,
            tooltip="Blur radii in pixels of the image",
        )
        self._false_alarms = FloatSlider(
            name="false_alarms",
            label="false alarms",
            value=FALSE_ALARMS,
            min=0.005,
            max=0.2,
            step=0.005,
            tooltip="Share of honest pixels that may be flagged; acts on a finished check at once",
        )
        self._verdict, self._legend = WrappedLabel(), WrappedLabel()
        self._places = Select(
            choices=[],
            tooltip="Score, place and size. In an honest picture, hardly any place has a score "
            f"of {CLEAR_SCORE:g}",
        )
        yield
        yield from self._build_task(
            Task(
                verb="Check",
                doing="Checking",
                models="single",
                inputs=[self._sharp, self._defocus],
                settings=[self._false_alarms],
            )
        )
        self._places.native.setFixedHeight(_PLACES_HEIGHT)
        self._controls.add_results(self._verdict, self._legend, self._places)
        self._places.visible = self._legend.visible = self._verdict.visible = False
        for choice in (self._sharp, self._defocus):
            self._image.changed.connect(choice.follow)
            choice.follow(self._image.value)
        self._image.changed.connect(self._show_findings)
        self._false_alarms.changed.connect(self._change_rate)
        self._places.changed.connect(self._show_place)

    @property
    def check(self) -> Check | None:
        """The last check of the image, by the rate of false alarms that is set now."""
        findings = self._current
        return None if findings is None else findings.check

    @property
    def verdict(self) -> WrappedLabel:
        """What the last check has found, in a sentence."""
        return self._verdict

    @property
    def legend(self) -> WrappedLabel:
        """What the color of the overlay means."""
        return self._legend

    @property
    def regions(self) -> Select:
        """List of the places that the image does not support."""
        return self._places

    @property
    def _current(self) -> "_Findings | None":
        """The last check of the image, with what is flagged by the rate that is set now."""
        image = self._image.value
        findings = None if image is None else self._findings.get(image)
        if findings is not None and findings.check.false_alarms != self._rate:
            findings = findings.by_rate(self._rate)
            self._findings[image] = findings
        return findings

    def _job(self, window: Window) -> CheckLayerJob:
        image, sharp = self._layer(), self._sharp.value
        if sharp is None:
            raise OptionError(
                "no sharp picture is chosen; choose one under 'sharp picture', or deblur the image "
                "first"
            )
        same = sharp.data.shape == image.data.shape
        return CheckLayerJob(
            image=self._source(window),
            options=self._compute.options,
            sharp=image_source(sharp, window if same else None),
            **self._defocus.map_inputs(image, window),
            mask=self._region.mask(image, window),
            model=self._model.value,
            false_alarms=self._false_alarms.value,
        )

    def _auto_job(self, blank: Any, options: Options) -> CheckJob:
        return CheckJob(blank, blank, options=options)

    def _add_result(self, result: CheckResult) -> None:
        check = result.check.with_false_alarms(self._rate)
        overlay = flagged_layer(check.invented, result, self._template)
        self._viewer.add_layer(overlay)
        image = None if self._template.image is None else self._template.image.layer()
        if image is not None:
            self._findings[image] = _Findings(check, overlay, self._first_pixel)

    def _show_result(self, result: CheckResult) -> None:
        self._show_findings()

    def _change_rate(self, rate: float) -> None:
        """Flag pixels by another rate of false alarms; scores stay."""
        self._rate = rate
        self._show_findings()

    def _show_findings(self, *_: Any) -> None:
        """Show what the last check of the chosen image has found; nothing if there was none."""
        findings = self._current
        self._verdict.visible = self._legend.visible = findings is not None
        if findings is None:
            self._places.visible = False
            return
        check = findings.check
        self._verdict.set_text(f"{check.verdict[0].upper()}{check.verdict[1:]}.")
        listed = (check.clear_regions or check.regions)[:_MOST_PLACES]
        with self._places.changed.blocked():
            self._places.choices = [
                (_describe(region, findings.first_pixel), region) for region in listed
            ]
            self._places.value = []
        self._legend.set_text(legend(check, len(listed)))
        self._places.visible = bool(listed)

    def _show_place(self, chosen: list[Region]) -> None:
        """Move the view to the place that was clicked last."""
        findings = self._current
        if not chosen or findings is None:
            return
        region, layer = chosen[-1], findings.overlay
        middle = (region.top + region.bottom - 1) / 2, (region.left + region.right - 1) / 2
        center = layer.data_to_world((*region.plane, *middle))
        for axis in self._viewer.dims.not_displayed:
            self._viewer.dims.set_point(axis, center[axis - self._viewer.dims.ndim])
        side = max(region.bottom - region.top, region.right - region.left)
        world = side * float(np.abs(layer.scale[-1])) * _SURROUNDINGS
        displayed, camera = self._viewer.dims.displayed, self._viewer.scene.camera
        camera.center = [center[axis - self._viewer.dims.ndim] for axis in displayed]
        camera.zoom = _CANVAS / world


def legend(check: Check, listed: int) -> str:
    """Return what is flagged, which places are listed, and how many others may be chance."""
    flagged, clear = len(check.regions), len(check.clear_regions)
    if not flagged:
        return "Nothing is flagged."
    if not clear:
        places = f"None reaches the score of {CLEAR_SCORE:g} of a clear one: all may be chance."
        places += f" Listed: the {listed} strongest of {flagged}." if listed < flagged else ""
    else:
        which = f"the {listed} clearest of {clear}" if listed < clear else f"{clear} clear"
        places = f"Listed: {which}, with a score of {CLEAR_SCORE:g} or more."
        places += f" {flagged - clear} more may be chance." if flagged > clear else ""
    return f"Magenta: flagged as not supported by the image. {places} Click one to look at it."


def _describe(region: Region, start: tuple[int, ...]) -> str:
    """Return where a region lies in its layer, of which the part begins at `start`."""
    *planes, row, column = map(
        sum, zip((*region.plane, region.top, region.left), start, strict=True)
    )
    plane = f"plane {', '.join(map(str, planes))}, " if planes else ""
    size = f"{region.right - region.left} x {region.bottom - region.top} px"
    return f"{region.strength:.1f}: {plane}row {row}, column {column}, {size}"
