"""Range of radii that are deblurred, on the histogram of the chosen map."""

from typing import Any

from ..controls.choices import NewestChoice
from ..maps.map_source import MAP_KEY, EstimatedMap
from .deblur_controls import DeblurControls
from .range_histogram import NO_MAP, OTHER_MAP, RangeHistogram


class DeblurRange:
    """Histogram of the chosen map, whose handles follow and set the protected radii.

    Parameters
    ----------
    controls : DeblurControls
        Controls of the protected radii.
    defocus : NewestChoice
        Choice of the map.
    """

    def __init__(self, controls: DeblurControls, defocus: NewestChoice) -> None:
        self._controls, self._defocus = controls, defocus
        self._subject_limit = 0.0
        self.histogram = RangeHistogram()
        self.histogram.lower_changed.connect(self._set_protected)
        self.histogram.upper_changed.connect(self._set_bokeh)
        defocus.changed.connect(self._show_map)
        for name in ("protect_radius", "bokeh_radius"):
            controls[name].changed.connect(self._show_range)

    def _show_map(self, *_: Any) -> None:
        """Show the radii of the chosen map, if it was estimated."""
        chosen = self._defocus.value
        estimated = None if chosen is None else chosen.metadata.get(MAP_KEY)
        if not isinstance(estimated, EstimatedMap):
            self.histogram.clear(NO_MAP if chosen is None else OTHER_MAP)
        else:
            self._subject_limit = estimated.subject_limit
            self.histogram.show_counts(estimated.counts.unsigned)
            self._show_range()

    def _show_range(self, *_: Any) -> None:
        bokeh = self._controls.bokeh.value
        upper = self._subject_limit if isinstance(bokeh, str) else bokeh
        self.histogram.show_range(float(self._controls["protect_radius"].value), upper)

    def _set_protected(self, radius: float) -> None:
        control: Any = self._controls["protect_radius"]
        control.value = min(radius, control.max)
        self._show_range()

    def _set_bokeh(self, radius: float) -> None:
        self._controls.bokeh.value = radius
