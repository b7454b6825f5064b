"""No-data value and white that the file of a layer declares."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import DefocusError
from ...image.layout import read_layout
from ...io import open_picture
from ...io.picture_options import heed_nodata
from ...options import Options


def heed_file(
    options: Options, data: Any, path: str | None, note: Callable[[str], None]
) -> Options:
    """Return options with what the file of a layer declares of its values.

    Parameters
    ----------
    options : Options
        Options as chosen, with the axes of the layer.
    data : array
        Data of the layer. If they are of another type than those of the file, the layer was made
        from it in some way, and nothing is taken from the file.
    path : str, optional
        The file that the layer was read from.
    note : callable
        Takes sentences about what was assumed.
    """
    if path is None:
        return options
    try:
        picture = open_picture(path, lazy_from=0)
    except DefocusError:  # a file of a format that another reader knows, or that is gone
        return options
    if np.dtype(picture.data.dtype) != np.dtype(data.dtype).newbyteorder("="):
        return options
    options = heed_nodata(options, picture, note)
    white = picture.metadata.white
    if options.value_range is None and white is not None:
        layout = read_layout(data, **options.reading())
        if layout.display_bounded and not layout.channelwise:
            options = replace(options, value_range=(0.0, white))
    return options
