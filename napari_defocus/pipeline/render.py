"""Rendering of one plane with another blur."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import FloatArray
from ..defocus_map import check_values
from ..image.value_range import Range
from ..inference.device import Compute
from ..inference.engine import Progress, infer
from ..inference.resample import block_mean, downsample, upsample
from ..inference.storage import MemoryStorage, Planes, WritablePlanes
from .levels import as_rgb
from .plane import Steps, Work
from .progress import ProgressMeter

if TYPE_CHECKING:
    from torch import nn


def render_levels(
    lens: nn.Module, seen: FloatArray, compute: Compute, scale: int | str, meter: ProgressMeter
) -> Generator[Progress, None, FloatArray]:
    """Blur by signed radii, at full scale unless told otherwise.

    Parameters
    ----------
    lens : torch.nn.Module
        Takes display-encoded RGB and radius, gives RGB.
    seen : (4, Y, X) float32 array
        The image in the networks' form, and radius in pixels of the plane.
    compute : Compute
        Device, precision and tiles.
    scale : int or "auto"
        The level to work at; "auto" is 1, for blur of any radius can be rendered.
    meter : ProgressMeter
        Counts the progress.

    Yields
    ------
    Progress

    Returns
    -------
    (3, Y, X) float32 array
        In the networks' form.
    """
    level = 1 if scale == "auto" else int(scale)
    coarse = np.concatenate([*downsample(seen[:3], [level]), block_mean(seen[3:], level) / level])
    steps = infer(lens, coarse, compute)
    blurred = yield from meter.measure(steps, coarse[0].size, planned=True)
    return upsample(blurred, level, seen.shape[-2:])


@dataclass(frozen=True)
class Refocus:
    """The refocusing of one plane; the confidence of its map does not matter."""

    work: Work
    signed: bool
    focus: float
    aperture: float

    def steps(
        self,
        plane: Planes,
        *maps: Planes,
        value_range: Range,
        meter: ProgressMeter,
        storage: MemoryStorage,
    ) -> Steps[WritablePlanes]:
        """Return the plane (C, Y, X) refocused; `maps` are radius and confidence (1, Y, X)."""
        from .render_network import RenderNetwork

        work = self.work
        original, *known = (part[:, :, :] for part in (plane, *maps))
        before = work.to_display(plane, value_range, storage)[:, :, :]
        check_values(*known, signed=self.signed)
        behind = -self.aperture if self.signed else self.aperture
        radius = behind * (known[0].astype(np.float32) - self.focus)
        lens = RenderNetwork(float(radius.min()), float(radius.max()))
        seen = np.concatenate([as_rgb(before), radius.astype(np.float32)])
        after = yield from render_levels(lens, seen, work.compute, work.scale, meter)
        return work.add_change(original, before, after - before, value_range)
