"""Profile of focus through a stack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .best_plane import SHARP, best_plane, surface_curve, surface_radius

Floats = npt.NDArray[np.float64]

#: Figures of each plane, in the order in which tables show them.
FIGURES = (
    *("radius", "share_in_focus", "sharpest", "surface"),
    *("confidence", "variance", "coarse"),
)
#: Largest radius in pixels that counts as in focus.
IN_FOCUS = 1.0
#: Share of the tiles that tell how sharp the subject is.
_SHARPEST = 0.05
#: Least error in pixels of a radius that is the mean of several tiles, and of a single tile's.
_ERROR, _TILE_ERROR = 0.1, 0.3
#: Least uncertainty in planes that a statement tells.
_LEAST_TOLD = 0.1
_NOTHING = "nothing to judge by"


@dataclass(frozen=True, eq=False)
class FocusProfile:
    """Focus through a stack, plane by plane; made by :func:`napari_defocus.focus_profile`.

    Parameters
    ----------
    radius : (..., planes) float array
        Median radius of each plane in pixels; NaN for planes without data.
    share_in_focus : (..., planes) float array
        Share of the pixels with data whose radius is at most 1 pixel.
    confidence : (..., planes) float array
        Mean confidence of the radii, 0 to 1.
    variance : (..., planes) float array
        Local normalized variance, a classical measure of focus: mean over the tiles of the values'
        variance over their mean. It is larger in focus, and with noise.
    tile_radius : (..., planes, rows, columns) float array
        Radius of each tile; NaN where a tile shows nothing to judge by.
    tile : (int, int)
        Height and width of the tiles in pixels.
    coarse : (..., planes) bool array
        Planes too far out of focus for a full look: their figures are those of a first look at a
        quarter of the size, and less exact. One value holds for all planes.

    See Also
    --------
    focus_profile : make one
    FocusJob : the same, step by step

    Notes
    -----
    Everything else follows from these. The leading axes are those of the stack without `axis`,
    channels, Y and X.

    Examples
    --------
    >>> tiles = np.hypot(0.5, np.arange(5) - 2.0)[:, None, None] * np.ones((4, 6))
    >>> radius = tiles[:, 0, 0]
    >>> variance = 1 / (1 + radius)
    >>> profile = FocusProfile(radius, radius <= 1, radius * 0 + 1, variance, tiles, (16, 16))
    >>> round(float(profile.best), 3), profile.best_grid.shape
    (2.0, (4, 6))
    >>> print(profile.statement)
    plane 2.0 ± 0.1 is the sharpest (the first is 0); its sharpest parts are 0.5 px out of focus
    """

    radius: Floats
    share_in_focus: Any
    confidence: Floats
    variance: Floats
    tile_radius: Floats
    tile: tuple[int, int]
    coarse: Any = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "coarse", np.broadcast_to(self.coarse, self.radius.shape))

    @cached_property
    def sharpest(self) -> Floats:
        """(..., planes) array: mean radius of the sharpest twentieth of the tiles.

        It is that of the subject, not of the background. NaN where no tile shows anything.
        """
        return self._sharpest[0]

    @cached_property
    def surface(self) -> Floats:
        """(..., planes) array: radius of the surface in focus most widely, which gives `best`.

        It is that of the tiles which are sharp in the best plane, through all planes; NaN where no
        tile is sharp.
        """
        curves = np.full(self.radius.shape, np.nan)
        for index in np.ndindex(*curves.shape[:-1]):
            tiles = self.tile_radius[index]
            curves[index] = surface_curve(tiles.reshape(len(tiles), -1), self.variance[index])
        return curves

    @property
    def best(self) -> Any:
        """Fractional index of the sharpest plane, an array of the leading shape.

        NaN where no plane is sharp, or there is nothing to judge by.
        """
        return self._best[..., 0][()]

    @property
    def best_uncertainty(self) -> Any:
        """Standard error of `best` in planes, of the same shape."""
        return self._best[..., 1][()]

    @cached_property
    def best_grid(self) -> Floats:
        """(..., rows, columns) array: `best` of every tile, which shows a tilted or deep sample."""
        profiles = np.moveaxis(self.tile_radius, -3, -1)
        errors = np.full(profiles.shape, _TILE_ERROR)
        return _best_planes(profiles, errors)[..., 0]

    @property
    def statements(self) -> npt.NDArray[np.str_]:
        """One sentence for each stack, an array of the leading shape."""
        leading = self.radius.shape[:-1]
        texts = [self._describe(index) for index in np.ndindex(*leading)]
        return np.array(texts).reshape(leading)

    @property
    def statement(self) -> str:
        """One sentence that says what was found."""
        texts = self.statements
        if texts.ndim == 0:
            return str(texts)
        best = self.best[~np.isnan(self.best)]
        if best.size:
            return (
                f"the sharpest planes of {best.size} of {texts.size} stacks lie from "
                f"{best.min():.1f} to {best.max():.1f}"
            )
        return _NOTHING if (texts == _NOTHING).all() else "no plane of any stack is sharp"

    def _describe(self, index: tuple[int, ...]) -> str:
        radii = self.sharpest[index]
        if np.isnan(radii).all():
            return _NOTHING
        least = np.nanmin(radii)
        if least > SHARP:
            return f"no plane is sharp; the sharpest parts are {least:.1f} px out of focus"
        best, uncertainty = self._best[index]
        if np.isnan(best):
            return (
                "which plane is the sharpest cannot be told; the sharpest parts are "
                f"{least:.1f} px out of focus"
            )
        places = np.arange(len(radii))
        there = np.where(np.isnan(radii), np.inf, np.abs(places - best)).argmin()
        text = f"its sharpest parts are {radii[there]:.1f} px out of focus"
        if len(radii) == 1:
            return f"there is one plane; {text}"
        error = max(uncertainty, _LEAST_TOLD)
        text = f"plane {best:.1f} ± {error:.1f} is the sharpest (the first is 0); {text}"
        count = int((radii[np.abs(places - best) > 1] <= radii[there] + _ERROR).sum())
        if count:
            text += f"; {count} other plane{'s are' if count > 1 else ' is'} as sharp"
        return text + self._reservations(index, best)

    def _reservations(self, index: tuple[int, ...], best: float) -> str:
        """Return what else a statement says: on planes without data, and beyond the ends."""
        (present,) = np.nonzero(np.isfinite(self.radius[index]))
        missing = self.radius.shape[-1] - present.size
        text = ""
        if missing:
            text += f"; {missing} plane{'s hold' if missing > 1 else ' holds'} no data"
        if best <= present[0]:
            text += "; the focus may lie before the first plane"
        elif best >= present[-1]:
            text += "; the focus may lie beyond the last plane"
        return text

    @cached_property
    def _sharpest(self) -> tuple[Floats, Floats]:
        """Radius of the sharpest tiles (..., planes), and its standard error."""
        flat = np.sort(self.tile_radius.reshape(*self.radius.shape, -1), axis=-1)  # NaN is last
        count = max(1, round(_SHARPEST * flat.shape[-1]))
        first, judged = flat[..., :count], np.isfinite(flat[..., :count])
        number = np.maximum(judged.sum(axis=-1), 1)
        mean = np.where(judged, first, 0).sum(axis=-1) / number
        spread = (np.where(judged, first - mean[..., None], 0) ** 2).sum(axis=-1) / number
        radius = np.where(judged.any(axis=-1), mean, np.nan)
        return radius, np.maximum(np.sqrt(spread / number), _ERROR)

    @cached_property
    def _best(self) -> Floats:
        """Best plane and uncertainty (..., 2)."""
        result = np.full((*self.radius.shape[:-1], 2), np.nan)
        for index in np.ndindex(*result.shape[:-1]):
            if np.nan_to_num(self.sharpest[index], nan=np.inf).min() <= SHARP:
                tiles = self.tile_radius[index]
                result[index] = best_plane(
                    *surface_radius(tiles.reshape(len(tiles), -1), self.variance[index])
                )
        return result


def _best_planes(radius: Floats, error: Floats) -> Floats:
    """Return best plane and uncertainty (..., 2) of profiles (..., planes)."""
    result = np.empty((*radius.shape[:-1], 2))
    for index in np.ndindex(*radius.shape[:-1]):
        result[index] = best_plane(radius[index], error[index])
    return result
