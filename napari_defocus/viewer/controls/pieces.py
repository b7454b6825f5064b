"""Panels whose controls are made piece by piece, so that the window never waits long for them."""

import time
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

from magicgui.widgets import Container, Widget
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from .choices import LayerChoice
from .tab_order import order_tab_key

if TYPE_CHECKING:
    import napari.viewer
    from napari.viewer import Viewer

#: Seconds of work on pieces after which the window gets its turn. A piece takes up to 20 ms.
_BUDGET = 0.012
#: Events of the layer list after which the choices of layers are offered anew.
_LIST_EVENTS = ("inserted", "removed", "reordered", "renamed")

Pieces = Generator[None, None, None]


class PiecewisePanel(Container[Widget]):
    """Panel of a viewer whose controls are made in pieces: all at once, or a few at a time.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer that the panel is docked in.
    at_once : bool
        Make all controls at once. Otherwise `complete` or a `GrowthTimer` makes them.
    """

    def __init__(self, viewer: "napari.viewer.Viewer", *, at_once: bool = True) -> None:
        self._viewer = viewer
        super().__init__()
        self._pieces: Iterator[None] = self._build(viewer)
        if at_once:
            self.complete()

    @abstractmethod
    def _build(self, viewer: "Viewer") -> Pieces:
        """Make the controls, yielding after each few."""

    @property
    def viewer(self) -> "Viewer":
        """Viewer with the layers; results are added to it."""
        return self._viewer

    def make_piece(self) -> bool:
        """Make the next few controls; return whether there were any left."""
        is_piece = next(self._pieces, self) is None
        if not is_piece:
            order_tab_key(self.native)
        return is_piece

    def complete(self) -> None:
        """Make all controls that are left."""
        while self.make_piece():
            pass

    def _follow_layers(self) -> None:
        """Offer the layers of the viewer anew whenever they change."""
        self._update_choices()  # layers may have come and gone since the controls were made
        for event in _LIST_EVENTS:
            getattr(self._viewer.layers.events, event).connect(self._update_choices)

    def _unfollow_layers(self) -> None:
        for event in _LIST_EVENTS:
            getattr(self._viewer.layers.events, event).disconnect(self._update_choices)

    def _update_choices(self, *_: Any) -> None:
        for control in self:
            if isinstance(control, LayerChoice):
                control.reset_choices()

    def _add_rows(self, *widgets: Widget) -> Pieces:
        """Add controls below those that are there, each as a piece."""
        for widget in widgets:
            self.append(widget)
            yield


class GrowthTimer(QTimer):
    """Timer that makes a panel's controls whenever the window has time.

    Parameters
    ----------
    panel : PiecewisePanel
        The panel, already in its place; it is hidden until it is complete.
    on_complete : callable
        Called without arguments when all controls are made.
    loading : QWidget
        Shown until then.
    """

    def __init__(
        self, panel: PiecewisePanel, on_complete: Callable[[], object], loading: QWidget
    ) -> None:
        super().__init__(panel.native)
        self._panel, self._on_complete, self._loading = panel, on_complete, loading
        panel.native.hide()
        self.timeout.connect(self._grow)
        self.start(0)

    def finish(self) -> None:
        """Make all that is left now."""
        if self.isActive():
            self._panel.complete()
            self._end()

    def _grow(self) -> None:
        end = time.perf_counter() + _BUDGET
        while self._panel.make_piece():
            for control in self._panel.native.findChildren(QWidget):
                control.ensurePolished()  # else all at once when it is shown
            if time.perf_counter() > end:
                return
        self._end()

    def _end(self) -> None:
        self.stop()
        self._on_complete()
        self._loading.hide()
        self._panel.native.show()
