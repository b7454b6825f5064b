"""Map that guides other work: given, or estimated before it."""

from __future__ import annotations

from typing import Any

from ..defocus_map import check_map
from ..image.layout import Layout, is_dask
from ..options import Options
from ..pipeline.estimate import PlaneEstimator
from ..pipeline.plane import Steps
from ..views import Views
from .estimate import EstimateJob
from .picture import match_laziness


def estimating_job(defocus: Any, image: Any, model: Any, options: Options) -> EstimateJob | None:
    """Return the job that estimates the map of an image; None if the map is given."""
    if defocus is None:
        return EstimateJob(Views(image), model, options)
    return defocus if isinstance(defocus, EstimateJob) else None


def guide_steps(
    defocus: Any, estimate: EstimateJob | None, image: Any, layout: Layout, *, lazy: bool
) -> Steps[tuple[list[Any], PlaneEstimator | bool]]:
    """Return the maps of the image, and whether they are signed.

    An estimate of the image itself is made plane by plane with the work that it guides: then there
    are no maps, and the second is what makes them. Any other `defocus` that is a job is run first.
    """
    if isinstance(defocus, EstimateJob):
        defocus = yield from defocus.steps()
    if defocus is None:
        assert estimate is not None
        return [], estimate.plane_task
    checked = check_map(match_laziness(defocus, image), layout, lazy=lazy)
    # where the sign is lazy, it is not waited for
    return list(checked), is_dask(checked.signed) or checked.signed
