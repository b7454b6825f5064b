"""Labels layer that holds edits of a map, in the map's colors."""

from typing import TYPE_CHECKING, Any

import napari.layers
import numpy as np

from ...map_colors import paint_map
from ...map_edits import LEAVE_ALONE, SHARPEN, describe_label, radius_label
from ..layers.geometry import placement
from ..layers.origin import insert_result, origin_entry, origin_recorded
from ..layers.regions import whole_layer
from ..layers.status_text import DescribedPixels
from ..maps.map_source import MAP_KEY

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.utils import DirectLabelColormap
    from napari.viewer import Viewer

#: Colors of what is to be left alone, and of what is to be sharpened; no radius has them.
_LEAVE_COLOR, _SHARPEN_COLOR = (0.95, 0.95, 0.95, 1.0), (1.0, 0.35, 0.75, 1.0)
#: Largest radius in pixels that has a color of its own.
_LARGEST = 24.0


class Labels(DescribedPixels, napari.layers.Labels):  # type: ignore[misc]  # napari has no types
    """Layer of edits that tells in words what is painted under the pointer.

    napari derives icon and type of a layer from the name of its class.
    """

    def describe_pixel(self, pixel: tuple[int, ...]) -> str:
        """Describe the edit of a pixel."""
        return describe_label(int(self.data[pixel]))


def add_edits(viewer: "Viewer", base: "Image", name: str) -> Labels:
    """Add an empty layer of edits over the layer of an estimated map; select it."""
    edits = Labels(
        np.zeros(base.data.shape, np.int16),
        name=name,
        colormap=_colormap(float(base.contrast_limits[1])),
        opacity=0.6,
        metadata={MAP_KEY: None, **origin_entry(origin_recorded(base))},
        **placement(base, whole_layer(base)),
    )
    insert_result(viewer, edits)
    return edits


def _colormap(limit: float) -> "DirectLabelColormap":
    from napari.utils import DirectLabelColormap

    radii = np.arange(0, _LARGEST + 0.05, 0.1)
    colors = paint_map(radii, limit=limit) / 255
    table: dict[int | None, Any] = {
        radius_label(float(radius)): (*color, 1.0)
        for radius, color in zip(radii, colors.tolist(), strict=True)
    }
    table |= {whole: table[radius_label(whole)] for whole in range(1, int(_LARGEST) + 1)}
    table |= {LEAVE_ALONE: _LEAVE_COLOR, SHARPEN: _SHARPEN_COLOR, None: "transparent"}
    return DirectLabelColormap(color_dict=table)
