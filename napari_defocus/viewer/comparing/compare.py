"""Controls that compare a result with the image that it was made from."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, Container, Label, Widget

from ...errors import OptionError
from ..layers.origin import origin_of
from ..maps.layer_kinds import is_plugin_map
from .split import SplitView

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from napari.viewer import Viewer

#: Key that shows images without results while it is held.
BEFORE_KEY = "\\"


def show_before(viewer: "Viewer") -> Generator[None, None, None]:
    """Hide results and show their images until the generator goes on, as napari's keys do it."""
    results = [layer for layer in viewer.layers if origin_of(layer) in viewer.layers]
    before = {layer: layer.visible for layer in viewer.layers}
    for layer in results:
        layer.visible = False
    for image in {origin_of(layer) for layer in results if before[layer]}:
        image.visible = True  # type: ignore[union-attr]
    yield
    for layer, visible in before.items():
        if layer in viewer.layers:
            layer.visible = visible


class CompareControls:
    """Split view, side by side, and the key for the image before.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer with results.
    """

    def __init__(self, viewer: "Viewer") -> None:
        self._viewer = viewer
        self._split: SplitView | None = None
        self._visible: dict[Layer, bool] = {}
        self._pair: tuple[Layer | None, ...] = ()
        self.split = CheckBox(
            name="split",
            text="Split",
            tooltip="Show the image to the left of a handle, and the result to its right",
        )
        self.side_by_side = CheckBox(
            name="side_by_side", text="Side by side", tooltip="Show image and result in a grid"
        )
        hint = Label(value=f"hold {BEFORE_KEY} for before")
        self.container: Container[Widget] = Container(
            widgets=[self.split, self.side_by_side, hint],
            layout="horizontal",
            labels=False,
            name="compare",
            label="compare",
        )
        self.container.margins = (0, 0, 0, 0)
        self.split.changed.connect(self._switch_split)
        self.side_by_side.changed.connect(self._switch_grid)
        viewer.bind_key(BEFORE_KEY, show_before, overwrite=True)
        viewer.layers.events.removed.connect(self._end_without_pair)
        viewer.dims.events.ndisplay.connect(self._end_split)

    def close(self) -> None:
        """Follow the viewer no more, because the panel is destroyed."""
        self._viewer.layers.events.removed.disconnect(self._end_without_pair)
        self._viewer.dims.events.ndisplay.disconnect(self._end_split)
        self._close_split()

    def end(self) -> None:
        """End a comparison; show what was shown before."""
        self.split.value = self.side_by_side.value = False

    def renew(self) -> None:
        """Compare the result that was made last, if a comparison is shown."""
        for control in (self.split, self.side_by_side):
            if control.value:
                control.value = False
                control.value = True

    def _switch_split(self, on: bool) -> None:
        self._close_split()
        if not on:
            self._restore()
            return
        self.side_by_side.value = False
        try:
            result = self._show_pair()
            self._split = SplitView(self._viewer, result)
        except OptionError as error:
            self._refuse(self.split, error)

    def _switch_grid(self, on: bool) -> None:
        if on:
            self.split.value = False
            try:
                self._show_pair()
            except OptionError as error:
                self._refuse(self.side_by_side, error)
                return
        else:
            self._restore()
        self._viewer.canvas.grid.enabled = on
        self._viewer.reset_view()

    def _show_pair(self) -> "Image":
        """Show a result and its image alone; return the result."""
        result = self.result()
        image = origin_of(result)
        self._pair = result, image
        self._visible = {layer: layer.visible for layer in self._viewer.layers}
        for layer in self._viewer.layers:
            layer.visible = layer in (result, image)
        return result

    def discard(self) -> None:
        """Remove the selected result, or the one that was made last; show its image again.

        Raises
        ------
        OptionError
            If there is none.
        """
        result = self.result()
        image = origin_of(result)
        self.end()
        self._viewer.layers.remove(result)
        if image is not None:
            image.visible = True
            self._viewer.layers.selection.active = image

    def result(self) -> "Image":
        """Return the selected result, or the one that was made last.

        Raises
        ------
        OptionError
            If there is none.
        """
        layers = self._viewer.layers
        results: list[Image] = [
            layer
            for layer in reversed(layers)
            if origin_of(layer) in layers and not is_plugin_map(layer)
        ]
        if not results:
            raise OptionError("there is no result to compare yet; press Deblur first")
        return next((layer for layer in results if layer in layers.selection), results[0])

    def _restore(self) -> None:
        """Show again what was shown before."""
        visible, self._visible = self._visible, {}
        for layer, shown in visible.items():
            if layer in self._viewer.layers:
                layer.visible = shown

    def _refuse(self, control: CheckBox, error: OptionError) -> None:
        from napari.utils.notifications import show_info

        show_info(str(error))
        with control.changed.blocked():
            control.value = False

    def _end_without_pair(self, event: Any) -> None:
        """End a comparison whose result or image was removed."""
        if event.value in self._pair:
            self.end()

    def _end_split(self, event: object) -> None:
        """End a split view when three dimensions are shown, which are drawn by other visuals."""
        self.split.value = False

    def _close_split(self) -> None:
        split, self._split = self._split, None
        if split is not None:
            split.close()
