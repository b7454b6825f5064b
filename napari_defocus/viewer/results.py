"""Layers of results: their position, colors, contrast limits and names."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..io.lengths import micrometers
from ..map_colors import color_limit, radius_colormap
from ..physical_size import PixelSize, radii_record
from .geometry import placement
from .map_source import MAP_KEY

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.utils import Colormap

    from .layer_jobs import DeblurResult, MapResult
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
    """

    name: str
    placement: dict[str, Any]
    appearance: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    pixel_size: PixelSize | None = None


def layer_template(layer: "Image", window: "Window") -> LayerTemplate:
    """Return the properties for results of part of a layer, which may be removed meanwhile."""
    appearance: dict[str, Any] = {
        "rgb": layer.rgb,
        **{name: getattr(layer, name) for name in _APPEARANCE},
    }
    if not layer.rgb:
        appearance |= {"colormap": layer.colormap, "contrast_limits": tuple(layer.contrast_limits)}
    return LayerTemplate(
        layer.name, placement(layer, window), appearance, dict(layer.metadata), _pixel_size(layer)
    )


def _pixel_size(layer: "Image") -> PixelSize | None:
    sides = zip(layer.scale[-2:], layer.units[-2:], strict=True)
    height, width = (micrometers(float(size), str(unit)) for size, unit in sides)
    return None if height is None or width is None else PixelSize(height, width)


def map_layers(result: "MapResult", template: LayerTemplate) -> list[LayerData]:
    """Return confidence (hidden) and map, in this order, as image layers to be made.

    The radii are in pixels; provenance says their size in micrometers where it is known.
    """
    defocus = result.estimated.map
    radii = radii_record("px", template.pixel_size, result.median_radius)
    gray = {"colormap": "gray", "contrast_limits": (0.0, 1.0)}
    return [
        (
            defocus.confidence,
            {
                "name": f"{template.name} confidence",
                "visible": False,
                "metadata": {**template.metadata, METADATA_KEY: result.provenance, MAP_KEY: None},
                **gray,
                **template.placement,
            },
        ),
        (
            defocus.radius,
            {
                "name": f"{template.name} defocus",
                "metadata": {
                    **template.metadata,
                    METADATA_KEY: result.provenance | radii,
                    MAP_KEY: result.estimated,
                },
                **map_appearance(defocus.radius, signed=defocus.signed),
                **template.placement,
            },
        ),
    ]


def deblurred_layer(result: "DeblurResult", template: LayerTemplate) -> LayerData:
    """Return a deblurred image as an image layer to be made."""
    return result.image, {
        "name": f"{template.name} deblurred",
        "metadata": {**template.metadata, METADATA_KEY: result.provenance},
        **template.appearance,
        **template.placement,
    }


def map_appearance(radius: npt.NDArray[np.floating], *, signed: bool) -> dict[str, Any]:
    """Return keyword arguments for an image layer that shows a defocus map.

    Parameters
    ----------
    radius : (...) float array
        Blur radii in pixels.
    signed : bool
        Whether radii have a sign; if so, colors diverge and limits are symmetric about zero.

    Returns
    -------
    dict
        colormap and contrast_limits.

    Examples
    --------
    >>> map_appearance(np.array([[-3.0, 1.0]]), signed=True)["contrast_limits"]
    (-3.0, 3.0)
    """
    limit = round(color_limit(radius), 1)
    return {
        "colormap": napari_colormap(signed=signed),
        "contrast_limits": (-limit, limit) if signed else (0.0, limit),
    }


def napari_colormap(*, signed: bool) -> "Colormap":
    """Return the color map for radii as one of napari's."""
    from napari.utils import Colormap

    colors = radius_colormap(signed=signed).lut(256)
    return Colormap(colors, name="defocus ±" if signed else "defocus")
