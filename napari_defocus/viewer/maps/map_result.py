"""Result of an estimation, ready to be shown."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ...array_types import Mask
from ...defocus_map import DefocusMap
from ...map_statistics import map_statistics, sure_radii
from ...options import Options
from ...pipeline.bokeh import subject_limit
from ...provenance_record import array_hash
from .map_source import EstimatedMap, distrust_featureless
from .map_view import paint_view, view_limit
from .radius_counts import count_radii

#: Approximate number of radii by which subject and background are told apart.
_SAMPLE = 50_000


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
