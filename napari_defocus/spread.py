"""Spread of a deblurred picture between runs on the image shifted, flipped and with more noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .array_types import Array, FloatArray
from .defocus_map import DefocusMap
from .errors import OptionError, quote
from .evidence.check_result import Check
from .image.layout import Layout, is_dask
from .jobs import DeblurJob, EstimateJob

#: Most runs.
MOST_RUNS = 64
#: Shifts in px, down and to the right, of the runs: of no multiple of what networks fold together.
_SHIFTS = ((1, 2), (3, 1), (2, 5), (5, 3))
#: Share of pixels whose second difference is taken for that of noise, and its normal quantile.
_FLAT, _FLAT_QUANTILE = 0.3, 0.385


def check_runs(runs: Any, *, check: bool) -> int:
    """Return a number of runs; an OptionError unless it is a whole number from 0 to 64."""
    is_whole = isinstance(runs, int | np.integer) and not isinstance(runs, bool)
    if not (is_whole and 0 <= runs <= MOST_RUNS):
        raise OptionError(
            f"spread is {quote(runs)}; a whole number of runs from 0 to {MOST_RUNS} is expected"
        )
    if runs and not check:
        raise OptionError(f"spread is {runs} and check is off; the spread is part of the check")
    return int(runs)


def run_checked(
    job: DeblurJob, runs: int, progress: Callable[[int, int], object] | None = None
) -> tuple[Any, Check]:
    """Deblur and check at once, and measure the spread of the result if runs are more than 0."""
    if job.estimate is not None and not job.layout.channelwise:
        job = job.with_map(job.estimate.run(progress))
    sharp = job.run(progress)
    check = job.check(sharp).run(progress)
    return sharp, replace(check, spread=measure_spread(job, sharp, runs, progress))


def measure_spread(
    job: DeblurJob, sharp: Any, runs: int, progress: Callable[[int, int], object] | None = None
) -> FloatArray | None:
    """Return the standard deviation of a result between runs, None of none.

    Parameters
    ----------
    job : DeblurJob
        The job that made the result; a map that is estimated already is kept.
    sharp : array
        The result.
    runs : int
        Number of further runs.
    progress : callable, optional
        As for `Job.run`.

    Returns
    -------
    (..., Y, X) float32 array, optional
        In the values of the picture, of the mean of its colors.

    Raises
    ------
    OptionError
        If the image is lazy.

    Notes
    -----
    Each run gets the image flipped, shifted by some pixels beyond a mirrored rim, and with white
    noise as strong as its own. What a network reads out of the image stays; what it makes up
    changes.
    """
    if not runs:
        return None
    if is_dask(job.image):
        raise OptionError("spread needs an image in memory; compute the dask array, or a part")
    total = np.zeros(job.layout.map_shape, np.float64)
    squares = np.zeros_like(total)
    for number in range(runs):
        variant = Variant(job.layout, number)
        again = variant.undo(variant.of(job).run(progress))
        change = _brightness(again, job.layout) - _brightness(sharp, job.layout)
        total += change
        squares += change**2
    variance = (squares - total**2 / (runs + 1)) / runs
    return np.asarray(np.sqrt(variance.clip(0)), np.float32)


@dataclass(frozen=True)
class Variant:
    """One of the runs.

    Parameters
    ----------
    layout : Layout
        Layout of the image.
    number : int
        Number of the run, which decides everything.
    """

    layout: Layout
    number: int

    def of(self, job: DeblurJob) -> DeblurJob:
        """Return the job for the image of this run."""
        image = self._turn(self._add_noise(np.asarray(job.image)), self._plane_axes)
        defocus = job.defocus if job.estimated_map is None else job.estimated_map
        if isinstance(defocus, EstimateJob):
            defocus = defocus.run()
        if isinstance(defocus, DefocusMap):
            radius, confidence = (self._turn(np.asarray(part), (-2, -1)) for part in defocus)
            defocus = DefocusMap(radius, confidence, signed=defocus.signed)
        elif defocus is not None:
            defocus = self._turn(np.asarray(defocus), (-2, -1))
        options = replace(job.options, value_range=job.value_range)
        settings = job.settings if defocus is None else replace(job.settings, map_model="auto")
        return DeblurJob(image, defocus, settings, options)

    def undo(self, result: Array) -> Array:
        """Return the result of this run turned back."""
        rows, columns = self._plane_axes
        result = np.flip(result, self._flipped(rows, columns))
        down, right = _SHIFTS[self.number % len(_SHIFTS)]
        index: list[Any] = [slice(None)] * result.ndim
        index[rows], index[columns] = slice(down, None), slice(right, None)
        return np.asarray(result[tuple(index)])

    @property
    def _plane_axes(self) -> tuple[int, int]:
        """Numbers of the axes Y and X, from the end."""
        count = len(self.layout.shape)
        axis = self.layout.channel_axis
        axes = [i - count for i in range(count) if axis is None or i != axis % count]
        return axes[-2], axes[-1]

    def _flipped(self, rows: int, columns: int) -> tuple[int, ...]:
        flips = (self.number + 1) & 1, (self.number + 1) & 2
        return tuple(axis for axis, flip in zip((columns, rows), flips, strict=True) if flip)

    def _turn(self, array: Array, axes: tuple[int, int]) -> Array:
        margins = [(0, 0)] * array.ndim
        for axis, shift in zip(axes, _SHIFTS[self.number % len(_SHIFTS)], strict=True):
            margins[axis] = (shift, 0)
        return np.flip(np.pad(array, margins, mode="symmetric"), self._flipped(*axes))

    def _add_noise(self, image: Array) -> Array:
        """Return the image with as much white noise as it has; pixels without data stay."""
        columns = self._plane_axes[1]
        values = image.astype(np.float64)
        second = np.abs(np.diff(values, 2, axis=columns))
        finite = second[np.isfinite(second)]
        if not finite.size:
            return image
        sigma = float(np.quantile(finite, _FLAT)) / (_FLAT_QUANTILE * 6**0.5)
        noise = np.random.default_rng(self.number).normal(0, sigma, image.shape)
        kept = ~np.isfinite(values)
        if not isinstance(self.layout.nodata, str):
            kept |= values == self.layout.nodata
        if self.layout.channel_axis is not None and self.layout.channels == 4:
            alpha: list[Any] = [slice(None)] * image.ndim
            alpha[self.layout.channel_axis] = 3
            kept[tuple(alpha)] = True
        noisy = np.where(kept, values, values + noise)
        if image.dtype.kind in "iu":
            limits = np.iinfo(image.dtype)
            noisy = np.rint(noisy).clip(limits.min, limits.max)
        return np.where(kept, image, noisy.astype(image.dtype))


def _brightness(picture: Any, layout: Layout) -> Array:
    """Return the mean of the colors (..., Y, X)."""
    values = np.asarray(picture, np.float64)
    if layout.channel_axis is None:
        return values
    colors = np.moveaxis(values, layout.channel_axis, -1)
    return np.asarray(colors[..., :3].mean(-1))
