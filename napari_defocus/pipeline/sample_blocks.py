"""Blocks spread over a plane, from which a property of the whole is measured."""

from __future__ import annotations

from itertools import product

import numpy as np

from ..inference.tiles import Box


def sample_blocks(shape: tuple[int, ...], side: int, most: int) -> list[Box]:
    """Return blocks of a plane (..., Y, X): all of a short side, spread evenly over a long one.

    Parameters
    ----------
    shape : tuple of int
        Shape of the plane.
    side : int
        Height and width of a block, in pixels, where the plane is that large.
    most : int
        Number of blocks along a side at most.

    Examples
    --------
    >>> [block.left for block in sample_blocks((10, 100), 20, 3)]
    [0, 40, 80]
    """
    height, width = shape[-2:]
    return [
        Box(top, left, min(top + side, height), min(left + side, width))
        for top, left in product(_starts(height, side, most), _starts(width, side, most))
    ]


def _starts(length: int, side: int, most: int) -> list[int]:
    last = max(length - side, 0)
    count = min(-(-length // side), most)
    return [round(place) for place in np.linspace(0, last, count)] if last else [0]
