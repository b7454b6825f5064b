"""Check of a sharp layer against the layer of its image."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...evidence.check_result import FALSE_ALARMS, Check
from ...inference.engine import Progress
from ...jobs import CheckJob, EstimateJob
from ..jobs.layer_jobs import LayerJob, run_on_record
from ..jobs.recipe import Call
from ..layers.image_source import ImageSource
from ..maps.map_source import MapSource


@dataclass(frozen=True)
class CheckResult:
    """A check, and how it was made."""

    check: Check
    provenance: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CheckLayerJob(LayerJob[CheckResult]):
    """Check of a sharp layer.

    Parameters
    ----------
    sharp : ImageSource
        The sharp picture of the same part.
    defocus : MapSource, optional
        The map; estimated from the image if there is none.
    model : str
        Name or path of the estimator.
    false_alarms : float
        Share of honest pixels that may be flagged.
    """

    sharp: ImageSource
    defocus: MapSource | None = None
    model: str = EstimateJob.model
    false_alarms: float = FALSE_ALARMS

    def steps(self) -> Generator[Progress, None, CheckResult]:
        """Check the picture, yielding after every plane that is read and every tile."""
        image = yield from self.image.read()
        sharp = yield from self.sharp.read()
        options = yield from self.image.complete_options(self.options)
        defocus = None if self.defocus is None else self.defocus.read()
        job = CheckJob(image, sharp, defocus, self.false_alarms, self.model, options)
        result, record = yield from run_on_record(job, self.image)
        if self.mask is not None:  # of pixels without a score, nothing is said
            inside = np.where(self.mask.inside, result.unexplained, np.float32(np.nan))
            result = replace(result, unexplained=inside)
            record = self.mask.described(record)
        return CheckResult(result, record | {"check": result.summary()})

    @property
    def call(self) -> Call:
        """The call of ``check`` that does the same."""
        inputs: dict[str, ImageSource | MapSource] = {"image": self.image, "sharp": self.sharp}
        if self.defocus is not None:
            inputs["defocus"] = self.defocus
        chosen = {"model": self.model, "false_alarms": self.false_alarms}
        defaults = {"model": EstimateJob.model, "false_alarms": FALSE_ALARMS}
        arguments = {name: value for name, value in chosen.items() if value != defaults[name]}
        options = self.image.options_of_file(self.options)
        mask = self.mask
        return Call("check", "check", "result", inputs, arguments, options, mask=mask)
