"""Drop-down lists of layers."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox
from qtpy.QtCore import Qt

from ..maps.layer_kinds import is_image, is_map, newest_result
from ..maps.map_source import covering_source, map_source, newest_map, partial_source

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from napari.viewer import Viewer

    from ..layers.window import Window


#: Characters of a name that a drop-down list shows.
_LONGEST = 18


def elide(names: list[str], longest: int = _LONGEST) -> list[str]:
    """Return names with their middle left out where they are long, unless that makes two equal.

    Examples
    --------
    >>> elide(["a photograph of a flower", "cells"], 12)
    ['a phot…lower', 'cells']
    """
    half = longest // 2
    short = [
        name if len(name) <= longest else f"{name[:half]}…{name[half - longest + 1 :]}"
        for name in names
    ]
    return [
        text if short.count(text) == 1 else name for text, name in zip(short, names, strict=True)
    ]


class LayerChoice(ComboBox):
    """Drop-down list of the layers that fulfill a condition.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer with the layers; call ``reset_choices`` when they change.
    accepts : callable
        Takes a layer and returns whether it is listed.
    none : str, optional
        Text of the entry that stands for no layer; without it, there is no such entry.
    """

    def __init__(
        self,
        viewer: "Viewer",
        accepts: "Callable[[Layer], bool]",
        *,
        none: str = "",
        **kwargs: Any,
    ) -> None:
        def choices(_: Any) -> list[tuple[str, Any]]:
            accepted = [layer for layer in viewer.layers if accepts(layer)]
            texts = elide([layer.name for layer in accepted])
            layers = list(zip(texts, accepted, strict=True))
            return [(none, None), *layers] if none else layers

        self._tooltip = str(kwargs.get("tooltip", ""))
        super().__init__(choices=choices, nullable=False, **kwargs)
        self.changed.connect(self._explain)
        self._explain()

    def reset_choices(self, *_: Any) -> None:
        """List the layers anew."""
        super().reset_choices()
        self._explain()

    def _explain(self, *_: Any) -> None:
        """Tell the full name of the chosen layer, and of all in the list, where the pointer is."""
        chosen = self.value
        name = "" if chosen is None else f"{chosen.name}\n"
        self.tooltip = f"{name}{self._tooltip}"
        for index, layer in enumerate(self.choices):
            text = "" if layer is None else layer.name
            self.native.setItemData(index, text, Qt.ItemDataRole.ToolTipRole)


class NewestChoice(LayerChoice):
    """Drop-down list of layers that follows the newest one made from an image.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer with the layers.
    accepts : callable
        Takes a layer and returns whether it is listed.
    newest : callable
        Takes the viewer and the image, and returns the newest layer made from it, or None.
    none : str, optional
        Text of the entry that stands for no layer.
    """

    def __init__(
        self,
        viewer: "Viewer",
        accepts: "Callable[[Layer], bool]",
        newest: "Callable[[Viewer, Image], Image | None]",
        *,
        none: str = "",
        **kwargs: Any,
    ) -> None:
        self._viewer, self._find_newest = viewer, newest
        self._image: Image | None = None
        self._newest: Image | None = None
        super().__init__(viewer, accepts, none=none, **kwargs)
        self.native.destroyed.connect(self._unfollow)

    def map_inputs(
        self, image: "Image", window: "Window", *, partial: bool = False
    ) -> dict[str, Any]:
        """Return the arguments `defocus` and `skipped` of a job on part of an image.

        The newest map, which is chosen by itself, is skipped if it does not cover the part, unless
        a map may be `partial`.

        Raises
        ------
        MapError
            If another map is chosen, or one with edits, that does not cover the part.
        """
        chosen, newest = self.value, self._newest
        if partial:
            return {"defocus": partial_source(chosen, image, window)}
        if chosen is None:
            return {}
        if newest is None or chosen is not newest:
            return {"defocus": map_source(chosen, image, window)}
        return newest_inputs(self._viewer, image, window)

    def follow(self, image: "Image | None") -> None:
        """Choose the newest layer made from an image, now and whenever there is a newer one."""
        self._unfollow()
        self._image = image
        if image is not None:
            image.events.data.connect(self._choose_newest)
        self._choose_newest()

    def reset_choices(self, *_: Any) -> None:
        """List the layers anew; choose the newest if there is a newer one."""
        super().reset_choices()
        self._choose_newest()

    def _unfollow(self, *_: Any) -> None:
        """Follow the pixels of the image no more."""
        if self._image is not None:
            self._image.events.data.disconnect(self._choose_newest)
            self._image = None

    def _choose_newest(self, *_: Any) -> None:
        image = self._image if self._image in self._viewer.layers else None
        newest = None if image is None else self._find_newest(self._viewer, image)
        if newest is not self._newest:
            self._newest = newest
            if newest is not None or None in self.choices:
                self.value = newest


def newest_inputs(viewer: "Viewer", image: "Image", window: "Window") -> dict[str, Any]:
    """Return the arguments `defocus` and `skipped` of a job that takes the newest map of an image.

    Raises
    ------
    MapError
        If that map holds edits and does not cover the part.
    """
    newest = newest_map(viewer, image)
    if newest is None:
        return {}
    source = covering_source(newest, image, window)
    return {"defocus": source, "skipped": "" if source is not None else newest.name}


def map_choice(viewer: "Viewer", *, tooltip: str) -> NewestChoice:
    """Return a list of the layers that can serve as map, for the newest map of an image."""
    return NewestChoice(
        viewer,
        is_map,
        newest_map,
        name="defocus",
        label="defocus map",
        none="estimate first",
        tooltip=tooltip,
    )


def sharp_choice(viewer: "Viewer", *, none: str, tooltip: str) -> NewestChoice:
    """Return a list of the images, for the newest picture that was deblurred from an image."""
    return NewestChoice(
        viewer,
        is_image,
        newest_result,
        name="sharp",
        label="sharp picture",
        none=none,
        tooltip=tooltip,
    )
