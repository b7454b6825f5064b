"""Labels layer over what a check has flagged."""

from typing import TYPE_CHECKING

import napari.layers
import numpy as np
import numpy.typing as npt

from ...map_colors import UNSUPPORTED_COLOR
from ..layers.origin import origin_entry
from ..layers.results import METADATA_KEY
from ..layers.status_text import DescribedPixels
from ..maps.map_source import MAP_KEY

if TYPE_CHECKING:
    from ..layers.results import LayerTemplate
    from .check_job import CheckResult


class Labels(DescribedPixels, napari.layers.Labels):  # type: ignore[misc]  # napari has no types
    """Layer over flagged pixels that tells of the one under the pointer in words.

    napari derives icon and type of a layer from the name of its class.
    """

    def describe_pixel(self, pixel: tuple[int, ...]) -> str:
        """Describe whether a pixel is flagged."""
        return "flagged: not supported by the image" if self.data[pixel] else "not flagged"


def flagged_layer(
    flagged: npt.NDArray[np.bool_], result: "CheckResult", template: "LayerTemplate"
) -> Labels:
    """Return a layer over flagged pixels of a picture, which no viewer has yet."""
    from napari.utils import DirectLabelColormap

    color = (*(part / 255 for part in UNSUPPORTED_COLOR), 1.0)
    return Labels(
        flagged.astype(np.uint8),
        name=template.title("not supported by the image"),
        colormap=DirectLabelColormap(color_dict={1: color, None: "transparent"}),
        opacity=0.5,
        metadata={METADATA_KEY: result.provenance, MAP_KEY: None, **origin_entry(template.image)},
        **template.placement,
    )
