"""Jobs on image layers: read the layer in the worker thread, then run a job of the API on it."""

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from ..deblur_settings import DeblurSettings
from ..defocus_map import DefocusMap
from ..errors import ImageError, OptionError
from ..inference.engine import Progress
from ..jobs import DeblurJob, EstimateJob, Job
from ..map_colors import color_limit
from ..map_edits import apply_edits
from ..map_statistics import UNSURE, map_statistics
from ..options import Options
from ..provenance_record import array_hash, provenance
from ..views import Views
from .histogram import count_radii
from .image_source import ImageSource
from .map_source import EDITED, EstimatedMap, MapSource
from .map_view import paint_view
from .mixture import Mixture, with_amount
from .recipe import Call
from .region_mask import RegionMask
from .regions import WHERE_THE_MAP_IS

ResultT = TypeVar("ResultT")
R = TypeVar("R")


@dataclass(frozen=True)
class LayerJob(ABC, Generic[ResultT]):
    """Work on part of an image layer, for a worker thread.

    Parameters
    ----------
    image : ImageSource
        The part of the layer.
    options : Options
        Options as chosen in the widget; the layer adds channel axis and value range.
    skipped : str
        Name of the newest map if it is not used, for it does not cover the part.
    mask : RegionMask, optional
        Pixels of the part that are worked on.
    """

    image: ImageSource
    options: Options
    skipped: str = field(default="", kw_only=True)
    mask: RegionMask | None = field(default=None, kw_only=True)

    @abstractmethod
    def steps(self) -> Generator[Progress, None, ResultT]:
        """Do the work, yielding after every plane that is read and every tile."""

    @property
    @abstractmethod
    def call(self) -> Call:
        """The call of the API that does the same."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user may not expect of the run."""
        if not self.skipped:
            return ()
        return (
            f"the map {self.skipped!r} covers only part of {self.image.name!r}, so that another "
            f"one was estimated; to deblur only there, choose the region {WHERE_THE_MAP_IS!r}",
        )


@dataclass(frozen=True)
class MapResult:
    """A defocus map, ready to be shown.

    Parameters
    ----------
    estimated : EstimatedMap
        The map.
    provenance : dict
        How it was made.
    limit : float
        Radius in pixels that gets the last color.
    view : array
        The map in colors with that limit, from `paint_view`.
    """

    estimated: EstimatedMap
    provenance: dict[str, Any]
    limit: float
    view: Any = field(repr=False)


def map_result(
    defocus: DefocusMap, record: dict[str, Any], options: Options, model: str
) -> MapResult:
    """Return a map with its statistics and its provenance, and how it was estimated."""
    sure = np.where(defocus.confidence >= UNSURE, defocus.radius, np.nan)
    estimated = EstimatedMap(
        defocus,
        array_hash(defocus.radius),
        record["input"]["hash"],
        options,
        model,
        map_statistics(defocus.radius, defocus.confidence),
        count_radii(sure, signed=defocus.signed),
    )
    limit = round(color_limit(defocus.radius), 1)
    return MapResult(estimated, record, limit, paint_view(defocus, limit))


@dataclass(frozen=True)
class DeblurResult:
    """A deblurred image.

    Parameters
    ----------
    image : array
        The image.
    provenance : dict
        How it was made.
    changed : float
        Share of its pixels, 0 to 1, that differ from those of the layer.
    mixture : Mixture
        The image before and in full.
    estimated : MapResult, optional
        The map, if one was estimated for it.
    """

    image: npt.NDArray[Any]
    provenance: dict[str, Any]
    changed: float
    mixture: Mixture
    estimated: MapResult | None = None


@dataclass(frozen=True)
class EstimateLayerJob(LayerJob[MapResult]):
    """Estimation of the defocus of a layer, or of two layers with dual-pixel views.

    Parameters
    ----------
    model : str
        Name or path of the estimator.
    right : ImageSource, optional
        The right view, if `image` is the left one.
    """

    model: str = EstimateJob.model
    right: ImageSource | None = None

    def steps(self) -> Generator[Progress, None, MapResult]:
        """Estimate the map, yielding after every plane that is read and every tile."""
        image = yield from self.image.read()
        right = None if self.right is None else (yield from self.right.read())
        options = yield from self.image.complete_options(self.options)
        job = EstimateJob(Views(image, right), self.model, options)
        defocus, record = yield from run_on_record(job, self.image)
        if self.mask is not None:
            radius, confidence = (np.where(self.mask.inside, part, 0) for part in defocus)
            defocus = replace(defocus, radius=radius, confidence=confidence)
            record = self.mask.described(record)
        return map_result(defocus, record, self.options, self.model)

    @property
    def call(self) -> Call:
        """The call of ``estimate_defocus`` that does the same."""
        inputs: dict[str, ImageSource | MapSource] = {"image": self.image}
        if self.right is not None:
            inputs["right"] = self.right
        arguments = {} if self.model == EstimateJob.model else {"model": self.model}
        options = self.image.options_of_file(self.options)
        mask = self.mask
        return Call("estimate_defocus", "map", "defocus", inputs, arguments, options, mask=mask)


