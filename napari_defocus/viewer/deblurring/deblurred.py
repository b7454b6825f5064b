"""Layers of deblurred pictures: added or replaced, and mixed anew for another amount."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from ...deblur_settings import DeblurSettings
from ...inference.engine import Progress
from ..layers.origin import insert_result, origin_of
from ..layers.results import METADATA_KEY, LayerTemplate, picture_layer
from ..threads.latest_run import LatestRun
from .mixture import Mixture, with_amount
from .setting_words import setting_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image
    from napari.viewer import Viewer

    from .deblur_job import DeblurResult

#: A picture, and the share of its pixels that differ from its image.
_Picture = tuple[npt.NDArray[Any], float]
#: Metadata key under which the layer of a result keeps its :class:`Deblurred`.
_KEY = "napari-defocus-deblurred"


@dataclass(frozen=True)
class Deblurred:
    """What a layer with a deblurred picture was made of.

    Parameters
    ----------
    mixture : Mixture
        The image, and the picture in full.
    template : LayerTemplate
        Properties of the image layer.
    settings : DeblurSettings
        How much was changed.
    """

    mixture: Mixture
    template: LayerTemplate
    settings: DeblurSettings

    @property
    def title(self) -> str:
        """Name of the layer."""
        return self.template.title("deblurred", *setting_words(self.settings))


def deblurred(layer: "Image") -> Deblurred | None:
    """Return what a layer was made of, if it is a deblurred picture."""
    entry = layer.metadata.get(_KEY)
    return entry if isinstance(entry, Deblurred) else None


def show_deblurred(
    viewer: "Viewer", result: "DeblurResult", entry: Deblurred, earlier: "Image | None"
) -> "Image":
    """Add a deblurred picture, or show it in the layer of an earlier one of the same shape.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer that the layer is added to.
    result : DeblurResult
        The picture and its provenance.
    entry : Deblurred
        What it was made of.
    earlier : napari.layers.Image or None
        Layer to be replaced, of the same image.

    Returns
    -------
    napari.layers.Image
    """
    from napari.layers import Image

    words = setting_words(entry.settings)
    data, arguments = picture_layer(
        result.image, result.provenance, entry.template, "deblurred", *words
    )
    if earlier is not None and _takes(earlier, data, arguments):
        before = deblurred(earlier)
        earlier.data = data
        earlier.metadata.update(arguments["metadata"])
        _set_entry(earlier, before, entry)
        earlier.visible = True
        viewer.layers.selection.active = earlier
        return earlier
    image = Image(data, **arguments)
    image.metadata[_KEY] = entry
    insert_result(viewer, image)
    if image.blending == "additive":
        _hide_what_adds_up(viewer, image)
    return image


def _hide_what_adds_up(viewer: "Viewer", image: "Image") -> None:
    """Hide the source of a result and its other results, which would add up with it."""
    source = origin_of(image)
    for layer in viewer.layers:
        is_same = source is not None and source in (layer, origin_of(layer))
        if is_same and layer is not image and layer.blending == "additive":
            layer.visible = False


def _takes(layer: "Image", data: Any, arguments: dict[str, Any]) -> bool:
    """Return whether another picture fits into a layer, at its place."""
    place = all((getattr(layer, name) == arguments[name]).all() for name in ("scale", "translate"))
    return place and (layer.rgb, layer.data.shape) == (arguments["rgb"], data.shape)


def _set_entry(layer: "Image", before: Deblurred | None, entry: Deblurred) -> None:
    """Note what a layer is made of now; rename it unless the user has."""
    layer.metadata[_KEY] = entry
    if before is not None and layer.name.startswith(before.title):
        layer.name = entry.title + layer.name.removeprefix(before.title)


class LiveAmount:
    """Mixes results anew in a thread when the amount changes; only the last request counts.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer with the results.
    on_mixed : callable
        Called with the share of the pixels that a result changes now.
    """

    def __init__(self, viewer: "Viewer", on_mixed: "Callable[[float], object]") -> None:
        self._viewer, self._on_mixed = viewer, on_mixed
        self._run: LatestRun[list[_Picture]] = LatestRun()

    def close(self, *_: Any) -> None:
        """Mix no more, because the panel is destroyed."""
        self._run.stop()

    def request(self, layers: "Sequence[Image]", amount: float) -> None:
        """Show deblurred layers with an amount; others stay as they are."""
        entries = {
            layer: entry
            for layer in layers
            if (entry := deblurred(layer)) is not None and entry.settings.amount != amount
        }
        if not entries:
            self._run.stop()
            return

        def steps() -> Generator[Progress, None, list[_Picture]]:
            mixed = []
            for entry in entries.values():
                yield Progress(0, 0)
                picture = yield from entry.mixture.steps(amount)
                mixed.append((picture, entry.mixture.share_changed(picture)))
            return mixed

        def show(pictures: list[_Picture]) -> None:
            for (layer, entry), picture in zip(entries.items(), pictures, strict=True):
                if layer in self._viewer.layers and deblurred(layer) is entry:
                    self._show(layer, entry, picture, amount)

        self._run.request(steps, show)

    def _show(self, layer: "Image", entry: Deblurred, picture: _Picture, amount: float) -> None:
        layer.data, share = picture
        layer.metadata[METADATA_KEY] = with_amount(layer.metadata[METADATA_KEY], amount)
        settings = replace(entry.settings, amount=amount)
        _set_entry(layer, entry, replace(entry, settings=settings))
        self._on_mixed(share)
