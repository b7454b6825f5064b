"""Colors of a defocus map, clear where its radii are not sure."""

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...map_colors import color_limit, paint_sure

if TYPE_CHECKING:
    from ...defocus_map import DefocusMap

#: Least radius in pixels that gets the last color. What differs by less than estimates err, as in a
#: picture that is in focus everywhere, should not look different.
_LEAST_LIMIT = 3.0
#: Side of the squares over which confidence is averaged, in pixels.
_SMOOTHED = 15
_numbers = count(1)


def view_limit(radius: npt.NDArray[np.floating]) -> float:
    """Return the radius in pixels at which the colors of a map (..., Y, X) end in the viewer."""
    return max(color_limit(radius), _LEAST_LIMIT)


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
    if defocus.radius.ndim == 2:
        return _paint_planes(*defocus, signed=defocus.signed, limit=limit)
    import dask.array

    *leading, height, width = defocus.radius.shape
    chunks = (*((1,) * size for size in leading), (height,), (width,), (4,))
    # arrays are neither handed to dask, which copies them, nor hashed for a name
    return dask.array.map_blocks(
        partial(_paint_block, defocus, limit),
        chunks=chunks,
        dtype=np.uint8,
        meta=np.empty((0,) * len(chunks), np.uint8),
        name=f"map-view-{next(_numbers)}",
    )


def _paint_block(
    defocus: "DefocusMap", limit: float, block_info: Any = None
) -> npt.NDArray[np.uint8]:
    """Paint the plane of a stack that dask asks for."""
    places = block_info[None]["array-location"][:-1]
    place = tuple(slice(start, stop) for start, stop in places)
    radius, confidence = (np.asarray(part[place]) for part in defocus)
    return _paint_planes(radius, confidence, signed=defocus.signed, limit=limit)


def _paint_planes(
    radius: npt.NDArray[np.float32], confidence: npt.NDArray[np.float32], **colors: Any
) -> npt.NDArray[np.uint8]:
    """Paint planes (..., Y, X), with opacities that change smoothly."""
    from scipy.ndimage import uniform_filter

    sides = (*(1,) * (radius.ndim - 2), _SMOOTHED, _SMOOTHED)
    return paint_sure(radius, uniform_filter(confidence, sides), **colors)
