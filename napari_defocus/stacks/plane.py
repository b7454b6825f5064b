"""Map of one plane of a stack, with the values that it was estimated from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from ..array_types import Array, FloatArray
from ..image.layout import Layout
from ..inference.storage import Planes, WritablePlanes
from ..pipeline.plane import PlaneCodec, PlaneRun, Steps
from ..pipeline.planes import PlaneProcess


@dataclass(frozen=True)
class PlaneProfiler:
    """Estimation of a plane's map, which keeps the plane's values beside it.

    Parameters
    ----------
    layout : Layout
        Layout of the stack.
    process : PlaneProcess
        The estimation.
    """

    layout: Layout
    process: PlaneProcess

    @property
    def stages(self) -> int:
        """Number of passes over the plane."""
        return self.process.stages

    @property
    def extra_pixels(self) -> int:
        """Pixels of each plane that are processed in addition to the passes over it."""
        return self.process.extra_pixels

    def steps(self, *planes: Planes, value_range: Any, run: PlaneRun) -> Steps[WritablePlanes]:
        """Return radius, confidence and light (3, Y, X)."""
        estimate = yield from self.process.steps(*planes, value_range=value_range, run=run)
        light = _light(planes[0][:3, :, :], self.layout, value_range)
        return np.concatenate([estimate[:, :, :], light[None]])


def _light(plane: Array, layout: Layout, ranges: Any) -> FloatArray:
    """Return the mean of a plane's colors (Y, X), 0 to 1; NaN where one holds no data."""
    channels = []
    for values, (low, high) in zip(
        plane, np.broadcast_to(ranges, (len(plane), 2)).tolist(), strict=True
    ):
        valid = PlaneCodec(layout.channel(), (low, high)).valid_mask(values)
        light = ((values.astype(np.float64) - low) / (high - low)).astype(np.float32)
        channels.append(light if valid is None else np.where(valid, light, np.float32(np.nan)))
    return cast(FloatArray, np.mean(channels, axis=0, dtype=np.float32))
