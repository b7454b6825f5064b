"""Refocus widget: renders a sharp layer with another focus and aperture."""

import os
from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from magicgui.widgets import CheckBox, ComboBox, FloatSlider, FloatSpinBox

from ...errors import OptionError
from ...jobs import EstimateJob
from ...optics.pupil import NAMED_PUPILS
from ...options import Options
from ...views import Views
from ..controls.choices import map_choice, sharp_choice
from ..controls.pieces import Pieces
from ..controls.task_widget import Task, TaskWidget
from ..files.save_button import SaveButton
from ..layers.geometry import with_leading_axis
from ..layers.image_source import image_source
from ..layers.origin import origin_of
from ..layers.results import METADATA_KEY, picture_layer
from ..layers.window import Window
from ..maps.map_source import MAP_KEY, map_source
from ..threads.runner import Worker
from .focus_pull import FocusPull
from .refocus_job import RefocusLayerJob, RefocusResult

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

_SAME = "the image itself"


class RefocusWidget(TaskWidget[RefocusResult]):
    """Change focus and aperture of a sharp layer, by the map of its image.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer that the widget is docked in; napari passes it.

    Examples
    --------
    In napari's console::

        _, dock = viewer.window.add_plugin_dock_widget("napari-defocus", "Defocus")
        widget = dock.step("Refocus")
        widget.focus.value, widget.aperture.value = 4.0, 1.5
        worker = widget.run()
    """

    has_model = False

    def _build(self, viewer: "Viewer") -> Pieces:
        self._sharp = sharp_choice(
            viewer,
            none=_SAME,
            tooltip="A layer that shows the image sharply, such as a deblurred one",
        )
        self._defocus = map_choice(
            viewer, tooltip="Blur radii in pixels: how far from the plane of focus everything lies"
        )
        self._pick = CheckBox(
            name="pick", label="", text="Click in the picture on what shall be sharp"
        )
        self._focus = FloatSpinBox(
            name="focus",
            label="focus (px)",
            value=0.0,
            min=-10_000.0,
            max=10_000.0,
            step=0.1,
            tooltip="Radius in the map of what shall be sharp; 0 is where the camera focused",
        )
        self._pull = FocusPull()
        self._aperture = FloatSlider(
            name="aperture",
            value=1.0,
            min=0.0,
            max=4.0,
            tooltip="Diameter in units of the camera's: 0 makes all sharp, more blurs more",
        )
        self._pupil = ComboBox(
            name="pupil",
            choices=NAMED_PUPILS,
            value=NAMED_PUPILS[0],
            tooltip="Shape that a point out of focus is blurred to",
        )
        yield
        yield from self._build_task(
            Task(
                verb="Refocus",
                doing="Refocusing",
                models="single",
                inputs=[self._sharp, self._defocus],
                settings=[
                    self._pick,
                    self._focus,
                    *self._pull.widgets,
                    self._aperture,
                    self._pupil,
                ],
            )
        )
        for choice in (self._sharp, self._defocus):
            self._image.changed.connect(choice.follow)
            choice.follow(self._image.value)
        self._saving = SaveButton(self._result, self._controls)
        self._controls.add_results(self._saving.button)
        self._pull.tick.changed.connect(self._preset_last)
        self._defocus.changed.connect(self._preset_last)
        viewer.mouse_drag_callbacks.append(self._pick_focus)
        self.native.destroyed.connect(self._stop_picking)

    def _job(self, window: Window) -> RefocusLayerJob:
        image = self._layer()
        sharp: Image = image if self._sharp.value is None else self._sharp.value
        if self._defocus.value is None:
            raise OptionError(
                f"{image.name!r} has no map yet; estimate it in the step Map, or choose a layer "
                "under 'defocus map'"
            )
        same = sharp.data.shape == image.data.shape
        return RefocusLayerJob(
            image=image_source(sharp, window if same else None),
            options=self._compute.options,
            defocus=map_source(self._defocus.value, image, window),
            mask=self._region.mask(image, window) if same else None,
            focus=self._pull.focuses(float(self._focus.value)),
            aperture=float(self._aperture.value),
            pupil=self._pupil.value,
            keeps_bokeh=_keeps_bokeh(sharp, self._defocus.value),
        )

    def _auto_job(self, blank: Any, options: Options) -> EstimateJob:
        return EstimateJob(Views(blank), options=options)

    def _add_result(self, result: RefocusResult) -> None:
        values, template = result.provenance["parameters"], self._template
        focus, aperture = values["focus"], f"aperture {values['aperture']:g}"
        if isinstance(focus, float | int):
            words = [aperture, f"focus {focus:g} px"]
        else:
            words = [aperture, f"focus {focus[0]:g} to {focus[-1]:g} px"]
            placed = with_leading_axis(template.placement, "focus")
            template = replace(template, placement=placed)
        record = result.provenance
        self._add(picture_layer(result.image, record, template, "refocused", *words))

    def _result(self) -> "Image":
        """Return the refocused picture that is selected, or the one that was made last."""
        layers, image = self._viewer.layers, self._image.value
        results = [
            layer
            for layer in reversed(layers)
            if layer.metadata.get(METADATA_KEY, {}).get("function") == "refocus"
            and image is not None
            and origin_of(layer) is image
        ]
        if not results:
            raise OptionError("there is no refocused picture yet; press 'Refocus' first")
        chosen = (layer for layer in results if layer in layers.selection)
        return cast("Image", next(chosen, results[0]))

    def save(self, path: "str | os.PathLike[str]", *, overwrite: bool = False) -> Worker[None]:
        """Write the refocused picture that is selected, or the newest; as of `DeblurWidget`."""
        return self._saving.save(path, overwrite=overwrite)

    def _preset_last(self, *_: Any) -> None:
        """Let a focus pull end at what is farthest, unless the user chose another end."""
        if self._pull.tick.value and self._defocus.value is not None:
            self._pull.preset(self._defocus.value)

    def _pick_focus(self, viewer: Any, event: Any) -> Generator[None, None, None]:
        """Take the radius under a click that moves nothing as focus."""
        chosen, image = self._defocus.value, self._image.value
        if not self._pick.value or chosen is None or image is None:
            return
        yield
        moved = False
        while event.type == "mouse_move":
            moved = True
            yield
        if moved:
            return
        place = np.rint(chosen.world_to_data(event.position)).astype(int)[-chosen.ndim :]
        inside = all(0 <= i < n for i, n in zip(place, chosen.data.shape, strict=True))
        if inside:
            self._focus.value = round(float(chosen.data[tuple(place)]), 2)

    def _stop_picking(self, *_: Any) -> None:
        if self._pick_focus in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._pick_focus)


def _keeps_bokeh(sharp: "Image", defocus: "Image | Labels") -> bool:
    """Return whether a deblurred layer shows strong blur as its image does."""
    bokeh = sharp.metadata.get(METADATA_KEY, {}).get("parameters", {}).get("bokeh_radius")
    if bokeh != "auto":
        return bool(bokeh)
    estimated = defocus.metadata.get(MAP_KEY)
    return estimated is None or estimated.subject_limit > 0
