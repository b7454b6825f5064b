"""Refocusing of a sharp layer by its map."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from ...inference.engine import Progress
from ...jobs import RefocusJob
from ..jobs.layer_jobs import LayerJob, run_on_record
from ..jobs.recipe import Call
from ..layers.image_source import ImageSource
from ..maps.map_source import MapSource


@dataclass(frozen=True)
class RefocusResult:
    """A picture with another focus and aperture, and how it was made."""

    image: npt.NDArray[Any]
    provenance: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RefocusLayerJob(LayerJob[RefocusResult]):
    """Refocusing of a layer.

    Parameters
    ----------
    defocus : MapSource
        The map.
    focus : float or tuple of float
        Radius in pixels, signed, of what is to be in focus; several make a focal stack.
    aperture : float
        Diameter of the new aperture, in units of the camera's.
    pupil : str
        Shape of the blur.
    keeps_bokeh : bool
        Whether the sharp picture shows strong blur as its image does.
    """

    defocus: MapSource
    focus: float | tuple[float, ...]
    aperture: float
    pupil: str = RefocusJob.pupil
    keeps_bokeh: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user may not expect of the run."""
        if not self.keeps_bokeh:
            return super().notes
        return (
            *super().notes,
            f"{self.image.name!r} still shows the blur of its background, which is blurred once "
            "more; deblur everything for a background in focus",
        )

    def steps(self) -> Generator[Progress, None, RefocusResult]:
        """Render the picture, yielding after every plane that is read and every tile."""
        image = yield from self.image.read()
        options = yield from self.image.complete_options(self.options)
        job = RefocusJob(
            image, self.defocus.read(), self.focus, self.aperture, options, pupil=self.pupil
        )
        view, record = yield from run_on_record(job, self.image)
        if self.mask is not None:
            color = job.layout.channel_axis is not None
            view = self.mask.keep_outside(view, job.sharp, color=color)
            record = self.mask.described(record)
        return RefocusResult(view, record)

    @property
    def call(self) -> Call:
        """The call of ``refocus`` that does the same."""
        inputs: dict[str, ImageSource | MapSource] = {
            "sharp": self.image,
            "defocus": self.defocus,
        }
        arguments: dict[str, Any] = {"focus": self.focus, "aperture": self.aperture}
        if self.pupil != RefocusJob.pupil:
            arguments["pupil"] = self.pupil
        options = self.image.reading_options(self.options)
        words, mask = ("--sharp",), self.mask
        return Call("refocus", "refocus", "view", inputs, arguments, options, words, mask)
