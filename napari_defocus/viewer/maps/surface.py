"""Surfaces of a map: connected pixels of about the same radius and color."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

#: Radii of a surface differ at most by this many pixels, or by this share of the radius.
_TOLERANCE, _SHARE = 0.4, 0.2
#: Colors of a surface differ at most by this share of the range in each channel, after smoothing
#: by a Gaussian of this many pixels. A click on the wren of the samples takes all of the bird and
#: no sky from 0.25 to 0.35.
_COLOR, _SMOOTHING = 0.3, 3.0

Floats = npt.NDArray[np.float32]


def find_surface(
    radius: Floats, colors: Floats | None, place: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Return the pixels around a place that have about its radius and color, without holes.

    Parameters
    ----------
    radius : (Y, X) float array
        Radii in pixels, >= 0.
    colors : (Y, X, C) float array or None
        The picture, 0 to 1; None if it is not known.
    place : (int, int)
        Row and column.

    Returns
    -------
    (Y, X) bool array

    Examples
    --------
    >>> radius = np.float32([[1, 1, 6, 1]])
    >>> find_surface(radius, None, (0, 0)).tolist()
    [[True, True, False, False]]
    """
    tolerance = max(_TOLERANCE, _SHARE * float(radius[place]))
    alike = np.abs(radius - radius[place]) <= tolerance
    if colors is not None:
        smooth = ndimage.gaussian_filter(colors, (_SMOOTHING, _SMOOTHING, 0))
        alike &= np.abs(smooth - smooth[place]).max(axis=-1) <= _COLOR
    parts, _ = ndimage.label(alike)
    surface: npt.NDArray[np.bool_] = ndimage.binary_fill_holes(parts == parts[place])
    return surface
