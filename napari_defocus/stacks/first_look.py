"""First look at the planes of a long stack, at a smaller size: which are worth a full one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation

from ..array_types import Array, FloatArray
from ..image.encoding import fill_missing
from ..image.layout import Layout
from ..image.missing import valid_mask
from ..inference.resample import block_mean, level_shape, upsample
from ..inference.storage import Planes, WritablePlanes
from ..jobs import EstimateJob
from ..options import Options
from ..pipeline.channelwise import ChannelwiseMap
from ..pipeline.levels import coarsest_level
from ..pipeline.plane import PlaneRun, Steps
from ..pipeline.planes import PlaneProcess
from ..views import Views

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]

#: Factor by which a plane is made smaller for the first look, a power of two.
_FACTOR = 4
#: Fewest planes of a stack that has a first look: of fewer, too few are far from focus.
_FEWEST = 16
#: Radius in pixels, of the first look, up to which a place may be in focus.
_MAY_BE_SHARP = 4.0
#: Share of the places that show something which must be that sharp.
_LEAST_SHARE = 0.02
#: Planes on either side of such ones that are looked at too.
_MARGIN = 2
#: Quantile of the energies of a place over the planes that is one far from focus; by how many
#: standard deviations it lies above their mean there.
_FAR, _FAR_DEVIATION = 0.1, -1.28
#: Least energy beyond it of detail: relative to that of the sharpest plane, and in standard
#: deviations.
_LEAST_DETAIL, _DEVIATIONS = 0.1, 6.0


@dataclass(frozen=True)
class FirstLook:
    """Estimation of a plane's map from a copy at a quarter of its size.

    Parameters
    ----------
    layout : Layout
        Layout of the stack.
    model : str, path or torch.nn.Module
        Model that estimates the maps.
    options : Options
        How values are read and how to compute.
    """

    layout: Layout
    model: Any
    options: Options

    @property
    def stages(self) -> int:
        """Number of passes over the plane at its full size."""
        return 0

    @property
    def extra_pixels(self) -> int:
        """Pixels that are processed: those of the smaller copy."""
        small = int(np.prod(self._small_shape))
        return self._process.stages * small + self._process.extra_pixels

    def steps(self, *planes: Planes, value_range: Any, run: PlaneRun) -> Steps[WritablePlanes]:
        """Return radius and confidence (2, Y, X) of one plane (C, Y, X).

        The confidence is that of an error below a pixel of the smaller copy.
        """
        small = _shrink(planes[0][:3, :, :], self.layout, value_range)
        run = replace(run, options=self._job.options)
        estimate = yield from self._process.steps(small, value_range=(0.0, 1.0), run=run)
        scale = np.array([_FACTOR, 1], np.float32)[:, None, None]
        return upsample(scale * estimate[:, :, :], _FACTOR, self.layout.map_shape[-2:])

    @property
    def _small_shape(self) -> tuple[int, int]:
        return level_shape(self.layout.map_shape, _FACTOR)

    @cached_property
    def _job(self) -> EstimateJob:
        color = self.layout.color
        options = replace(
            self.options,
            channel_axis=0 if color else "none",
            encoding=self.layout.encoding,
            imaging=self.layout.imaging,
            value_range=(0.0, 1.0),
            downscale="auto" if self.options.downscale == "auto" else 1,
            nodata="none",
            range_axis=None,
            optics=Options.optics,
        )
        like = np.zeros((*((3,) if color else ()), *self._small_shape), np.float32)
        return EstimateJob(Views(like), self.model, options)

    @cached_property
    def _process(self) -> PlaneProcess:
        process: PlaneProcess = self._job.plane_task
        layout = self._job.layout
        return ChannelwiseMap(layout, process) if layout.channelwise else process


def is_worth_a_first_look(options: Options, layout: Layout, planes: int) -> bool:
    """Return whether a stack of so many planes is looked at twice, to save time.

    Examples
    --------
    >>> stack = Layout((40, 512, 512), np.dtype(np.uint16), None, "linear")
    >>> is_worth_a_first_look(Options(), stack, 40), is_worth_a_first_look(Options(), stack, 5)
    (True, False)
    """
    is_large = coarsest_level(layout.map_shape[-2:]) >= _FACTOR
    return planes >= _FEWEST and is_large and options.downscale in ("auto", 1)


def worth_a_full_look(radius: Floats, detail: Floats, samples: int) -> Mask:
    """Return which planes may be in focus somewhere, and their neighbors.

    Parameters
    ----------
    radius : (planes, N) float array
        Radius in pixels of each place in the first look; NaN where it shows nothing.
    detail : (planes, N) float array
        Energy of detail at full size: fine texture is lost in the smaller copy.
    samples : int
        Number of independent values that such an energy is the mean of.

    Returns
    -------
    (planes,) bool array
        All planes if none may be in focus.

    Examples
    --------
    >>> radius = np.abs(np.arange(30) - 9.0)[:, None] * np.ones(50)
    >>> np.flatnonzero(worth_a_full_look(radius, np.ones((30, 50)), 100))
    array([ 3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15])
    """
    unsure = np.isnan(radius)
    has_detail = unsure & _has_detail(detail, samples)
    shown = (~unsure | has_detail).any(axis=0).sum()
    near = ((radius <= _MAY_BE_SHARP) | has_detail).sum(axis=1) >= max(1, _LEAST_SHARE * shown)
    if not near.any():
        return np.ones(len(radius), bool)
    widened: Mask = binary_dilation(near, iterations=_MARGIN)
    return widened


def _has_detail(detail: Floats, samples: int) -> Mask:
    """Return where (planes, N) a place has more detail than far from focus."""
    spread = np.sqrt(2 / samples)
    floor = np.quantile(detail, _FAR, axis=0) / max(1 + _FAR_DEVIATION * spread, 0.3)
    excess = detail - floor
    least = np.maximum(_LEAST_DETAIL * excess.max(axis=0), _DEVIATIONS * spread * floor)
    return np.asarray(excess > least)


def _shrink(plane: Array, layout: Layout, ranges: Any) -> FloatArray:
    """Return the colors of a plane (C, Y, X) made smaller, black being 0 and white 1."""
    pairs: Sequence[Any] = np.broadcast_to(ranges, (len(plane), 2)).tolist()
    channels = []
    for values, (low, high) in zip(plane, pairs, strict=True):
        unit = ((values.astype(np.float64) - low) / (high - low)).astype(np.float32)
        valid = valid_mask(values, layout.nodata, (low, high))
        channels.append(unit if valid is None else _filled(unit, valid))
    return block_mean(np.stack(channels), _FACTOR)


def _filled(values: FloatArray, valid: Mask) -> FloatArray:
    return fill_missing(values, valid) if valid.any() else np.zeros_like(values)
