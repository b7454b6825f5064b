"""Profile of a stack as a panel shows it: its plot and its statement follow the sliders."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import OptionError
from ...stacks.profile_table import profile_table
from ..controls.run_controls import WrappedLabel
from ..layers.regions import narrow_to_plane, spatial_shape
from ..layers.window import Window
from .profile_plot import ProfilePlot

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

    from ...stacks.profile import FocusProfile
    from .stack_jobs import FocusResult


class ShownProfile:
    """Plot and statement of the last profile, of the stack that the sliders show.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer whose sliders are followed, and moved by a click in the plot.
    """

    def __init__(self, viewer: "Viewer") -> None:
        self._viewer = viewer
        self._result: FocusResult | None = None
        self._layer: Image | None = None
        self.plot = ProfilePlot(self.go_to)
        self.statement = WrappedLabel()
        viewer.dims.events.point.connect(self._follow_sliders)

    def close(self) -> None:
        """Follow the sliders no more, because the panel is destroyed."""
        self._viewer.dims.events.point.disconnect(self._follow_sliders)

    @property
    def profile(self) -> "FocusProfile | None":
        """The last profile, if any."""
        return None if self._result is None else self._result.profile

    def show(self, result: "FocusResult", layer: "Image | None") -> None:
        """Show a profile of a layer."""
        self._result, self._layer = result, layer
        self._follow_sliders()

    def explain(self, text: str) -> None:
        """Show a sentence as long as there is no profile."""
        if self._result is None:
            self.statement.set_text(text)

    def go_to(self, plane: int) -> None:
        """Move the slider to a plane of the profile."""
        result, layer = self._result, self._layer
        if result is None or layer is None or layer not in self._viewer.layers:
            return
        place = np.array(self._shown_plane(layer).start, float)
        place[result.axis] = result.window.start[result.axis] + plane
        world = layer.data_to_world(place)
        dims = self._viewer.dims
        dims.set_point(dims.ndim - layer.ndim + result.axis, world[result.axis])

    def go_to_best(self) -> None:
        """Move the slider to the best plane of the stack that is shown.

        Raises
        ------
        OptionError
            If there is no profile, or it has no best plane.
        """
        result = self._measured()
        best = np.nan
        if self._layer is not None and self._layer in self._viewer.layers:
            best = float(np.asarray(result.profile.best)[self._stack_index(result, self._layer)])
        if not np.isfinite(best):
            raise OptionError(f"there is no best plane: {self.statement.value}")
        self.go_to(round(best))

    def table(self) -> str:
        """Return the figures of all planes as text, with tabs between columns.

        Raises
        ------
        OptionError
            If there is no profile.
        """
        result = self._measured()
        return profile_table(result.profile, _other_axes(result))

    def _measured(self) -> "FocusResult":
        if self._result is None:
            raise OptionError("no profile is measured yet; press 'Measure focus' first")
        return self._result

    def _follow_sliders(self, *_: Any) -> None:
        """Show the profile of the stack that the sliders show, and mark their plane."""
        result, layer = self._result, self._layer
        if result is None or layer is None or layer not in self._viewer.layers:
            return
        profile, axis, window = result.profile, result.axis, result.window
        index = self._stack_index(result, layer)
        curve = profile.surface[index]  # what the best plane is told from
        if not np.isfinite(curve).any():
            curve = profile.sharpest[index]
        self.plot.show_profile(curve, float(np.asarray(profile.best)[index]))
        plane = self._shown_plane(layer).start[axis] - window.start[axis]
        self.plot.show_current(int(np.clip(plane, 0, window.shape[axis] - 1)))
        text = str(profile.statements[index])
        if self.statement.value != text:
            self.statement.set_text(text)

    def _shown_plane(self, layer: "Image") -> Window:
        shape = spatial_shape(layer)
        return narrow_to_plane(Window((0,) * len(shape), shape), layer, self._viewer.dims.point)

    def _stack_index(self, result: "FocusResult", layer: "Image") -> tuple[int, ...]:
        """Return the index of the stack that the sliders show, within the profile."""
        start, window = self._shown_plane(layer).start, result.window
        return tuple(
            int(np.clip(start[axis] - window.start[axis], 0, window.shape[axis] - 1))
            for axis in _other_axes(result)
        )


def _other_axes(result: "FocusResult") -> list[int]:
    """Return the axes of a result's layer before Y and X, other than that of the planes."""
    return [axis for axis in range(len(result.window.start) - 2) if axis != result.axis]
