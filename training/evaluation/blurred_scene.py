"""Blurred photograph with its sharp counterpart, on which methods are scored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


@dataclass(frozen=True)
class BlurredScene:
    """A photograph and its sharp counterpart; images (Y, X, 3) float32 in [0, 1], as displayed.

    Attributes
    ----------
    name : str
        Of the scene.
    blurred, target : array
        Out of focus, and sharp.
    views : tuple of array, optional
        The left and the right dual-pixel view.
    radius : array, optional
        (Y, X) true signed radius of defocus in px, NaN where it is unknown.
    blur : array, optional
        (Y, X) likewise, of all blur together, unsigned.
    others : mapping
        Results of other methods, by name.
    """

    name: str
    blurred: Image
    target: Image
    views: tuple[Image, Image] | None = None
    radius: Image | None = None
    blur: Image | None = None
    others: Mapping[str, Image] = field(default_factory=dict)
