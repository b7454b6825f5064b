"""Figures of the planes of a stack, entered one by one, which make up its profile."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..array_types import FloatArray
from ..image.layout import Layout
from .first_look import worth_a_full_look
from .persistence import Persistence
from .profile import IN_FOCUS, FocusProfile
from .tiles import Tiles, detail_samples, measure_detail, measure_tiles, tile_shape

Mask = npt.NDArray[np.bool_]


class PlaneFigures:
    """Figures of planes; what is entered later for the same plane replaces what was before.

    Parameters
    ----------
    layout : Layout
        Layout of the stacks.
    place : int
        Place of the axis of the planes among the axes before Y and X.
    quantum : float
        Step between neighboring values, white being 1 above black.
    """

    def __init__(self, layout: Layout, place: int, quantum: float) -> None:
        self._place, self._quantum = place, quantum
        self._tile = tile_shape(layout.map_shape[-2:])
        size = tuple(
            length // side for length, side in zip(layout.map_shape[-2:], self._tile, strict=True)
        )
        self._figures = np.empty((*layout.leading, 4))
        self._tiles, self._detail = np.zeros((2, *layout.leading, *size))
        stacks = tuple(np.delete(layout.leading, place).tolist())
        self._persistence = Persistence(stacks, layout.leading[place])

    def enter(
        self,
        index: tuple[int, ...],
        radius: FloatArray,
        confidence: FloatArray,
        light: FloatArray,
        *,
        is_first: bool = False,
    ) -> None:
        """Enter the figures of a plane.

        Parameters
        ----------
        index : tuple of int
            Index of the plane along all axes before Y and X.
        radius, confidence : (Y, X) float32 array
            The plane's map.
        light : (Y, X) float32 array
            Values from 0, black, to 1, white; NaN where there is no data.
        is_first : bool
            Whether the map is that of a first look.
        """
        measured = measure_tiles(radius, confidence, light, self._quantum)
        self._figures[index] = _figures(radius, confidence, light, measured)
        self._tiles[index] = measured.radius
        if is_first:
            self._detail[index] = measure_detail(light)
        place = self._place
        self._persistence.add((*index[:place], *index[place + 1 :]), index[place], measured)

    def worth_a_full_look(self) -> Mask:
        """Return which planes may be in focus, an array of the shape of the leading axes."""
        tiles, detail = (np.moveaxis(p, self._place, -3) for p in (self._tiles, self._detail))
        worth = np.empty(tiles.shape[:-2], bool)
        samples = detail_samples(self._tile)
        for stack in np.ndindex(*worth.shape[:-1]):
            radius, energy = (part[stack].reshape(worth.shape[-1], -1) for part in (tiles, detail))
            worth[stack] = worth_a_full_look(radius, energy, samples)
        return np.moveaxis(worth, -1, self._place)

    def profile(self, coarse: Mask) -> FocusProfile:
        """Return the profile of planes whose figures are partly those of a first look."""
        radius, share, confidence, variance = np.moveaxis(self._figures, (-1, self._place), (0, -1))
        tile_radius = np.moveaxis(self._tiles, self._place, -3).copy()
        tile_radius[~self._persistence.persists] = np.nan
        marks = np.moveaxis(coarse, self._place, -1)
        return FocusProfile(radius, share, confidence, variance, tile_radius, self._tile, marks)


def _figures(
    radius: FloatArray, confidence: FloatArray, light: FloatArray, tiles: Tiles
) -> list[float]:
    """Return median radius, share in focus, confidence and variance of a plane."""
    valid = ~np.isnan(light)
    if not valid.any():
        return [np.nan, np.nan, 0.0, np.nan]
    radii = np.abs(radius[valid])
    share, sure = (radii <= IN_FOCUS).mean(), confidence[valid].mean(dtype=np.float64)
    variance = tiles.variance[~np.isnan(tiles.variance)]
    figures = [np.median(radii), share, sure, variance.mean() if variance.size else np.nan]
    return [float(figure) for figure in figures]
