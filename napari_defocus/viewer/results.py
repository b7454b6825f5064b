"""How results look as layers: where they lie, their colors, limits and names."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..map_colors import color_limit, radius_colormap
from .geometry import placement
from .map_layers import MAP_KEY

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.utils import Colormap

    from .jobs import DeblurResult, MapResult
    from .regions import Window

#: Where the layer of a result keeps its provenance.
METADATA_KEY = "napari-defocus"

LayerData = tuple[Any, dict[str, Any]]


@dataclass(frozen=True)
class Target:
    """What the layers of a result take over from the layer it was made from.

    Parameters
    ----------
    name : str
        Of that layer.
    place : dict
        Keyword arguments that place the result.
    look : dict
        Keyword arguments that make it look alike.
    pixel : (float, str) or None
        Size of a pixel and its unit, if it is square and has a physical one.
    """

    name: str
    place: dict[str, Any]
    look: dict[str, Any]
    pixel: tuple[float, str] | None = None


def target_of(layer: "Image", window: "Window") -> Target:
    """Remember what results of a part of a layer will need, should it go before they come."""
    look: dict[str, Any] = {
        "rgb": layer.rgb,
        "blending": layer.blending,
        "gamma": layer.gamma,
        "interpolation2d": layer.interpolation2d,
    }
    if not layer.rgb:
        look |= {"colormap": layer.colormap, "contrast_limits": tuple(layer.contrast_limits)}
    return Target(layer.name, placement(layer, window), look, _pixel_size(layer))


def _pixel_size(layer: "Image") -> tuple[float, str] | None:
    (height, width), (unit, other) = layer.scale[-2:], layer.units[-2:]
    if unit != other or str(unit) == "pixel" or not np.isclose(height, width):
        return None
    return float(height), f"{unit:~P}"


def map_layers(result: "MapResult", target: Target) -> list[LayerData]:
    """Confidence (hidden) and map as data and keyword arguments of image layers, in this order."""
    defocus = result.estimated.map
    gray = {"colormap": "gray", "contrast_limits": (0.0, 1.0)}
    return [
        (
            defocus.confidence,
            {
                "name": f"{target.name} confidence",
                "visible": False,
                "metadata": {METADATA_KEY: result.provenance, MAP_KEY: None},
                **gray,
                **target.place,
            },
        ),
        (
            defocus.radius,
            {
                "name": f"{target.name} defocus",
                "metadata": {METADATA_KEY: result.provenance, MAP_KEY: result.estimated},
                **map_appearance(defocus.radius, signed=defocus.signed),
                **target.place,
            },
        ),
    ]


def deblurred_layer(result: "DeblurResult", target: Target) -> LayerData:
    """A deblurred image as data and keyword arguments of an image layer."""
    return result.image, {
        "name": f"{target.name} deblurred",
        "metadata": {METADATA_KEY: result.provenance},
        **target.look,
        **target.place,
    }


def map_appearance(radius: npt.NDArray[np.floating], *, signed: bool) -> dict[str, Any]:
    """Keyword arguments of an image layer that shows a defocus map.

    Parameters
    ----------
    radius : (...) float array
        Blur radii in pixels.
    signed : bool
        Signed maps get diverging colors and limits symmetric about zero.

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
