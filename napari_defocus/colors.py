"""Colors for defocus maps: perceptually even, dark where the image is in focus.

Two tables of 256 colors. Their anchors are interpolated in Oklab (Ottosson, "A perceptual color
space for image processing", 2020), so that equal steps in radius look like equal steps in color:

- sequential, for radii >= 0: lightness rises from dark violet (in focus) to pale yellow;
- diverging, for signed radii: dark at zero, blue for negative, orange for positive.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .errors import MapError

_SEQUENTIAL = (
    "#440154",
    "#46307e",
    "#365c8d",
    "#277f8e",
    "#1fa187",
    "#4ac16d",
    "#9fda3a",
    "#fde725",
)
_DIVERGING = (
    "#b8f3ff",
    "#54b8e8",
    "#2a6fb5",
    "#1c3468",
    "#16131a",
    "#5e2415",
    "#aa4a1c",
    "#e88b3a",
    "#ffe3a0",
)
_INVALID = (128, 128, 128)

_LINEAR_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def sequential_colors() -> npt.NDArray[np.float32]:
    """Return the table for radii >= 0, from in focus to far out of focus.

    Returns
    -------
    (256, 3) float32 array
        sRGB values in [0, 1].

    Examples
    --------
    >>> sequential_colors().shape
    (256, 3)
    """
    return _table(_SEQUENTIAL).copy()


def diverging_colors() -> npt.NDArray[np.float32]:
    """Return the table for signed radii, dark in the middle, where the image is in focus.

    Returns
    -------
    (256, 3) float32 array
        sRGB values in [0, 1]; entries 127 and 128 lie on either side of zero.

    Examples
    --------
    >>> bool(diverging_colors()[0].sum() > diverging_colors()[128].sum())
    True
    """
    return _table(_DIVERGING).copy()


def paint_map(
    radius: npt.NDArray[np.floating], *, signed: bool = False, limit: float | None = None
) -> npt.NDArray[np.uint8]:
    """Paint a defocus map.

    Parameters
    ----------
    radius : (...) float array
        Blur radii in pixels; NaN is painted gray.
    signed : bool
        Take the diverging table, from ``-limit`` to ``limit``, instead of the sequential one,
        from 0 to ``limit``.
    limit : float, optional
        Radius, > 0, that gets the last color; larger ones get it too. By default the 99.5th
        percentile of the map's finite magnitudes, but at least 1 pixel.

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
        limit = largest_radius(radius)
    if not (np.isfinite(limit) and limit > 0):
        raise MapError(f"limit is {limit}; it must be a radius above 0 pixels")
    low = -limit if signed else 0.0
    colors = _to_bytes(_table(_DIVERGING if signed else _SEQUENTIAL))
    position = (np.asarray(radius, np.float32) - low) / (limit - low)
    index = np.nan_to_num(np.clip(np.rint(position * 255), 0, 255)).astype(np.uint8)
    painted: npt.NDArray[np.uint8] = colors[index]
    painted[np.isnan(position)] = _INVALID
    return painted


def paint_unit(values: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Paint values in [0, 1], such as a confidence, as gray: black is 0, white is 1.

    Parameters
    ----------
    values : (...) float array
        Values outside [0, 1] get the nearest end; NaN is painted black.

    Returns
    -------
    (..., 3) uint8 array
        Gray as three equal channels.

    Examples
    --------
    >>> paint_unit(np.array([0.0, 1.0])).tolist()
    [[0, 0, 0], [255, 255, 255]]
    """
    gray = _to_bytes(np.clip(np.nan_to_num(np.asarray(values, np.float32)), 0, 1))
    return np.repeat(gray[..., None], 3, axis=-1)


def largest_radius(radius: npt.NDArray[np.floating]) -> float:
    """Return the magnitude that a map's colors should end at: robust, and at least 1 pixel.

    Parameters
    ----------
    radius : (...) float array
        Blur radii in pixels, signed or not; NaN counts for nothing.

    Returns
    -------
    float
        99.5th percentile of the finite magnitudes, 1.0 if that is less or none is finite.

    Examples
    --------
    >>> largest_radius(np.full((4, 4), -6.0))
    6.0
    """
    magnitude = np.abs(np.asarray(radius, np.float32))
    finite = magnitude[np.isfinite(magnitude)]
    return max(1.0, float(np.percentile(finite, 99.5))) if finite.size else 1.0


@lru_cache(maxsize=2)
def _table(anchors: tuple[str, ...]) -> npt.NDArray[np.float32]:
    """(256, 3) sRGB values between `anchors`, spaced evenly by their distance in Oklab."""
    srgb = np.array([[int(a[i : i + 2], 16) for i in (1, 3, 5)] for a in anchors]) / 255
    lab = _to_oklab(srgb)
    steps = np.linalg.norm(np.diff(lab, axis=0), axis=1)
    at = np.concatenate([[0.0], np.cumsum(steps)])
    if len(anchors) % 2:  # a middle anchor stays in the middle
        half = len(anchors) // 2
        at = np.concatenate(
            [at[: half + 1] / at[half], 1 + (at[half + 1 :] - at[half]) / (at[-1] - at[half])]
        )
    where = np.linspace(0, at[-1], 256)
    even = np.stack([np.interp(where, at, channel) for channel in lab.T], axis=1)
    table = _from_oklab(even).astype(np.float32)
    table.flags.writeable = False
    return table


def _to_oklab(srgb: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    lab: npt.NDArray[np.float64] = np.cbrt(linear @ _LINEAR_TO_LMS.T) @ _LMS_TO_OKLAB.T
    return lab


def _from_oklab(lab: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    linear = (lab @ np.linalg.inv(_LMS_TO_OKLAB).T) ** 3 @ np.linalg.inv(_LINEAR_TO_LMS).T
    linear = np.clip(linear, 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.clip(srgb, 0, 1)


def _to_bytes(unit: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    levels: npt.NDArray[np.uint8] = np.rint(unit * 255).astype(np.uint8)
    return levels
