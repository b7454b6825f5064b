"""Areas of an image that show nothing by which blur could be told."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array_types import Array, Mask
from ..pipeline.channelwise import ChannelwiseSearch
from ..pipeline.featureless import FeaturelessAreas
from ..pipeline.plane import Steps, translate_errors
from ..pipeline.planes import Inputs, PlaneProcess, process_planes
from .estimate import EstimateJob


def find_featureless(job: EstimateJob) -> Steps[Mask]:
    """Return where the image of a job shows nothing, so that its map tells of what is nearby.

    Parameters
    ----------
    job : EstimateJob
        Estimation of a map of a NumPy array.

    Yields
    ------
    Progress

    Returns
    -------
    (..., Y, X) bool array
        Of the shape of the map.
    """
    task: PlaneProcess = FeaturelessAreas(job.plane_layout)
    if job.layout.channelwise:
        task = ChannelwiseSearch(job.layout, task)
    found = np.empty(job.layout.map_shape, bool)

    def write(index: tuple[int, ...], window: tuple[slice, slice], values: Array) -> None:
        place: Any = (*index, *window)
        found[place] = values[0]

    inputs = Inputs(job.views.arrays[:1])
    steps = process_planes(task, inputs, job.value_range, job.options, write)
    yield from translate_errors(steps)
    return found
