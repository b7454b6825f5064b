"""Kind of image that a layer is taken for, and the reason."""

import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..image.channels import find_independent_channels
from ..image.layout import read_layout
from ..options import Imaging, Options
from .image_source import ImageSource

#: Answers for arrays that live, each with a weak reference to its array. What is painted into an
#: array in place changes what a run takes it for, but not what the viewer says of it.
_LOOKED: "dict[tuple[int, str], tuple[weakref.ref[Any], bool]]" = {}


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
    if isinstance(source.data, np.ndarray) and _has_independent_channels(source.data, options):
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


def _has_independent_channels(data: npt.NDArray[Any], options: Options) -> bool:
    """Return whether colors in memory are fluorescence; of an array, look once."""
    key = id(data), repr(options)
    reference, answer = _LOOKED.get(key, (None, False))
    if reference is None or reference() is not data:
        layout = read_layout(data, **options.reading())
        answer = find_independent_channels(data, layout, options, lambda note: None)
        _LOOKED[key] = weakref.ref(data, lambda _: _LOOKED.pop(key, None)), answer
    return answer
