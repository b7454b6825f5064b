"""Colors of a defocus map, clear where its radii are not sure."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..map_colors import paint_sure

if TYPE_CHECKING:
    from ..defocus_map import DefocusMap

#: Side of the squares over which confidence is averaged, in pixels.
_SMOOTHED = 15


def paint_view(defocus: "DefocusMap", limit: float) -> Any:
    """Return the colors of a map; of a stack, each plane when it is shown.

    Parameters
    ----------
    defocus : DefocusMap
        The map (..., Y, X).
    limit : float
        Radius in pixels that gets the last color.

    Returns
    -------
    (..., Y, X, 4) uint8 array
        Colors and opacity: NumPy of a plane, dask of a stack.
    """
    paint = partial(_paint_planes, signed=defocus.signed, limit=limit)
    if defocus.radius.ndim == 2:
        return paint(*defocus)
    import dask.array

    chunks = (*(1,) * (defocus.radius.ndim - 2), -1, -1)
    planes = [dask.array.from_array(part, chunks=chunks, name=False) for part in defocus]
    return dask.array.map_blocks(
        paint, *planes, dtype=np.uint8, chunks=(*planes[0].chunks, (4,)), new_axis=planes[0].ndim
    )


def _paint_planes(
    radius: npt.NDArray[np.float32], confidence: npt.NDArray[np.float32], **colors: Any
) -> npt.NDArray[np.uint8]:
    """Paint planes (..., Y, X), with opacities that change smoothly."""
    from scipy.ndimage import uniform_filter

    sides = (*(1,) * (radius.ndim - 2), _SMOOTHED, _SMOOTHED)
    return paint_sure(radius, uniform_filter(confidence, sides), **colors)
