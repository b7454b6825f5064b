"""Jobs on image layers: read the layer in the worker thread, then run a job of the API on it."""

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from ..inference.engine import Progress
from ..jobs import DeblurJob, EstimateJob
from ..options import Options
from ..provenance_record import array_hash, provenance
from ..views import Views
from .histogram import RadiusCounts, count_radii
from .image_source import ImageSource
from .map_source import EstimatedMap, MapSource
from .recipe import Call

#: Radii below this many pixels count as in focus.
_IN_FOCUS = 0.5

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class LayerJob(ABC, Generic[ResultT]):
    """Work on part of an image layer, for a worker thread.

    Parameters
    ----------
    image : ImageSource
        The part of the layer.
    model : str
        Name or path of the model that makes the result.
    options : Options
        Options as chosen in the widget; the layer adds channel axis and value range.
    """

    image: ImageSource
    model: str
    options: Options

    @abstractmethod
    def steps(self) -> Generator[Progress, None, ResultT]:
        """Do the work, yielding after every plane that is read and every tile."""

    @property
    @abstractmethod
    def call(self) -> Call:
        """The call of the API that does the same."""


@dataclass(frozen=True)
class MapResult:
    """A defocus map with its statistics.

    Parameters
    ----------
    estimated : EstimatedMap
        The map.
    counts : RadiusCounts
        Its histogram.
    median_radius : float
        Median size of its radii, in pixels.
    in_focus : float
        Share of its pixels, 0 to 1, with radii below 0.5 px.
    provenance : dict
        How it was made.
    """

    estimated: EstimatedMap
    counts: RadiusCounts
    median_radius: float
    in_focus: float
    provenance: dict[str, Any]


@dataclass(frozen=True)
class DeblurResult:
    """A deblurred image, and how it was made."""

    image: npt.NDArray[Any]
    provenance: dict[str, Any]


@dataclass(frozen=True)
class EstimateLayerJob(LayerJob[MapResult]):
    """Estimation of the defocus of a layer, or of two layers with dual-pixel views.

    Parameters
    ----------
    right : ImageSource, optional
        The right view, if `image` is the left one.
    """

    right: ImageSource | None = None

    def steps(self) -> Generator[Progress, None, MapResult]:
        """Estimate the map, yielding after every plane that is read and every tile."""
        image = yield from self.image.read()
        right = None if self.right is None else (yield from self.right.read())
        options = yield from self.image.complete_options(self.options)
        job = EstimateJob(Views(image, right), self.model, options)
        defocus = yield from job.steps()
        size = np.abs(defocus.radius)
        return MapResult(
            EstimatedMap(defocus, array_hash(defocus.radius)),
            count_radii(defocus.radius, signed=defocus.signed),
            median_radius=float(np.median(size)),
            in_focus=float(np.mean(size < _IN_FOCUS)),
            provenance=provenance(job, **self.image.origin),
        )

    @property
    def call(self) -> Call:
        """The call of ``estimate_defocus`` that does the same."""
        inputs: dict[str, ImageSource | MapSource] = {"image": self.image}
        if self.right is not None:
            inputs["right"] = self.right
        arguments = _changed(self, EstimateJob, ("model",))
        return Call("estimate_defocus", "map", "defocus", inputs, arguments, self.options)


@dataclass(frozen=True)
class DeblurLayerJob(LayerJob[DeblurResult]):
    """Deblurring of a layer.

    Parameters
    ----------
    defocus : MapSource, optional
        The map; estimated from the image if there is none.
    strength, protect_radius, detail
        As in :func:`napari_defocus.deblur`.
    """

    defocus: MapSource | None = None
    strength: float = DeblurJob.strength
    protect_radius: float = DeblurJob.protect_radius
    detail: str = DeblurJob.detail

    def steps(self) -> Generator[Progress, None, DeblurResult]:
        """Deblur the image, yielding after every plane that is read and every tile."""
        job = yield from self.read()
        image = yield from job.steps()
        return DeblurResult(image, provenance(job, **self.image.origin))

    def read(self) -> Generator[Progress, None, DeblurJob]:
        """Read image and map, yielding after every plane; return the job on these arrays."""
        image = yield from self.image.read()
        options = yield from self.image.complete_options(self.options)
        return DeblurJob(
            image,
            None if self.defocus is None else self.defocus.read(),
            strength=self.strength,
            protect_radius=self.protect_radius,
            detail=self.detail,
            model=self.model,
            options=options,
        )

    @property
    def call(self) -> Call:
        """The call of ``deblur`` that does the same."""
        inputs: dict[str, ImageSource | MapSource] = {"image": self.image}
        if self.defocus is not None:
            inputs["defocus"] = self.defocus
        names = ("strength", "protect_radius", "detail", "model")
        return Call(
            "deblur", "deblur", "sharp", inputs, _changed(self, DeblurJob, names), self.options
        )


def _changed(job: Any, defaults: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the arguments that differ from the API's defaults, by name."""
    values = {name: getattr(job, name) for name in names}
    return {name: value for name, value in values.items() if value != getattr(defaults, name)}
