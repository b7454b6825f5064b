"""Picture that is sharp everywhere, with its depth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..array_types import FloatArray


@dataclass(frozen=True, eq=False)
class AllInFocus:
    """Picture merged from the planes of a stack; unpacks as image, depth and confidence.

    Parameters
    ----------
    image : array
        Of the stack's shape without the axis of the planes, and of its data type and range.
    depth : (..., Y, X) float32 array
        Fractional index of the plane in which a pixel is in focus; NaN where a stack has no data.
    confidence : (..., Y, X) float32 array
        How clearly this plane is sharper than those that are not its neighbors, 0 to 1.
    move : float
        Largest displacement in pixels, of a corner of a plane, that alignment has taken back.

    See Also
    --------
    all_in_focus : make one
    AllInFocusJob : the same, step by step

    Notes
    -----
    Where nothing has texture, the depth is that of the surroundings and the confidence low.

    Examples
    --------
    >>> import numpy as np
    >>> image, depth, confidence = AllInFocus(*np.zeros((3, 8, 8), np.float32))
    >>> depth.shape
    (8, 8)
    """

    image: Any
    depth: FloatArray
    confidence: FloatArray
    move: float = 0.0

    def __iter__(self) -> Iterator[Any]:
        return iter((self.image, self.depth, self.confidence))
