"""Figures of a focus profile as a table."""

import csv
import io
from collections.abc import Sequence

import numpy as np

from .profile import FIGURES, FocusProfile


def profile_table(profile: FocusProfile, other_axes: Sequence[int], delimiter: str = "\t") -> str:
    """Return the figures of all planes as text, a line each.

    Parameters
    ----------
    profile : FocusProfile
        The profile.
    other_axes : sequence of int
        Axes of the array along which there are several stacks.
    delimiter : str
        Stands between columns.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow([*(f"axis {axis}" for axis in other_axes), "plane", *FIGURES])
    for index in np.ndindex(*profile.radius.shape):
        figures = [getattr(profile, name)[index] for name in FIGURES]
        writer.writerow([*index, *(f"{float(figure):.6g}" for figure in figures)])
    return text.getvalue()
