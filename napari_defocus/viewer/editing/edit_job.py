"""Map that results from an estimate and the edits painted over it."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from ...inference.engine import Progress
from ...map_edits import apply_edits
from ...provenance_record import array_hash
from ...version import __version__
from ..layers.results import METADATA_KEY
from ..maps.map_result import MapResult, map_result
from ..maps.map_source import EDITED, MAP_KEY
from .edit_state import MapEdits


@dataclass(frozen=True)
class EditJob:
    """Making of an edited map, for a worker thread.

    Parameters
    ----------
    edits : MapEdits
        The edits, and the map under them.
    softness : float
        Width of the transition, in pixels.
    only_changes : bool
        Make no map if edits and softness are those of the last one.
    """

    edits: MapEdits
    softness: float
    only_changes: bool = False

    def steps(self) -> Generator[Progress, None, MapResult | None]:
        """Return the map, after one step; None if there is no other one."""
        edits, softness = self.edits, self.softness
        estimated, record = edits.base.metadata[MAP_KEY], edits.base.metadata[METADATA_KEY]
        yield Progress(0, 0)
        labels = np.array(edits.layer.data)  # here, for copying a large layer takes a while
        if self.only_changes and not edits.differ(labels, softness):
            return None
        edits.applied = labels, softness
        own = {
            "function": "apply_edits",
            "version": __version__,
            "parameters": {"softness": softness, "labels": array_hash(labels)},
            "input": record["input"],
            "estimate": record,
        }
        defocus = apply_edits(estimated.map, labels, softness)
        featureless = estimated.featureless
        if featureless is not None:
            featureless = featureless & (labels == 0)
        return map_result(defocus, own, estimated.options, EDITED, featureless)
