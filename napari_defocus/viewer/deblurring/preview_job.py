"""Deblurring of the part of a layer that is in view, coarse or fine."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy.typing as npt

from ...defocus_map import DefocusMap
from ...inference.engine import Progress
from ...jobs import DeblurJob
from ...objective import Objective
from ...options import Options
from ..layers.pixel_blocks import mean_of_blocks, middle_of_blocks
from ..layers.window import Window
from .deblur_job import DeblurLayerJob
from .mixture import Mixture


@dataclass(frozen=True)
class PreviewCache:
    """Intermediate results of a preview that the next one can use again.

    Parameters
    ----------
    chosen : Options
        Options for which the range was measured.
    value_range : (float, float) or array or None
        Black and white of the whole layer; None where the API determines them.
    window : Window
        Region for which the maps were estimated.
    maps : mapping of Options to DefocusMap
        Maps of that region, by the options that they were estimated with.
    """

    chosen: Options
    value_range: Any
    window: Window
    maps: Mapping[Options, DefocusMap] = field(default_factory=dict)


@dataclass(frozen=True)
class PreviewResult:
    """A preview, and what the next one can use of it.

    Parameters
    ----------
    picture : array
        Image and result, mixed.
    amount : float
        Share of the result in the picture.
    mixture : Mixture
        Image and result, to be mixed in another amount.
    cache : PreviewCache
        For the next preview.
    """

    picture: npt.NDArray[Any]
    amount: float
    mixture: Mixture
    cache: PreviewCache


@dataclass(frozen=True)
class PreviewJob:
    """Deblurs a region with a margin, and cuts the margin off.

    Parameters
    ----------
    job : DeblurLayerJob
        Job for the region with its margin.
    inner : Window
        The region without margin, in indices of the job's window.
    step : int
        Side in pixels of the blocks of the image that become a pixel of the preview each.
    coarseness : int
        How many times smaller than chosen the copy is that networks work on.
    cache : PreviewCache, optional
        From an earlier preview of the same pixels.
    """

    job: DeblurLayerJob
    inner: Window
    step: int = 1
    coarseness: int = 1
    cache: PreviewCache | None = None

    def steps(self) -> Generator[Progress, None, PreviewResult]:
        """Yield after every tile; return the region, and a cache for the next preview."""
        options, window = self.job.options, self.job.image.window
        cache = self.cache
        if cache is None or cache.chosen != options:
            measured = yield from self.job.image.complete_options(options)
            cache = PreviewCache(options, measured.value_range, window)
        if cache.window != window:
            cache = PreviewCache(options, cache.value_range, window)
        measured = replace(options, value_range=cache.value_range)
        job = yield from replace(self.job, options=measured).read()
        amount = job.settings.amount
        job = self._at_size(shrink_job(job, self.step))
        if job.estimate is not None and job.settings.strength > 0:
            cache, defocus = yield from self._estimate(job, cache)
            job = job.with_map(defocus)
        job = self.job.edited(job, self.step)
        full = yield from job.steps()
        mixture = self._cut(job, full)
        picture = yield from mixture.steps(amount)
        return PreviewResult(picture, amount, mixture, cache)

    def _at_size(self, job: DeblurJob) -> DeblurJob:
        """Return the job for networks that work on a smaller copy, and for the full change."""
        settings = replace(job.settings, amount=1.0)  # another one needs no run
        downscale = job.options.downscale
        if self.coarseness > 1:
            chosen = downscale if isinstance(downscale, int) else 1
            downscale = min(chosen * self.coarseness, *job.layout.map_shape[-2:])
        return replace(job, settings=settings, options=replace(job.options, downscale=downscale))

    def _estimate(
        self, job: DeblurJob, cache: PreviewCache
    ) -> Generator[Progress, None, tuple[PreviewCache, DefocusMap]]:
        """Return the map of the job, and the cache with it; a coarse job takes a fine map too."""
        fine = replace(job.options, downscale=self.job.options.downscale)
        for options in (fine, job.options):
            if options in cache.maps:
                return cache, cache.maps[options]
        assert job.estimate is not None
        defocus = yield from job.estimate.steps()
        return replace(cache, maps={**cache.maps, job.options: defocus}), defocus

    def _cut(self, job: DeblurJob, full: npt.NDArray[Any]) -> Mixture:
        """Return image and result without the margin, and equal outside of drawn shapes."""
        mask, color = self.job.mask, job.layout.channel_axis is not None
        if mask is not None:
            inside = middle_of_blocks(mask.inside, self.step, job.layout.map_shape)
            full = replace(mask, inside=inside).keep_outside(full, job.image, color=color)
        *planes, rows, columns = self.inner.slices
        inner = (
            *planes,
            *(
                slice(part.start // self.step, -(-part.stop // self.step))
                for part in (rows, columns)
            ),
        )
        return Mixture(job.image[inner], full[inner], job.layout.channel_axis)


def shrink_job(job: DeblurJob, step: int) -> DeblurJob:
    """Return a job on an image of which each block becomes a pixel; radii are as many times less.

    Parameters
    ----------
    job : DeblurJob
        The job; its map, if there is one, is an array or a DefocusMap.
    step : int
        Side of a block in pixels. Rows and columns that fill no block are left out.
    """
    if step == 1:
        return job
    color, settings, options = job.layout.channel_axis is not None, job.settings, job.options
    defocus = job.defocus
    if isinstance(defocus, DefocusMap):
        radius, confidence = (mean_of_blocks(part, step) for part in defocus)
        defocus = replace(defocus, radius=radius / step, confidence=confidence)
    elif defocus is not None:
        defocus = mean_of_blocks(defocus, step) / step
    bokeh, optics = settings.bokeh_radius, options.optics
    if isinstance(optics, Objective):
        optics = replace(optics, pixel_size_um=optics.pixel_size_um * step)
    downscale = options.downscale
    return replace(
        job,
        image=mean_of_blocks(job.image, step, color=color),
        defocus=defocus,
        settings=replace(
            settings,
            protect_radius=settings.protect_radius / step,
            bokeh_radius=bokeh if isinstance(bokeh, str) else bokeh / step,
        ),
        options=replace(
            options,
            optics=optics,
            downscale=max(1, downscale // step) if isinstance(downscale, int) else downscale,
        ),
    )
