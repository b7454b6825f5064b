"""Kind of image that a layer is taken for, and the reason."""

from dataclasses import dataclass

import numpy as np

from ..image.channels import find_independent_channels
from ..image.layout import Imaging, read_layout
from ..options import Options
from .image_source import ImageSource


@dataclass(frozen=True)
class KindOfImage:
    """Kind of image that "auto" stands for, and what it was concluded from."""

    imaging: Imaging
    reason: str


def kind_of_image(source: ImageSource, options: Options) -> KindOfImage:
    """Return what an image is taken for; colors in memory are looked at.

    Parameters
    ----------
    source : ImageSource
        The image.
    options : Options
        Options with the encoding as chosen.

    Raises
    ------
    ImageError
        If the image cannot be used.
    """
    options = source.reading_options(options)
    layout = read_layout(source.data, **options.reading())
    in_memory = isinstance(source.data, np.ndarray)
    if in_memory and find_independent_channels(source.data, layout, options, lambda note: None):
        return KindOfImage("microscopy", "its colors have nothing to do with each other")
    if options.imaging == "microscopy":
        reason = "its pixels are measured in micrometers"
    elif options.encoding != "auto":
        reason = "so its values are read as chosen"
    elif layout.color:
        reason = "it is in color"
    else:
        reason = f"it is gray with values of type {layout.dtype}"
    return KindOfImage(layout.imaging, reason)
