"""Figures of a focus profile as a table for the clipboard."""

import csv
import io
from collections.abc import Sequence

import numpy as np

from ..stacks.profile import FIGURES, FocusProfile


def profile_table(profile: FocusProfile, other_axes: Sequence[int]) -> str:
    """Return the figures of all planes as text, with tabs between columns.

    Parameters
    ----------
    profile : FocusProfile
        The profile.
    other_axes : sequence of int
        Axes of the layer along which there are several stacks.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow([*(f"axis {axis}" for axis in other_axes), "plane", *FIGURES])
    for index in np.ndindex(*profile.radius.shape):
        figures = [getattr(profile, name)[index] for name in FIGURES]
        writer.writerow([*index, *(f"{float(figure):.6g}" for figure in figures)])
    return text.getvalue()
