"""Color maps for defocus maps, dark where the image is in focus.

The color maps come from the package `cmap`. Both are perceptually even and can be told apart with
a color vision deficiency:

- radii >= 0: viridis, from dark violet (in focus) to yellow;
- signed radii: Crameri's berlin (https://doi.org/10.5281/zenodo.1243862), blue below zero, dark at
  zero, red above.
"""

import numpy as np
import numpy.typing as npt
from cmap import Colormap

from .errors import MapError
from .map_statistics import UNSURE

_GRAY = (128, 128, 128)
#: Color of what an image does not support, and its share in what is painted with it.
UNSUPPORTED_COLOR = (230, 0, 160)
_TINT = 0.5
#: Difference of confidence from that of unsure radii at which a map is transparent, or opaque.
_FADE = 0.05


def radius_colormap(*, signed: bool) -> Colormap:
    """Return the color map for radii.

    Parameters
    ----------
    signed : bool
        Return the diverging color map, whose middle stands for radius 0, instead of the
        sequential one, whose beginning does.

    Returns
    -------
    cmap.Colormap
        Of 256 colors.

    Examples
    --------
    >>> radius_colormap(signed=False).lut(256).shape
    (256, 4)
    """
    return Colormap("crameri:berlin" if signed else "viridis")


def paint_map(
    radius: npt.NDArray[np.floating], *, signed: bool = False, limit: float | None = None
) -> npt.NDArray[np.uint8]:
    """Paint a defocus map.

    Parameters
    ----------
    radius : (...) float array
        Blur radii in pixels; NaN is painted gray.
    signed : bool
        Take the diverging color map, from ``-limit`` to ``limit``, instead of the sequential one,
        from 0 to ``limit``.
    limit : float, optional
        Radius, > 0, that gets the last color; larger ones get it too. By default
        :func:`color_limit` of the map.

    Returns
    -------
    (..., 3) uint8 array
        sRGB colors.

    Raises
    ------
    MapError
        If `limit` is not a positive number.

    Examples
    --------
    >>> paint_map(np.array([[0.0, 24.0, np.nan]]), limit=24).tolist()
    [[[68, 1, 84], [253, 231, 37], [128, 128, 128]]]
    """
    if limit is None:
        limit = color_limit(radius)
    if not (np.isfinite(limit) and limit > 0):
        raise MapError(f"limit is {limit}; it must be a radius above 0 pixels")
    low = -limit if signed else 0.0
    position = (np.asarray(radius, np.float32) - low) / (limit - low)
    index = np.nan_to_num(np.clip(np.rint(position * 255), 0, 255)).astype(np.uint8)
    colors = np.rint(radius_colormap(signed=signed).lut(256)[:, :3] * 255).astype(np.uint8)
    pixels: npt.NDArray[np.uint8] = colors[index]
    pixels[np.isnan(position)] = _GRAY
    return pixels


def paint_sure(
    radius: npt.NDArray[np.floating],
    confidence: npt.NDArray[np.floating],
    *,
    signed: bool = False,
    limit: float | None = None,
) -> npt.NDArray[np.uint8]:
    """Paint a defocus map that is transparent where its radii are not sure.

    Parameters
    ----------
    radius, signed, limit
        As for :func:`paint_map`.
    confidence : (...) float array
        Confidence from 0 to 1. Below 0.2 a pixel is transparent, from 0.3 on it is opaque.

    Returns
    -------
    (..., 4) uint8 array
        sRGB colors and opacity.

    Examples
    --------
    >>> paint_sure(np.zeros(3), np.array([0.1, 0.24, 0.9]))[:, 3].tolist()
    [0, 102, 255]
    """
    colors = paint_map(radius, signed=signed, limit=limit)
    share = (np.asarray(confidence, np.float32) - (UNSURE - _FADE)) / (2 * _FADE)
    opacity = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    return np.concatenate([colors, opacity[..., None]], axis=-1)


def paint_unsupported(
    picture: npt.NDArray[np.floating], invented: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8]:
    """Paint what an image does not support on the gray picture that shows it.

    Parameters
    ----------
    picture : (C, Y, X) float array
        Display values from 0 to 1, of 1 or 3 channels.
    invented : (Y, X) bool array
        Flagged pixels.

    Returns
    -------
    (Y, X, 3) uint8 array
        sRGB colors.

    Examples
    --------
    >>> paint_unsupported(np.zeros((1, 1, 2)), np.array([[False, True]])).tolist()
    [[[0, 0, 0], [115, 0, 80]]]
    """
    gray = np.clip(picture.mean(axis=0), 0, 1)[..., None] * 255 * np.ones(3)
    tinted = gray + _TINT * (np.array(UNSUPPORTED_COLOR) - gray)
    colors: npt.NDArray[np.uint8] = np.rint(np.where(invented[..., None], tinted, gray)).astype(
        np.uint8
    )
    return colors


def color_limit(radius: npt.NDArray[np.floating]) -> float:
    """Return the radius at which a map's colors should end.

    Parameters
    ----------
    radius : (...) float array
        Blur radii in pixels, signed or not; NaN is left out.

    Returns
    -------
    float
        99.5th percentile of the finite magnitudes, so that outliers do not darken the rest;
        1.0 if that is less or none is finite.

    Examples
    --------
    >>> color_limit(np.full((4, 4), -6.0))
    6.0
    """
    magnitude = np.abs(np.asarray(radius, np.float32))
    finite = magnitude[np.isfinite(magnitude)]
    return max(1.0, float(np.percentile(finite, 99.5))) if finite.size else 1.0
