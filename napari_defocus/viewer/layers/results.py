"""Layers of results: their position, appearance and names."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...io.lengths import micrometers
from ...physical_size import PixelSize
from .geometry import placement
from .origin import Origin, origin, origin_entry

if TYPE_CHECKING:
    from napari.layers import Image

    from .window import Window

#: Metadata key under which the layer of a result keeps its provenance.
METADATA_KEY = "napari-defocus"

#: Properties of an image layer that say how it is drawn, in color or gray.
_APPEARANCE = (
    "attenuation", "blending", "depiction", "gamma", "interpolation2d", "interpolation3d",
    "iso_threshold", "opacity", "rendering",
)  # fmt: skip

#: Data and keyword arguments of an image layer.
LayerData = tuple[Any, dict[str, Any]]


@dataclass(frozen=True)
class LayerTemplate:
    """Properties that layers of a result take over from the image layer.

    Parameters
    ----------
    name : str
        Name of the image layer.
    placement : dict
        Keyword arguments that place the result in the world.
    appearance : dict
        Keyword arguments for color map, contrast and blending.
    metadata : dict
        Metadata of the layer, such as names of channels.
    pixel_size : PixelSize or None
        Size of a pixel, if its unit is one of length.
    image : Origin, optional
        The image layer, and the pixels that it had.
    plane : str
        Name of the plane, such as "z 3", if results are of one plane of a stack.
    """

    name: str
    placement: dict[str, Any]
    appearance: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    pixel_size: PixelSize | None = None
    image: Origin | None = None
    plane: str = ""

    def title(self, what: str, *details: str) -> str:
        """Return the name of a result: what it is, in brackets its plane and further details.

        Examples
        --------
        >>> LayerTemplate("cells", {}, {}, plane="z 3").title("deblurred", "80 %")
        'cells deblurred (z 3, 80 %)'
        """
        words = ", ".join(word for word in (self.plane, *details) if word)
        return f"{self.name} {what} ({words})" if words else f"{self.name} {what}"


def layer_template(layer: "Image", window: "Window") -> LayerTemplate:
    """Return the properties for results of part of a layer, which may be removed meanwhile."""
    appearance: dict[str, Any] = {
        "rgb": layer.rgb,
        **{name: getattr(layer, name) for name in _APPEARANCE},
    }
    if not layer.rgb:
        appearance |= {"colormap": layer.colormap, "contrast_limits": tuple(layer.contrast_limits)}
    return LayerTemplate(
        layer.name,
        placement(layer, window),
        appearance,
        dict(layer.metadata),
        layer_pixel_size(layer),
        origin(layer),
        _plane_name(layer, window),
    )


def _plane_name(layer: "Image", window: "Window") -> str:
    """Return which plane of a stack a window holds; nothing if it holds several, or all."""
    sizes = (layer.data[0] if layer.multiscale else layer.data).shape
    leading = range(layer.ndim - 2)
    if any(window.shape[axis] > 1 for axis in leading):
        return ""
    cut = [axis for axis in leading if sizes[axis] > 1]
    labels = [str(layer.axis_labels[axis]) for axis in cut]
    named = all(label.isidentifier() for label in labels)
    words = [f"{label} " if named else "" for label in labels]
    places = [f"{word}{window.start[axis]}" for word, axis in zip(words, cut, strict=True)]
    return ("" if named or not places else "plane ") + ", ".join(places)


def layer_pixel_size(layer: "Image") -> PixelSize | None:
    """Return the size of a layer's pixels, None if its units are not those of length."""
    sides = zip(layer.scale[-2:], layer.units[-2:], strict=True)
    height, width = (micrometers(float(size), str(unit)) for size, unit in sides)
    return None if height is None or width is None else PixelSize(height, width)


def picture_layer(
    image: Any, provenance: dict[str, Any], template: LayerTemplate, what: str, *details: str
) -> LayerData:
    """Return a picture made from an image, and `what` it is, as an image layer to be made."""
    return image, {
        "name": template.title(what, *details),
        "metadata": {
            **template.metadata,
            METADATA_KEY: provenance,
            **origin_entry(template.image),
        },
        **template.appearance,
        **template.placement,
    }
