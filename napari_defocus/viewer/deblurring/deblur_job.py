"""Deblurring of an image layer: the job and its result."""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...deblur_settings import DeblurSettings
from ...defocus_map import DefocusMap
from ...errors import ImageError, OptionError
from ...inference.engine import Progress
from ...jobs import DeblurJob, find_featureless
from ...map_edits import apply_edits
from ...provenance_record import provenance
from ..jobs.layer_jobs import LayerJob, run_on_record
from ..jobs.recipe import Call
from ..layers.image_source import ImageSource
from ..layers.pixel_blocks import middle_of_blocks
from ..maps.map_result import MapResult, map_result
from ..maps.map_source import EDITED, MapSource
from ..threads.phases import in_phase
from .mixture import Mixture, with_amount


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
    note : str
        What the user may not expect of it.
    """

    image: npt.NDArray[Any]
    provenance: dict[str, Any]
    changed: float
    mixture: Mixture
    estimated: MapResult | None = None
    note: str = ""


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
    stack_axis : int, optional
        Axis of a stack of micrographs whose neighboring planes help to restore each other.
    """

    defocus: MapSource | None = None
    settings: DeblurSettings = field(default_factory=DeblurSettings)
    base: MapSource | None = None
    stack_axis: int | None = None

    def steps(self) -> Generator[Progress, None, DeblurResult]:
        """Deblur the image, yielding after every plane that is read and every tile."""
        job = yield from self.read()
        estimated, deblur = None, "deblur"
        amount = job.settings.amount
        job = replace(job, settings=replace(job.settings, amount=1.0))  # another one needs no run
        if job.estimate is not None and job.settings.strength > 0 and not job.layout.channelwise:
            estimation = run_on_record(job.estimate, self.image)
            defocus, record = yield from in_phase(estimation, "1/2 map")
            deblur = "2/2 deblur"
            featureless = yield from find_featureless(job.estimate)
            model = self.settings.map_model
            estimated = map_result(defocus, record, self.options, model, featureless)
            job = job.with_map(defocus)
        job = self.edited(job)
        if self._edits is not None:
            estimated = self._describe_edits(job, estimated)
        full, record = yield from in_phase(run_on_record(job, self.image), deblur)
        if self.mask is not None:
            color = job.layout.channel_axis is not None
            full = self.mask.keep_outside(full, job.image, color=color)
            record = self.mask.described(record)
        mixture = Mixture(job.image, full, job.layout.channel_axis)
        image = yield from mixture.steps(amount)
        record = with_amount(record, amount)
        notes = [self._note_on_pixels(record["input"]["hash"]), self._note_on_subject(estimated)]
        note = "; ".join(filter(None, notes))
        return DeblurResult(image, record, mixture.share_changed(image), mixture, estimated, note)

    def _note_on_pixels(self, image_hash: str) -> str:
        """Return a note if the image's pixels were changed in place since its map was estimated."""
        defocus = self.defocus
        if defocus is None or not (defocus.is_whole and self.image.is_whole):
            return ""
        made = defocus.estimated
        if made is None or made.model == EDITED or made.image_hash == image_hash:
            return ""
        return (
            f"the map {defocus.name!r} was estimated from other pixels than {self.image.name!r} "
            "has now; estimate it anew if they were changed"
        )

    def _note_on_subject(self, estimated: MapResult | None) -> str:
        """Return a note if only the subject was to be deblurred, and the map does not show it."""
        source = None if self.defocus is None else self.defocus.estimated
        used = source if estimated is None else estimated.estimated
        if self.settings.bokeh_radius != "auto" or used is None or used.subject_limit > 0:
            return ""
        return (
            "the map shows no subject before a strongly blurred background, so everything was "
            "deblurred; move the right handle of the histogram to leave strong blur alone"
        )

    def read(self) -> Generator[Progress, None, DeblurJob]:
        """Read image and map, yielding after every plane; return the job on these arrays.

        Labels are no map: with them, the job has that of `base`, or estimates one.
        """
        image = yield from self.image.read()
        options = yield from self.image.complete_options(self.options)
        source = self.defocus if self._edits is None else self.base
        defocus = None if source is None else source.read()
        return DeblurJob(image, defocus, self.settings, options, stack_axis=self.stack_axis)

    def edited(self, job: DeblurJob, step: int = 1) -> DeblurJob:
        """Return the job with the labels painted over its map, if there are any.

        Parameters
        ----------
        job : DeblurJob
            The job on the image, or on one with a pixel for each block of it.
        step : int
            Side of a block in pixels of the image.

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
        labels = middle_of_blocks(labels, step, job.layout.map_shape)
        in_pixels = replace(defocus, radius=defocus.radius * step)
        edited = apply_edits(in_pixels, labels)
        edited = replace(edited, radius=edited.radius / step)
        return replace(job, defocus=edited, estimated_map=None)

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
        if self.stack_axis is not None:
            changed["stack_axis"] = self.stack_axis
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
