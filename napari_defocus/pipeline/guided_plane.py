"""A plane with the map that guides its deblurring."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..defocus_map import check_values
from ..inference.storage import MemoryStorage, Planes, WritablePlanes
from .estimate import PlaneEstimator
from .hot_pixels import without_hot_pixels
from .levels import ImageLevels
from .plane import PlaneCodec, PlaneRun, Steps


class GuidedPlane:
    """A plane, and its levels and its map, which are made when first needed, and kept.

    Parameters
    ----------
    planes : sequence of (C, Y, X) arrays
        The plane and, where the map exists, radius and confidence (1, Y, X).
    codec : PlaneCodec
        Meaning of its values.
    map_source : PlaneEstimator or bool
        The estimator of the map; or, if the map exists, whether its radii are signed.
    run : PlaneRun
        Options and progress, and the storage of levels and map.
    """

    def __init__(
        self,
        planes: Sequence[Planes],
        codec: PlaneCodec,
        map_source: PlaneEstimator | bool,
        run: PlaneRun,
    ) -> None:
        self.plane, *self._maps = planes
        self.codec, self._map_source, self._run = codec, map_source, run
        self._guide: tuple[ImageLevels, WritablePlanes] | None = None

    @property
    def varies(self) -> bool:
        """Whether its first channel is not constant."""
        return bool(self.codec.shares(self.plane, self._run.storage)[0])

    def guide(self) -> Steps[tuple[ImageLevels, WritablePlanes]]:
        """Return the levels, and unsigned radius and confidence (2, Y, X)."""
        if self._guide is None:
            self._guide = yield from self._make_guide()
        return self._guide

    def _make_guide(self) -> Steps[tuple[ImageLevels, WritablePlanes]]:
        run, layout = self._run, self.codec.layout
        display = self.codec.to_display(self.plane, run.storage)
        if layout.is_gray_micrograph:
            display = without_hot_pixels(display, run.storage)
        levels = ImageLevels(display, run.storage, run.resolved_level(layout))
        source = self._map_source
        if isinstance(source, PlaneEstimator):
            return levels, (
                yield from source.steps_at_levels(levels, [self.plane], self.codec, run)
            )
        return levels, _unsigned_map(self._maps, run.storage, signed=source)


def _unsigned_map(
    maps: Sequence[Planes], storage: MemoryStorage, *, signed: bool
) -> WritablePlanes:
    """Check a map's values; return unsigned radius and confidence (2, Y, X)."""
    result = storage.array((2, *maps[0].shape[1:]))
    for block in storage.blocks(result.shape, 1):
        radius, confidence = (part[:, *block.slices] for part in maps)
        check_values(radius, confidence, signed=signed)
        result[:, *block.slices] = np.concatenate([np.abs(radius), confidence])
    return result
