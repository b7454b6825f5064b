"""Jobs on image layers: read the layer in the worker thread, then run a job of the API on it."""

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from ..array_types import Mask
from ..defocus_map import DefocusMap
from ..errors import ImageError
from ..inference.engine import Progress
from ..jobs import EstimateJob, Job, find_featureless
from ..map_statistics import map_statistics, sure_radii
from ..options import Options
from ..pipeline.bokeh import subject_limit
from ..provenance_record import array_hash, provenance
from ..views import Views
from .histogram import count_radii
from .image_source import ImageSource
from .map_source import EstimatedMap, MapSource, distrust_featureless
from .map_view import paint_view, view_limit
from .phases import PhaseProgress
from .recipe import Call, as_command_line, as_python
from .region_mask import RegionMask
from .regions import WHERE_THE_MAP_IS

#: Approximate number of radii by which subject and background are told apart.
_SAMPLE = 50_000

ResultT = TypeVar("ResultT", covariant=True)
R = TypeVar("R")


class Runnable(Protocol[ResultT]):
    """What a widget runs: a job, or several in one."""

    def steps(self) -> Generator[Progress, None, ResultT]:
        """Do the work, yielding after every plane that is read and every tile."""

    def as_python(self) -> str:
        """Return Python code that does the same."""

    def as_command_line(self) -> str:
        """Return the command line that does the same."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user may not expect of the run."""


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

    def as_python(self) -> str:
        """Return Python code that does the same."""
        return as_python(self.call)

    def as_command_line(self) -> str:
        """Return the command line that does the same."""
        return as_command_line(self.call)

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
    defocus: DefocusMap,
    record: dict[str, Any],
    options: Options,
    model: str,
    featureless: Mask | None = None,
) -> MapResult:
    """Return a map with its statistics and its provenance, and how it was estimated.

    Statistics leave out what is not sure, and where the image shows nothing.
    """
    shown = distrust_featureless(defocus, featureless)
    estimated = EstimatedMap(
        defocus,
        array_hash(defocus.radius),
        record["input"]["hash"],
        options,
        model,
        map_statistics(shown.radius, shown.confidence),
        count_radii(sure_radii(*shown), signed=defocus.signed),
        subject_limit(*_sample(defocus)),
        featureless,
    )
    limit = round(view_limit(defocus.radius), 1)
    return MapResult(estimated, record, limit, paint_view(shown, limit))


def _sample(defocus: DefocusMap) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return sizes of radii and confidences of evenly spread pixels."""
    step = max(1, int((defocus.radius.size / _SAMPLE) ** 0.5))
    return np.abs(defocus.radius[..., ::step, ::step]), defocus.confidence[..., ::step, ::step]


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
        featureless = yield from find_featureless(job)
        if self.mask is not None:
            radius, confidence = (np.where(self.mask.inside, part, 0) for part in defocus)
            defocus = replace(defocus, radius=radius, confidence=confidence)
            record = self.mask.described(record)
        return map_result(defocus, record, self.options, self.model, featureless)

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


def run_on_record(
    job: Job[R], image: ImageSource, inside: Job[R] | None = None
) -> Generator[Progress, None, tuple[R, dict[str, Any]]]:
    """Run a job; return its result and its provenance, which holds hashes of all arrays.

    Parameters
    ----------
    job : Job
        The job.
    image : ImageSource
        The part of the layer that it works on.
    inside : Job, optional
        What is run in its place: the job without the pixels outside of drawn shapes.

    Raises
    ------
    ImageError
        If the pixels of a layer were changed in place meanwhile, for the result would be of both.
    """
    yield PhaseProgress(0, 0, "preparing")
    record = provenance(job, **image.origin)
    result = yield from (inside or job).steps()
    if provenance(job, **image.origin) != record:
        raise ImageError(
            f"the pixels of {image.name!r} or of its map were changed during the run; run again"
        )
    return result, record
