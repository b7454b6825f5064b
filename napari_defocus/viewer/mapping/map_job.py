"""Estimation of the defocus of an image layer."""

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from ...inference.engine import Progress
from ...jobs import EstimateJob, find_featureless
from ...views import Views
from ..jobs.layer_jobs import LayerJob, run_on_record
from ..jobs.recipe import Call
from ..layers.image_source import ImageSource
from ..maps.map_result import MapResult, map_result
from ..maps.map_source import MapSource


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
