"""Jobs of the widgets: dataclasses of inputs with a generator that runs in a thread."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from ..inference.engine import Progress
from ..models import find_model, with_scale_models
from ..provenance import array_hash, provenance
from .histogram import RadiusCounts, count_radii
from .image_source import ImageSource
from .map_source import EstimatedMap, MapSource, ReadyMap
from .recipe import Call

#: Radii below this many pixels count as in focus.
_IN_FOCUS = 0.5
ResultT_co = TypeVar("ResultT_co", covariant=True)


class Job(Protocol[ResultT_co]):
    """Work for a thread."""

    def steps(self) -> Generator[Progress, None, ResultT_co]:
        """Yield after every tile; return the result."""

    def call(self) -> Call:
        """Return the call of the API that does the same."""


@dataclass(frozen=True)
class How:
    """The API's arguments that both tasks share, named as there."""

    model: str = "auto"
    scale: str | float = "auto"
    encoding: str = "auto"
    compute: Options = field(default_factory=Options)

    @property
    def changed(self) -> dict[str, Any]:
        """Arguments that differ from the API's defaults."""
        values = {
            "model": self.model,
            "scale": self.scale,
            "encoding": self.encoding,
            "device": self.compute.device,
            "precision": self.compute.precision,
            "tile": self.compute.tile,
        }
        return {name: value for name, value in values.items() if value != "auto"}

    def arguments(
        self, source: ImageSource, value_range: tuple[float, float] | None
    ) -> dict[str, Any]:
        """Return keyword arguments for the API."""
        return {
            "channel_axis": source.channel_axis,
            "value_range": value_range,
            "model": self.model,
            "scale": self.scale,
            "encoding": self.encoding,
            "device": self.compute.device,
            "precision": self.compute.precision,
            "tile": self.compute.tile,
        }


@dataclass(frozen=True)
class MapResult:
    """A defocus map and what is shown beside it.

    Parameters
    ----------
    estimated : EstimatedMap
        The map.
    counts : RadiusCounts
        Its histogram.
    median : float
        Median magnitude of its radii, in pixels.
    in_focus : float
        Share of its pixels, 0 to 1, with radii below 0.5 px.
    provenance : dict
        Where it comes from.
    """

    estimated: EstimatedMap
    counts: RadiusCounts
    median: float
    in_focus: float
    provenance: dict[str, Any]


@dataclass(frozen=True)
class DeblurResult:
    """A deblurred image, and where it comes from."""

    image: npt.NDArray[Any]
    provenance: dict[str, Any]


@dataclass(frozen=True)
class MapJob:
    """Estimate the defocus of one image, or of two dual-pixel views.

    Parameters
    ----------
    image : ImageSource
        The image, or the left view.
    right : Source or None
        The right view.
    how : How
        Model and computation.
    """

    image: ImageSource
    right: ImageSource | None
    how: How

    def steps(self) -> Generator[Progress, None, MapResult]:
        """Yield after every tile; return the result."""
        image = yield from self.image.read()
        right = None if self.right is None else (yield from self.right.read())
        value_range = yield from self.image.value_range(self.how.encoding)
        from ..api import estimate_defocus_steps

        arguments = self.how.arguments(self.image, value_range)
        defocus = yield from estimate_defocus_steps(image, right, **arguments)
        record = provenance(
            "estimate_defocus",
            image,
            {"right": right, **arguments, **self.image.origin},
            with_scale_models(
                [
                    find_model(
                        self.how.model,
                        "single" if right is None else "dual",
                        imaging=self.image.imaging(self.how.encoding),
                    )
                ]
            ),
        )
        magnitude = np.abs(defocus.radius)
        return MapResult(
            EstimatedMap(defocus, array_hash(defocus.radius)),
            count_radii(defocus.radius, signed=defocus.signed),
            float(np.median(magnitude)),
            float(np.mean(magnitude < _IN_FOCUS)),
            record,
        )

    def call(self) -> Call:
        """Return the call of the API that does the same."""
        views = {"image": self.image} | ({} if self.right is None else {"right": self.right})
        return Call(
            "estimate_defocus",
            "map",
            "defocus",
            views,
            self.how.encoding,
            self.how.changed,
        )


@dataclass(frozen=True)
class DeblurJob:
    """Deblur an image.

    Parameters
    ----------
    image : ImageSource
        The image.
    defocus : MapSource, ReadyMap or None
        Its defocus map; estimated if None.
    strength, protect, detail
        As in the API.
    how : How
        Model and computation.
    """

    image: ImageSource
    defocus: MapSource | ReadyMap | None
    strength: float
    protect: float
    detail: str
    how: How

    def steps(self) -> Generator[Progress, None, DeblurResult]:
        """Yield after every tile; return the result."""
        image = yield from self.image.read()
        value_range = yield from self.image.value_range(self.how.encoding)
        defocus = None if self.defocus is None else self.defocus.read()
        from ..api import deblur_steps

        arguments = {
            "strength": self.strength,
            "protect": self.protect,
            "detail": self.detail,
            **self.how.arguments(self.image, value_range),
        }
        deblurred = yield from deblur_steps(image, defocus, **arguments)
        imaging = self.image.imaging(self.how.encoding)
        models = [find_model(self.how.model, "deblur", self.detail, imaging)]
        if defocus is None:
            models.append(find_model("auto", "single", imaging=imaging))
        record = provenance(
            "deblur", image, {"defocus": defocus, **arguments, **self.image.origin}, models
        )
        return DeblurResult(deblurred, record)

    def call(self) -> Call:
        """Return the call of the API that does the same."""
        inputs: dict[str, ImageSource | MapSource] = {"image": self.image}
        if isinstance(self.defocus, MapSource):
            inputs["defocus"] = self.defocus
        changed: dict[str, Any] = {} if self.strength == 1 else {"strength": self.strength}
        changed |= {} if self.protect == 0.5 else {"protect": self.protect}
        changed |= {} if self.detail == "faithful" else {"detail": self.detail}
        return Call(
            "deblur", "deblur", "sharp", inputs, self.how.encoding, changed | self.how.changed
        )