@dataclass(frozen=True)
class DeblurLayerJob(LayerJob[DeblurResult]):
    """Deblurring of a layer.

    Parameters
    ----------
    defocus : MapSource, optional
        The map; estimated from the image if there is none.
    settings : DeblurSettings
        How much is changed, and by which models.
    base : MapSource, optional
        The map that labels in `defocus` are painted over; estimated if there is none.
    """

    defocus: MapSource | None = None
    settings: DeblurSettings = field(default_factory=DeblurSettings)
    base: MapSource | None = None

    def steps(self) -> Generator[Progress, None, DeblurResult]:
        """Deblur the image, yielding after every plane that is read and every tile."""
        job = yield from self.read()
        estimated = None
        amount = job.settings.amount
        job = replace(job, settings=replace(job.settings, amount=1.0))  # another one needs no run
        if job.estimate is not None and job.settings.strength > 0 and not job.layout.channelwise:
            defocus, record = yield from run_on_record(job.estimate, self.image)
            estimated = map_result(defocus, record, self.options, self.settings.map_model)
            job = job.with_map(defocus)
        job = self.edited(job)
        if self._edits is not None:
            estimated = self._describe_edits(job, estimated)
        full, record = yield from run_on_record(job, self.image)
        if self.mask is not None:
            color = job.layout.channel_axis is not None
            full = self.mask.keep_outside(full, job.image, color=color)
            record = self.mask.described(record)
        mixture = Mixture(job.image, full, job.layout.channel_axis)
        image = yield from mixture.steps(amount)
        record = with_amount(record, amount)
        return DeblurResult(image, record, mixture.share_changed(image), mixture, estimated)

    def read(self) -> Generator[Progress, None, DeblurJob]:
        """Read image and map, yielding after every plane; return the job on these arrays.

        Labels are no map: with them, the job has that of `base`, or estimates one.
        """
        image = yield from self.image.read()
        options = yield from self.image.complete_options(self.options)
        source = self.defocus if self._edits is None else self.base
        return DeblurJob(image, None if source is None else source.read(), self.settings, options)

    def edited(self, job: DeblurJob) -> DeblurJob:
        """Return the job with the labels painted over its map, if there are any.

        Raises
        ------
        ImageError
            If channels are worked on one by one, with maps of their own.
        """
        if self._edits is None:
            return job
        defocus = job.defocus if job.estimated_map is None else job.estimated_map
        if defocus is None:
            raise ImageError(
                f"channels of {self.image.name!r} are worked on one by one, so that labels are not "
                "used; choose a map, or deblur one channel"
            )
        if not isinstance(defocus, DefocusMap):
            defocus = DefocusMap(np.abs(defocus), np.ones_like(defocus))
        labels = np.asarray(self._edits.read()).astype(int)
        return replace(job, defocus=apply_edits(defocus, labels), estimated_map=None)

    @property
    def call(self) -> Call:
        """The call of ``deblur`` that does the same."""
        if self._edits is not None:
            raise OptionError(
                f"the labels {self._edits.name!r} become part of a map when this runs; run once, "
                "and copy then"
            )
        inputs: dict[str, ImageSource | MapSource] = {"image": self.image}
        if self.defocus is not None and not self._estimates_same_map:
            inputs["defocus"] = self.defocus
        options = self.image.options_of_file(self.options)
        changed, mask = self.settings.changed(), self.mask
        return Call("deblur", "deblur", "sharp", inputs, changed, options, mask=mask)

    @property
    def _edits(self) -> MapSource | None:
        return self.defocus if self.defocus is not None and self.defocus.discrete else None

    def _describe_edits(self, job: DeblurJob, estimated: MapResult | None) -> MapResult:
        """Return the edited map of a job, with what it was made from."""
        record = {
            "function": "apply_edits",
            "labels": None if self._edits is None else self._edits.name,
            "input": provenance(job, **self.image.origin)["input"],
            "estimate": None if estimated is None else estimated.provenance,
        }
        return map_result(job.defocus, record, self.options, EDITED)

    @property
    def _estimates_same_map(self) -> bool:
        """Whether the map is the one that deblurring would estimate by itself."""
        assert self.defocus is not None
        whole, model = self.image.is_whole, self.settings.map_model
        return whole and self.defocus.repeats(self.image.data, self.options, model)

    @property
    def notes(self) -> tuple[str, ...]:
        """Whether the map is resampled or not used."""
        if self.defocus is None or self.defocus.slices is not None:
            return super().notes
        return (
            f"the map {self.defocus.name!r} is resampled to the pixels of {self.image.name!r}, "
            "where the viewer shows it",
        )


def run_on_record(
    job: Job[R], image: ImageSource
) -> Generator[Progress, None, tuple[R, dict[str, Any]]]:
    """Run a job; return its result and its provenance, which holds hashes of all arrays.

    Raises
    ------
    ImageError
        If the pixels of a layer were changed in place meanwhile, for the result would be of both.
    """
    record = provenance(job, **image.origin)
    result = yield from job.steps()
    if provenance(job, **image.origin) != record:
        raise ImageError(
            f"the pixels of {image.name!r} or of its map were changed during the run; run again"
        )
    return result, record
