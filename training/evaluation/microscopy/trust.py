"""Figures that tell how far results on micrographs can be trusted, as tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from training.evaluation.microscopy import (
    map_tables,
    measurement_tables,
    neighbor_tables,
    restoration_tables,
)
from training.evaluation.microscopy.trial import Trial
from training.evaluation.tables import Row

#: Functions that return the rows of a table, by its heading.
TABLES: Mapping[str, Callable[[Trial], list[Row]]] = {
    "Gain by method, 2 to 12 px, 20 to 2000 photons": restoration_tables.gains,
    "Gain by radius, same specimens": restoration_tables.radii,
    "Nuclei, 4 px": restoration_tables.nuclei,
    "Neighboring planes": neighbor_tables.neighbors,
    "In focus": restoration_tables.in_focus,
    "Points in focus": restoration_tables.points,
    "Confidence by kind": map_tables.confidence,
    "Nothing to judge by": map_tables.empty,
    "Unstained cells": map_tables.phase,
    "Noise as it arrives": map_tables.arrived_noise,
    "Best plane of stacks": map_tables.stacks,
    "Values": measurement_tables.values,
    "Measurements": measurement_tables.measurements,
}


def trust_tables(trial: Trial, names: Sequence[str] = ()) -> Iterator[tuple[str, list[Row]]]:
    """Yield heading and rows of the tables whose heading holds one of the names, or of all."""
    for heading, rows in TABLES.items():
        if not names or any(name.lower() in heading.lower() for name in names):
            yield heading, rows(trial)
